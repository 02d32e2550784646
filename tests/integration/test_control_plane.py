"""The operator tests' control plane: real servers, and stand-ins for what needs machines or Ray."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.control_plane import EVERYTHING
from tests.support import pod_states
from tests.support.cluster import ApiServer, run_control_plane
from tests.support.nodes import Node
from tests.support.pod_states import PodState
from tests.support.rays import JobStatus, Rays, SubmittedJob

Document = dict[str, Any]


def pod_template(name: str) -> Document:
    amounts = {"cpu": "1", "memory": "1Gi"}
    container = {"name": name, "image": "ray:2.60.0", "resources": {"requests": amounts, "limits": amounts}}
    return {"spec": {"containers": [container]}}


def ray_job(name: str, namespace: str) -> Document:
    """One attempt with a head and two workers, whose token KubeRay makes."""
    workers = {"groupName": "search", "replicas": 2, "minReplicas": 2, "maxReplicas": 2, "rayStartParams": {}}
    cluster = {
        "rayVersion": "2.60.0",
        "authOptions": {"mode": "token"},
        "headGroupSpec": {"rayStartParams": {"num-cpus": "0"}, "template": pod_template("ray-head")},
        "workerGroupSpecs": [workers | {"template": pod_template("ray-worker")}],
    }
    spec = {
        "entrypoint": "python -m trimtab_jobs",
        "submissionMode": "K8sJobMode",
        "backoffLimit": 0,
        "submitterConfig": {"backoffLimit": 0},
        "shutdownAfterJobFinishes": True,
        "ttlSecondsAfterFinished": 0,
        "rayClusterSpec": cluster,
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata, "spec": spec}


def pod(name: str, namespace: str, **spec: Any) -> Document:
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": pod_template("main")["spec"] | spec,
    }


def create_pod(server: ApiServer, name: str, **spec: Any) -> Document:
    """A stored pod, in a namespace whose pods the controllers let in by now."""
    account = {"name": "default", "namespace": "pods"}
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pods"}})
    account_document = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}
    server.wait_until("pods are let in", lambda: server.find(account_document) is not None)
    return server.create(pod(name, "pods", **spec))


def wait_for(server: ApiServer, job: Document, **expected: str) -> None:
    """Return once these fields of a RayJob's status are so."""

    def is_so() -> bool:
        status = server.get(job).get("status", {})
        return all(status.get(name) == value for name, value in expected.items())

    server.wait_until(f"{job['metadata']['name']} shows {expected}", is_so)


@pytest.mark.parametrize(
    ("end", "deployment"),
    [
        pytest.param("SUCCEEDED", "Complete", id="succeeded"),
        pytest.param("FAILED", "Failed", id="failed"),
        pytest.param("STOPPED", "Complete", id="stopped"),
    ],
)
def test_ray_job_ends_as_its_dashboard_says(
    control_plane: ApiServer, rays: Rays, end: JobStatus, deployment: str
) -> None:
    job = control_plane.create(ray_job(f"ends-{end.lower()}", "ends"))

    submitted = rays.wait_for("ends", job["metadata"]["name"])
    wait_for(control_plane, job, jobStatus="RUNNING", jobDeploymentStatus="Running")
    submitted.end(end)

    wait_for(control_plane, job, jobStatus=end, jobDeploymentStatus=deployment)


def test_ray_job_whose_submitter_is_lost_fails_while_its_job_seems_to_run(
    control_plane: ApiServer, rays: Rays
) -> None:
    job = control_plane.create(ray_job("lost", "lost-submitter"))
    submitted = rays.wait_for("lost-submitter", "lost")
    wait_for(control_plane, job, jobStatus="RUNNING")

    submitted.lose_submitter()

    wait_for(control_plane, job, jobStatus="RUNNING", jobDeploymentStatus="Failed", reason="SubmissionFailed")


def test_unreachable_dashboard_is_taken_for_a_failure_until_it_answers(
    control_plane: ApiServer, rays: Rays
) -> None:
    rays.unreachable["noise"] = "Failure"
    job = control_plane.create(ray_job("noisy", "noise"))
    rays.wait_for("noise", "noisy")
    wait_for(control_plane, job, jobStatus="Failure", jobDeploymentStatus="Running")

    del rays.unreachable["noise"]

    wait_for(control_plane, job, jobStatus="RUNNING", jobDeploymentStatus="Running")


@pytest.mark.parametrize(
    ("code", "status"), [pytest.param(0, "SUCCEEDED", id="zero"), pytest.param(3, "FAILED", id="other")]
)
def test_entrypoint_of_a_test_decides_by_its_exit_code(
    control_plane: ApiServer, rays: Rays, code: int, status: str
) -> None:
    ran: list[str] = []

    def entrypoint(job: SubmittedJob) -> int:
        ran.append(job.name)
        return code

    rays.run(f"exits-{code}", entrypoint)
    job = control_plane.create(ray_job("ran", f"exits-{code}"))

    wait_for(control_plane, job, jobStatus=status)
    assert ran == ["ran"]


def test_deleted_ray_job_takes_everything_with_it(control_plane: ApiServer, rays: Rays) -> None:
    job = control_plane.create(ray_job("deleted", "deleted"))
    submitted = rays.wait_for("deleted", "deleted")
    wait_for(control_plane, job, jobStatus="RUNNING")

    control_plane.delete(job)

    kinds = [("v1", "Pod"), ("v1", "Service"), ("batch/v1", "Job"), ("ray.io/v1", "RayCluster")]
    control_plane.wait_until(
        "all is gone", lambda: not any(control_plane.items(*kind, "deleted") for kind in kinds)
    )
    assert submitted.status == "STOPPED"


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        pytest.param(pod_states.running, "Running", id="running"),
        pytest.param(pod_states.unready, "Running", id="unready"),
        pytest.param(pod_states.image_pull_fails, "Pending", id="image-pull-fails"),
        pytest.param(pod_states.configuration_fails, "Pending", id="configuration-fails"),
        pytest.param(pod_states.init_fails, "Pending", id="init-fails"),
        pytest.param(pod_states.out_of_memory, "Running", id="out-of-memory"),
        pytest.param(pod_states.evicted, "Failed", id="evicted"),
    ],
)
def test_pod_is_reported_in_the_state_that_a_test_wants(
    control_plane: ApiServer, node: Node, state: PodState, phase: str
) -> None:
    name = state.__name__.replace("_", "-")
    node.let(state, namespace="pods", name=name)
    created = create_pod(control_plane, name, initContainers=[{"name": "fetch", "image": "trimtab:1"}])
    wanted = {part: value for part, value in state(created).items() if value is not None}

    control_plane.wait_until(
        f"the pod is {name}", lambda: wanted.items() <= control_plane.get(created)["status"].items()
    )
    assert wanted["phase"] == phase


def test_state_that_was_reported_is_not_reported_again(control_plane: ApiServer, node: Node) -> None:
    steady = create_pod(control_plane, "steady")
    control_plane.wait_until("it runs", lambda: control_plane.get(steady)["status"]["phase"] == "Running")
    before = control_plane.get(steady)

    node.let(pod_states.failed, namespace="pods", name="last")
    last = create_pod(control_plane, "last")  # is looked at after the first one was again
    control_plane.wait_until("it failed", lambda: control_plane.get(last)["status"]["phase"] == "Failed")

    assert control_plane.get(steady) == before


def test_pod_that_no_node_suits_is_unschedulable_by_the_schedulers_word(
    control_plane: ApiServer, node: Node
) -> None:
    created = create_pod(control_plane, "homeless", nodeSelector={"pool": "gpu"})

    def reasons() -> list[str]:
        return [each.get("reason") for each in control_plane.get(created)["status"].get("conditions", [])]

    control_plane.wait_until("the scheduler says so", lambda: reasons() == ["Unschedulable"])


def test_further_node_takes_the_pods_that_only_it_suits(control_plane: ApiServer, node: Node) -> None:
    created = create_pod(control_plane, "waiting", nodeSelector={"pool": "arm"})

    with Node(control_plane, "arm-1", labels={"pool": "arm"}):
        control_plane.wait_until(
            "it runs", lambda: control_plane.get(created)["status"]["phase"] == "Running"
        )

    assert control_plane.get(created)["spec"]["nodeName"] == "arm-1"


def test_node_that_was_taken_for_lost_is_back(control_plane: ApiServer) -> None:
    def ready() -> str:
        conditions = control_plane.get(document)["status"]["conditions"]
        return next(str(each["status"]) for each in conditions if each["type"] == "Ready")

    document = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "lost-1"}}
    with Node(control_plane, "lost-1"):
        control_plane.patch_status(document, {"conditions": [{"type": "Ready", "status": "Unknown"}]})
        assert ready() == "Unknown"

        control_plane.wait_until("it is ready", lambda: ready() == "True")


@pytest.fixture(scope="module")
def fallible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A control plane whose servers these tests may kill, as long as they start them again."""
    yield from run_control_plane(tmp_path_factory.mktemp("fallible"), EVERYTHING)


@pytest.mark.parametrize("name", ["kube-apiserver", "etcd", "kuberay-operator", "kube-controller-manager"])
def test_ray_job_survives_a_server_that_is_away_for_a_while(fallible: ApiServer, name: str) -> None:
    with Node(fallible, f"{name}-1") as node, Rays(fallible, node) as rays:
        job = fallible.create(ray_job(f"without-{name}", "away"))
        submitted = rays.wait_for("away", job["metadata"]["name"])

        fallible.plane.kill_server(name)
        submitted.end("SUCCEEDED")
        fallible.plane.start_server(name)

        wait_for(fallible, job, jobStatus="SUCCEEDED", jobDeploymentStatus="Complete")
