"""The operator tests' control plane: its servers work together, and each can be missed for a while."""

from typing import Any

import pytest

from tests.support.cluster import ApiServer
from tests.support.rays import Rays

Document = dict[str, Any]


def pod_template(name: str, cpu: str = "1") -> Document:
    resources = {"requests": {"cpu": cpu, "memory": "1Gi"}, "limits": {"cpu": cpu, "memory": "1Gi"}}
    return {"spec": {"containers": [{"name": name, "image": "ray:2.60.0", "resources": resources}]}}


def ray_job(name: str, namespace: str = "rays") -> Document:
    workers = {"groupName": "search", "replicas": 2, "minReplicas": 2, "maxReplicas": 2}
    cluster = {
        "rayVersion": "2.60.0",
        "authOptions": {"mode": "token"},
        "headGroupSpec": {"rayStartParams": {"num-cpus": "0"}, "template": pod_template("ray-head")},
        "workerGroupSpecs": [workers | {"rayStartParams": {}, "template": pod_template("ray-worker")}],
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


def state_of(server: ApiServer, job: Document) -> tuple[str | None, str | None]:
    status = server.get(job).get("status", {})
    return status.get("jobStatus"), status.get("jobDeploymentStatus")


def wait_for_state(server: ApiServer, job: Document, *state: str) -> None:
    server.wait_until(f"{job['metadata']['name']} is {state}", lambda: state_of(server, job) == state)


@pytest.mark.parametrize(
    ("end", "deployment"),
    [pytest.param("SUCCEEDED", "Complete", id="succeeded"), pytest.param("FAILED", "Failed", id="failed")],
)
def test_ray_job_ends_as_its_dashboard_says(
    control_plane: ApiServer, rays: Rays, end: Any, deployment: str
) -> None:
    job = control_plane.create(ray_job(f"ends-{end.lower()}"))

    submitted = rays.wait_for("rays", job["metadata"]["name"])
    wait_for_state(control_plane, job, "RUNNING", "Running")
    submitted.end(end)

    wait_for_state(control_plane, job, end, deployment)
