"""What the doctor makes of what it finds."""

import pytest

from trimtab_cli import checks
from trimtab_cli.checks import GIB, Check

PINS = (("click", "8.5.1", ""), ("torch", "2.15.0", "jobs"), ("pytest", "9.2.0", "dev"))


def test_check_is_one_line_with_its_fix():
    assert str(Check("disk", "broken", "0.1 GiB", "free some")) == "broken   disk: 0.1 GiB (free some)"
    assert str(Check("cores", "ok", "2")) == "ok       cores: 2"


def test_packages_as_tested_are_one_line():
    versions = {"click": "8.5.1", "torch": "2.15.0"}
    assert checks.packages(PINS, versions.get) == [Check("packages", "ok", "all 2 as tested")]


def test_packages_that_are_missing_or_others_have_a_line_each():
    assert checks.packages(PINS, {"click": "8.0.0"}.get) == [
        Check("click", "warning", "8.0.0, tested with 8.5.1", "pip install click==8.5.1"),
        Check("torch", "broken", "not installed", "pip install 'trimtab[jobs]'"),
    ]


@pytest.mark.parametrize(
    ("check", "state"),
    [
        pytest.param(checks.python((3, 11), "3.11.7"), "ok", id="python"),
        pytest.param(checks.python((3, 10), "3.10.1"), "broken", id="old-python"),
        pytest.param(checks.cores(2), "ok", id="cores"),
        pytest.param(checks.cores(1.5), "warning", id="few-cores"),
        pytest.param(checks.memory(8 * GIB), "ok", id="memory"),
        pytest.param(checks.memory(3 * GIB), "warning", id="little-memory"),
        pytest.param(checks.memory(GIB), "broken", id="too-little-memory"),
        pytest.param(checks.disk(9 * GIB, "/"), "ok", id="disk"),
        pytest.param(checks.disk(GIB, "/"), "warning", id="little-disk"),
        pytest.param(checks.disk(1000, "/"), "broken", id="full-disk"),
        pytest.param(checks.shared_memory(None, 1), "ok", id="no-shared-memory-on-this-system"),
        pytest.param(checks.shared_memory(GIB, 2**27), "ok", id="shared-memory"),
        pytest.param(checks.shared_memory(2**26, 2**27), "warning", id="little-shared-memory"),
        pytest.param(checks.vector_units("x86-vnni", frozenset()), "ok", id="vnni"),
        pytest.param(checks.vector_units("arm64", frozenset()), "ok", id="arm"),
        pytest.param(checks.vector_units("x86-avx2", frozenset({"avx2"})), "warning", id="avx2"),
        pytest.param(
            checks.vector_units("x86-avx2", frozenset({"avx512f"})), "warning", id="avx512-without-vnni"
        ),
        pytest.param(checks.vector_units("x86-avx2", frozenset()), "warning", id="no-vectors"),
        pytest.param(checks.object_storage("out", {}), "ok", id="no-s3-asked-for"),
        pytest.param(checks.object_storage("s3://b", {}), "warning", id="no-key"),
        pytest.param(checks.object_storage("s3://b", {"AWS_ACCESS_KEY_ID": "k"}), "broken", id="half-a-key"),
        pytest.param(
            checks.object_storage("s3://b", {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}),
            "ok",
            id="key",
        ),
    ],
)
def test_state_of_a_check_and_a_fix_unless_it_is_ok(check, state):
    assert (check.state, bool(check.fix)) == (state, state != "ok")


def test_secrets_are_never_shown():
    environment = {
        "AWS_ACCESS_KEY_ID": "the-key",
        "AWS_SECRET_ACCESS_KEY": "the-secret",
        "AWS_ENDPOINT_URL": "http://store",
    }
    assert str(checks.object_storage("s3://b", environment)) == "ok       s3: endpoint http://store, a key"


def test_an_endpoint_for_s3_alone_goes_first():
    endpoints = {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "http://s3"}
    assert "endpoint http://s3, no key" in str(checks.object_storage("s3://b", endpoints))
