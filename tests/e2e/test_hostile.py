"""What a hostile tenant tries on real nodes is refused: by the API server, the network, kernel and store.

One job, whose code makes the attempts from within (hostile.py), and two pods that attack its Ray cluster: one
of another team, and one that stands where another job of the same team would.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.cluster.images import ROOT, WORKER
from tests.cluster.nodes import KubectlError
from tests.support.cluster import RefusedError
from tests.support.operated import condition_of
from tests.support.platform import BUCKET, NOTES, SECRET, Platform, Team
from trimtab_jobs.store import open_store
from trimtab_operator.names import JOB_UID

Document = dict[str, Any]
CODE = ROOT / "tests/e2e/hostile.py"
NOT_PERMITTED = "EPERM"
READ_ONLY = [f"write {place}" for place in ("/", "/etc", "/opt/venv", "/opt/packages", "/trimtab/code")]
DRIVERS_RIGHTS = {"get own report", "patch own report", "get own plan"}
CLUSTER = {"GCS", "dashboard", "raylet of the head", "raylet of a worker"}


@pytest.fixture(scope="module", name="red")
def team_of_the_attacker(platform: Platform) -> Team:
    return platform.team("red")


@pytest.fixture(scope="module", name="blue")
def another_team(platform: Platform) -> Team:
    """It keeps a ConfigMap, and an object in the store."""
    team = platform.team("blue")
    metadata = {"name": "notes", "namespace": team.namespace}
    team.server.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    open_store(f"s3://{BUCKET}/{team.namespace}").put("secret", b"of blue")
    return team


@pytest.fixture(scope="module", name="found")
def attempts_of_a_job(red: Team, blue: Team) -> Iterator[dict[str, Any]]:
    """What came of a job's attempts; its Ray cluster is still there."""
    for each in (attacker(blue.namespace, {}), attacker(red.namespace, {JOB_UID: "of-another-job"})):
        red.server.create(each)
    job = red.apply(manifest("hostile", red, blue))
    noted = red.notes / "found.json"
    red.wait_until("the attempts are made", noted.exists)
    yield json.loads(noted.read_text())
    (red.notes / "go").touch()
    job.until("done", lambda found: found["status"]["phase"] == "Succeeded")


def manifest(name: str, red: Team, blue: Team) -> str:
    """A job of red's that is hostile to blue."""
    nodes = red.server.items("v1", "Node")
    (address, *_) = (each["address"] for each in nodes[0]["status"]["addresses"])
    code = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-code"},
        "data": {"hostile.py": CODE.read_text()},
    }
    aims = {"node": address, "bucket": BUCKET, "own": red.namespace, "other": blue.namespace}
    spec = {
        "task": {
            "entrypoint": "hostile:objective",
            "code": {"configMap": f"{name}-code"},
            "args": aims,
        },
        "objectives": [{"metric": "accuracy", "direction": "maximize"}],
        "search": {"trials": 1, "parameters": [{"name": "x", "int": {"low": 1, "high": 2}}]},
    }
    return yaml.safe_dump_all([code, optimization_job(name, spec)])


def optimization_job(name: str, spec: Document) -> Document:
    return {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {"name": name},
        "spec": spec,
    }


def attacker(namespace: str, labels: Mapping[str, str]) -> Document:
    """A pod that waits to be told what to try."""
    container = {
        "name": "main",
        "image": WORKER,
        "command": ["sleep", "infinity"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
    }
    metadata = {"name": "attacker", "namespace": namespace, "labels": {"app": "attacker", **labels}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_user_code_has_no_token_and_nothing_of_the_api_without_one(found: dict[str, Any]) -> None:
    assert found["token"] == "ENOENT"
    assert set(found["without a token"].values()) <= {"401", "403"}, found["without a token"]


def test_token_of_the_driver_is_good_for_two_config_maps_of_its_job(found: dict[str, Any]) -> None:
    with_token = found["with the driver's token"]

    assert {what for what, outcome in with_token.items() if outcome == "done"} == DRIVERS_RIGHTS
    assert {outcome for what, outcome in with_token.items() if what not in DRIVERS_RIGHTS} == {"403"}


def test_user_code_stays_in_its_container(found: dict[str, Any]) -> None:
    assert found["rights"] == {"Uid": "1000", "CapEff": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
    assert found["escapes"] == {
        **dict.fromkeys(READ_ONLY, "EROFS"),
        "limits of its own": "EACCES",
        "setting of the kernel": "EACCES",
        "setuid 0": NOT_PERMITTED,
        "chroot": NOT_PERMITTED,
        "mount": NOT_PERMITTED,
        "new user namespace": NOT_PERMITTED,
        "device of memory": NOT_PERMITTED,
        "kubelet": "401",
        "kubelet, read-only port": "ECONNREFUSED",
        "containerd": "ENOENT",
    }


def test_credentials_of_a_team_end_at_its_prefix(found: dict[str, Any]) -> None:
    assert found["store"] == {
        "write below the own prefix": "done",
        "write below another team's prefix": "denied",
        "read below another team's prefix": "denied",
        "write beside all prefixes": "denied",
    }


def test_ray_cluster_is_open_to_its_own_job_alone(found: dict[str, Any], red: Team, blue: Team) -> None:
    """That its own pods reach it shows that something is there which others do not."""
    code, ports = CODE.read_text(), json.dumps(found["ports"])

    attacks = {
        team.namespace: json.loads(
            team.kubectl("exec", "attacker", "--", "python", "-c", code, ports),
        )
        for team in (red, blue)
    }

    assert found["own cluster"] == dict.fromkeys(CLUSTER, "done")
    assert attacks == {team.namespace: dict.fromkeys(CLUSTER, "silence") for team in (red, blue)}
    assert found["dashboard without its token"] == "401"


def test_manifest_that_reads_or_writes_below_another_teams_prefix_is_not_accepted(
    red: Team, blue: Team
) -> None:
    theirs = f"s3://{BUCKET}/{blue.namespace}"
    spec = {
        "task": {
            "entrypoint": "hostile:objective",
            "data": [{"name": "train", "uri": f"{theirs}/train.csv", "sha256": "0" * 64}],
        },
        "model": {"pretrained": {"uri": f"{theirs}/base.safetensors", "sha256": "0" * 64}},
        "objectives": [{"metric": "accuracy", "direction": "maximize"}],
        "output": theirs,
    }

    job = red.apply(yaml.safe_dump(optimization_job("greedy", spec)))
    refused = condition_of(
        job.until("judged", lambda found: bool(found.get("status", {}).get("conditions"))), "Accepted"
    )

    assert (refused["status"], refused["reason"]) == ("False", "Refused")
    for field in ("spec.output", "spec.task.data[0].uri", "spec.model.pretrained.uri"):
        assert f"{field}: must begin with s3://{BUCKET}/{red.namespace}/" in refused["message"]


@pytest.mark.parametrize(
    "task",
    [
        pytest.param({"serviceAccountName": "trimtab-operator"}, id="an account"),
        pytest.param(
            {"data": [{"name": "d", "pvc": {"claim": "blue/notes"}}]}, id="a claim of another namespace"
        ),
        pytest.param({"code": {"configMap": "blue/notes"}}, id="a ConfigMap of another namespace"),
        pytest.param({"data": [{"name": "d", "uri": f"pvc://packages/../{SECRET}"}]}, id="a step upwards"),
        pytest.param({"code": {"hostPath": NOTES}}, id="a folder of the node"),
    ],
)
def test_manifest_has_no_words_for(red: Team, task: Document) -> None:
    spec = {"task": {"entrypoint": "hostile:objective", **task}}

    with pytest.raises(KubectlError, match=r"spec\.task|unknown field"):
        red.kubectl(
            "apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(optimization_job("words", spec))
        )


def test_team_may_not_make_a_pod_that_is_privileged_or_mounts_the_node(red: Team) -> None:
    pod = attacker(red.namespace, {})
    pod["metadata"]["name"] = "privileged"
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    pod["spec"]["volumes"] = [{"name": "node", "hostPath": {"path": "/"}}]

    with pytest.raises(RefusedError, match="violates PodSecurity"):
        red.server.create(pod)
