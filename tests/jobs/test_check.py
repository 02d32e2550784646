"""`trimtab validate --code`: the user's code and its data, looked at in a process of its own."""

import hashlib
from pathlib import Path

import pytest

from tests.support.jobs import job
from trimtab_api.plan import resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_jobs.embedded import check
from trimtab_jobs.store import open_store

FOLDER = str(Path(__file__).parent)


@pytest.mark.parametrize(
    ("entrypoint", "limits", "said"),
    [
        pytest.param("bad_tasks:Good", [], [], id="good"),
        pytest.param(
            "bad_tasks:Exits", [], ["importing bad_tasks:Exits ended the process"], id="ends the process"
        ),
        pytest.param(
            "bad_tasks:Raises", [], ["trying the network: ValueError: no such layer: conv9"], id="network"
        ),
        pytest.param(
            "bad_tasks:OneOutput", [], ["trying the network: labels go from 0 to 1, but"], id="last layer"
        ),
        pytest.param("bad_tasks:OneClass", [], ["holds one class only (0)"], id="one class"),
        pytest.param(
            "bad_tasks:Good", [{"metric": "accuracy", "maxDrop": 0.001}], ["needs ≥"], id="limit out of reach"
        ),
        pytest.param(
            "bad_tasks:figures_only",
            [{"metric": "accuracy", "maxDrop": 0.1}],
            ["needs a model that can be judged: bad_tasks has no evaluate, no metrics; add:\ndef eval"],
            id="limit on a search alone",
        ),
    ],
)
def test_code_is_checked_in_a_process_of_its_own(entrypoint: str, limits, said: list[str]):
    plan = resolve(job(task={"entrypoint": entrypoint}, guardrail=limits), LOCAL_PROFILE)

    problems = check(plan, code=FOLDER, data={})

    assert len(problems) == len(said)
    assert all(text in str(problem) for text, problem in zip(said, problems, strict=True))


def test_data_are_fetched_for_the_check_and_verified(
    s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    store, body = open_store(f"{s3_bucket}/team"), b"rows"
    store.put("rows.csv", body)
    places = {"rows": f"{store.uri}/rows.csv"}

    def said(sha256: str) -> list[str]:
        data = [{"name": "rows", "uri": places["rows"], "sha256": sha256}]
        task = {"entrypoint": "bad_tasks:Reads", "data": data}
        return [str(each) for each in check(resolve(job(task=task), LOCAL_PROFILE), code=FOLDER, data=places)]

    assert said(hashlib.sha256(body).hexdigest()) == []
    (problem,) = said("0" * 64)
    assert problem.startswith(f"spec.task.data[rows]: {places['rows']} has the SHA-256 ")
    store.delete("rows.csv")
    assert said("0" * 64) == [
        f"spec.task.data[rows]: {places['rows']}: nothing is there; write the right URI, or put it there"
    ]
