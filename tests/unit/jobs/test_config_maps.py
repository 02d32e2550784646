"""How the driver asks the API server, and what it makes of each answer."""

import json
from pathlib import Path

import httpx
import pytest

from tests.unit.jobs.test_settings import NEEDED
from trimtab_jobs.config_maps import ApiError, ConfigMaps
from trimtab_jobs.settings import Settings


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first\n")
    return tmp_path / "token"


def maps_on(token_file: Path, answer: httpx.Response | Exception, asked: list[httpx.Request]) -> ConfigMaps:
    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.Client(base_url="https://api", transport=httpx.MockTransport(handle))
    return ConfigMaps(client, "team-a", token_file)


def test_a_patch_merges_keys_under_the_token_of_the_moment(token_file: Path):
    asked: list[httpx.Request] = []
    maps = maps_on(token_file, httpx.Response(200, json={}), asked)

    maps.patch("digits-report", {"attempt": "1"})
    token_file.write_text("second")
    maps.patch("digits-report", {"attempt": "1"})

    assert [str(request.url) for request in asked] == [
        "https://api/api/v1/namespaces/team-a/configmaps/digits-report"
    ] * 2
    assert [request.headers["authorization"] for request in asked] == ["Bearer first", "Bearer second"]
    assert asked[0].headers["content-type"] == "application/merge-patch+json"
    assert json.loads(asked[0].content) == {"data": {"attempt": "1"}}


@pytest.mark.parametrize(
    ("body", "data"),
    [({"data": {"a": "1"}}, {"a": "1"}), ({}, {}), ({"data": None}, {})],
    ids=["some", "none", "null"],
)
def test_what_a_config_map_holds(token_file: Path, body: dict[str, object], data: dict[str, str]):
    assert maps_on(token_file, httpx.Response(200, json=body), []).read("digits-plan") == data


@pytest.mark.parametrize(
    ("answer", "text", "is_final"),
    [
        pytest.param(httpx.Response(404, json={"message": "no such"}), "404 no such", False, id="deleted"),
        pytest.param(
            httpx.Response(403, json={"message": "forbidden"}), "403 forbidden", False, id="no right"
        ),
        pytest.param(httpx.Response(429, json={}), "429", False, id="too many"),
        pytest.param(
            httpx.Response(413, json={"message": "too large"}), "413 too large", True, id="too large"
        ),
        pytest.param(httpx.Response(200, json=[1]), "200", False, id="no object"),
        pytest.param(httpx.Response(200, text="<html>"), "JSONDecodeError", False, id="no JSON"),
        pytest.param(httpx.ConnectError("refused"), "ConnectError: refused", False, id="no connection"),
        pytest.param(httpx.ReadTimeout("late"), "ReadTimeout: late", False, id="no answer"),
    ],
)
def test_every_other_answer_is_one_error(
    token_file: Path, answer: httpx.Response | Exception, text: str, is_final: bool
):
    with pytest.raises(ApiError) as error:
        maps_on(token_file, answer, []).patch("digits-report", {})

    assert str(error.value).startswith(f"PATCH ConfigMap digits-report: {text}")
    assert error.value.is_final == is_final


def test_a_missing_token_is_named(tmp_path: Path):
    with pytest.raises(ApiError, match=r"/token: No such file or directory; set TRIMTAB_TOKEN_FILE"):
        maps_on(tmp_path / "token", httpx.Response(200, json={}), []).read("digits-plan")


def test_a_missing_certificate_is_named():
    with pytest.raises(ApiError, match=r"^/absent: No such file or directory; set TRIMTAB_CA_FILE"):
        ConfigMaps.of(Settings.read(NEEDED | {"TRIMTAB_CA_FILE": "/absent"}))
