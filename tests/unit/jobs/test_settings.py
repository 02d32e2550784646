"""Where a driver in a pod works, by the environment that the operator gave it."""

from pathlib import Path

import pytest

from trimtab_jobs.errors import RefusedError
from trimtab_jobs.settings import Settings

NEEDED = {
    "TRIMTAB_JOB": "digits",
    "TRIMTAB_NAMESPACE": "team-a",
    "TRIMTAB_UID": "u-1",
    "TRIMTAB_SEGMENT": "search",
    "TRIMTAB_ATTEMPT": "2",
    "TRIMTAB_STORE": "s3://models/run",
    "TRIMTAB_PLAN": "digits-plan",
    "TRIMTAB_REPORT": "digits-report",
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
}


def test_settings_of_a_pod():
    assert Settings.read(NEEDED) == Settings(
        job="digits",
        namespace="team-a",
        uid="u-1",
        segment="search",
        attempt=2,
        store="s3://models/run",
        plan="digits-plan",
        report="digits-report",
        server="https://10.96.0.1:443",
        token_file=Path("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        ca_file=Path("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"),
        code=None,
        data=Path("/trimtab/data"),
    )


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param({"KUBERNETES_SERVICE_HOST": "fd00::1"}, "server", "https://[fd00::1]:443", id="IPv6"),
        pytest.param(
            {"TRIMTAB_API_SERVER": "https://api:6443/"}, "server", "https://api:6443", id="another server"
        ),
        pytest.param({"TRIMTAB_TOKEN_FILE": "/t"}, "token_file", Path("/t"), id="token"),
        pytest.param({"TRIMTAB_CA_FILE": "/c"}, "ca_file", Path("/c"), id="certificate"),
        pytest.param({"TRIMTAB_CODE": "/trimtab/code"}, "code", "/trimtab/code", id="code"),
        pytest.param({"TRIMTAB_DATA": "/data"}, "data", Path("/data"), id="data"),
        pytest.param({"TRIMTAB_ALIVE": "/tmp/a"}, "alive", Path("/tmp/a"), id="signs of life"),
    ],
)
def test_what_may_be_set(changes: dict[str, str], field: str, value: object):
    assert getattr(Settings.read(NEEDED | changes), field) == value


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"TRIMTAB_STORE": ""}, "TRIMTAB_STORE is not set: the operator sets these", id="one"),
        pytest.param(
            {"TRIMTAB_PLAN": "", "KUBERNETES_SERVICE_PORT": ""},
            "TRIMTAB_PLAN is not set; KUBERNETES_SERVICE_PORT is not set: ",
            id="two",
        ),
        pytest.param({"TRIMTAB_ATTEMPT": "0"}, "TRIMTAB_ATTEMPT='0' is no number from 1 up", id="attempt 0"),
        pytest.param({"TRIMTAB_ATTEMPT": "two"}, "TRIMTAB_ATTEMPT='two' is no number", id="no number"),
    ],
)
def test_what_is_missing_or_wrong_is_named(changes: dict[str, str], problem: str):
    with pytest.raises(RefusedError, match=problem):
        Settings.read(NEEDED | changes)
