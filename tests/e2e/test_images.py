"""What the worker's image needs of a pod: a /tmp to write to, and no more."""

import shlex
from importlib.metadata import version
from typing import Any

from tests.cluster.images import WORKER
from tests.support.platform import Platform, Team

Document = dict[str, Any]
SCRIPT = """
import getpass, os, ray, trimtab_jobs
from importlib.util import find_spec
ray.init()
found = ray.get(ray.remote(lambda: (os.getuid(), getpass.getuser(), os.access("/", os.W_OK))).remote())
assert found == (1000, "trimtab", False), found
assert find_spec("torch") is None
"""


def test_ray_job_runs_from_the_image_alone_with_a_read_only_root_and_no_rights(platform: Platform) -> None:
    team = platform.team("images")
    job = ray_job(team.namespace)

    team.server.create(job)
    team.wait_until("the RayJob has ended", lambda: status(team, job).get("jobDeploymentStatus") in ENDS)
    ended = status(team, job)
    team.server.delete(job)

    assert ended["jobStatus"] == "SUCCEEDED", ended


ENDS = ("Complete", "Failed")


def status(team: Team, job: Document) -> Document:
    found: Document = team.server.get(job).get("status", {})
    return found


def ray_job(namespace: str) -> Document:
    """A head that works itself, and the pod that tells it to start the script."""
    submitter = pod("ray-job-submitter") | {"restartPolicy": "Never"}
    started = {"num-cpus": "1", "object-store-memory": str(128 * 2**20)}
    head = {"rayStartParams": started, "template": {"spec": pod("ray-head")}}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": "bare", "namespace": namespace},
        "spec": {
            "entrypoint": f"python -c {shlex.quote(SCRIPT)}",
            "submitterPodTemplate": {"spec": submitter},
            "rayClusterSpec": {"rayVersion": version("ray"), "headGroupSpec": head},  # else probes need wget
        },
    }


def pod(name: str) -> Document:
    """A pod that the restricted standard lets in."""
    container = {
        "name": name,
        "image": WORKER,
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
