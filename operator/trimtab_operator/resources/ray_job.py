"""RayJob: one segment of a plan on a Ray cluster of its own. It is created once and never changed."""

import json
from typing import Any

from trimtab_api.running import QueueSpec
from trimtab_operator.resources.groups import Pods, pods_of
from trimtab_operator.resources.metadata import child_metadata
from trimtab_operator.resources.pods import (
    build_head_template,
    build_submitter_template,
    build_worker_template,
)
from trimtab_operator.resources.start import Start

_OBJECT_STORE = str(128 * 2**20)
"""Bytes for results between works, which are small; Ray's default would be a third of a pod's memory."""
_SUBMITTERS = 2
"""How often a lost submitter is made again: it then only follows the job, which has gone on without it."""


def build_ray_job(start: Start) -> dict[str, Any]:
    """Return the RayJob: one attempt only, of which nothing is left but the RayJob itself.

    Attempts are the operator's alone. Kueue owns `suspend` and the node selectors of what it admits.
    """
    labels = {**start.labels, **_queue_labels(start.plan.spec.queue)}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": child_metadata(start.owner, start.ray_job, labels),
        "spec": {
            "submissionMode": "K8sJobMode",
            "entrypoint": "python -m trimtab_jobs",
            "backoffLimit": 0,
            "submitterConfig": {"backoffLimit": _SUBMITTERS},
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": 0,
            "submitterPodTemplate": build_submitter_template(start),
            "rayClusterSpec": {
                "rayVersion": start.defaults.ray_version,
                "enableInTreeAutoscaling": False,
                "authOptions": {"mode": "token"},
                "headGroupSpec": {
                    "rayStartParams": {"num-cpus": "0", "object-store-memory": _OBJECT_STORE},
                    "template": build_head_template(start),
                },
                "workerGroupSpecs": [
                    _worker_group(start, pods) for pods in pods_of(start.shape, start.profile, start.defaults)
                ],
            },
        },
    }


def _worker_group(start: Start, pods: Pods) -> dict[str, Any]:
    """Return a group of fixed size; the driver finds it by a resource that only its pods have."""
    gpus = {"num-gpus": str(pods.gpus)} if pods.gpus else {}
    slots = json.dumps({f"group-{pods.group.name}": pods.slots})
    return {
        "groupName": pods.group.name,
        "replicas": pods.replicas,
        "minReplicas": pods.replicas,
        "maxReplicas": pods.replicas,
        "rayStartParams": {
            **gpus,
            "object-store-memory": _OBJECT_STORE,
            "resources": f"'{slots}'",  # quoted for the shell in which KubeRay starts Ray
        },
        "template": build_worker_template(start, pods),
    }


def _queue_labels(queue: QueueSpec | None) -> dict[str, str]:
    if queue is None:
        return {}
    priority = {"kueue.x-k8s.io/priority-class": queue.priority} if queue.priority else {}
    return {"kueue.x-k8s.io/queue-name": queue.name, **priority}
