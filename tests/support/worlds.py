"""The world around one job as plain values: the operator's decisions performed on it, KubeRay and the driver.

world = applied(job())              a job that the API server has just taken
world = tick(world)                 reconcile, and what it decides is done
world = ray_job(world, READY)       KubeRay says so of the RayJob that runs
world = reported(world, phase="Searching")
"""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trimtab_api.manifest import parse_job
from trimtab_api.status import JobStatus
from trimtab_operator.reconcile import reconcile
from trimtab_operator.resources import Defaults
from trimtab_operator.world import Apply, Create, Decision, Delete, Emit, Manifest, Observed

Document = dict[str, Any]
START = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
UID = "6f1b2c3d-0000-4000-8000-00000000abcd"
DEFAULTS = Defaults(worker_image="registry.example.org/trimtab:0.1.0")
PROFILE: Document = {
    "apiVersion": "trimtab.io/v1alpha1",
    "kind": "OptimizationProfile",
    "metadata": {
        "name": "cpu-small",
        "uid": "p",
        "creationTimestamp": "2026-11-01T00:00:00Z",
        "annotations": {"trimtab.io/is-default-profile": "true"},
    },
    "spec": {
        "pools": [
            {"name": "cpu", "resources": {"cpu": "4", "memory": "16Gi"}, "hourlyPrice": 0.2, "watts": 100},
            {
                "name": "gpu",
                "resources": {"cpu": "8", "memory": "64Gi", "gpu": 1},
                "hourlyPrice": 3.0,
                "watts": 500,
            },
        ],
        "store": {"uri": "s3://models"},
        "carbon": {"intensity": 400, "pue": 1.5},
    },
}
SPEC: Document = {
    "task": {"entrypoint": "digits:Digits", "code": {"configMap": "digits-code"}},
    "objectives": [{"metric": "accuracy", "direction": "maximize"}],
    "search": {"trials": 40, "parameters": [{"name": "lr", "float": {"low": 0.001, "high": 0.1}}]},
    "compress": {"quantize": ["int8"]},
    "guardrail": [{"metric": "accuracy", "maxDrop": 0.02}],
}
TWO_SEGMENTS: Document = {
    "resources": {"search": {"pool": "gpu", "perTrial": {"gpu": 1}}, "compress": {"pool": "cpu"}},
}
"""A spec whose search needs GPUs and whose compression does not: search, then export and all after it."""
INITIALIZING = {"jobDeploymentStatus": "Initializing"}
READY = {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}
SUCCEEDED = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
FAILED = {"jobDeploymentStatus": "Failed", "jobStatus": "FAILED", "reason": "AppFailed"}


def job(**spec: Any) -> Document:
    """A job as the API server gives it, its defaults filled in, with these fields of spec."""
    metadata = {"name": "digits", "namespace": "vision", "uid": UID, "generation": 1, "resourceVersion": "1"}
    kind = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationJob"}
    return {
        **kind,
        "metadata": metadata,
        "spec": {key: value for key, value in {**SPEC, **spec}.items() if value is not None},
        "status": {"observedGeneration": -1},
    }


def applied(document: Manifest, **world: Any) -> Observed:
    """The world when a job has just been applied."""
    parse_job(document)  # else the API server would not have taken it
    return Observed(now=START, job=document, profiles=(PROFILE,), **world)


def tick(world: Observed) -> Observed:
    """The world after one reconciliation."""
    return performed(world, reconcile(world, DEFAULTS))


def performed(world: Observed, decision: Decision) -> Observed:
    """The world after what was decided was done, and the status written."""
    for action in decision.actions:
        if not isinstance(action, Emit):
            world = _done(world, action)
    written = {**world.job, "status": as_stored(decision.status)}
    return replace(world, job=written)


def as_stored(value: Any) -> Any:
    """A value as it comes back from the API server: through JSON."""
    return json.loads(json.dumps(value))


def _done(world: Observed, action: Apply | Create | Delete) -> Observed:
    manifest = as_stored(action.manifest)
    name, kind = manifest["metadata"]["name"], manifest["kind"]
    slots = {"digits-plan": "plan", "digits-report": "report"}
    if kind == "RayJob":
        others = tuple(each for each in world.ray_jobs if each["metadata"]["name"] != name)
        if isinstance(action, Delete):
            return replace(world, ray_jobs=others)
        return world if len(others) < len(world.ray_jobs) else replace(world, ray_jobs=(*others, manifest))
    if kind != "ConfigMap":
        return world
    slot = slots[name]
    if isinstance(action, Delete):
        return replace(world, **{slot: None})
    before = getattr(world, slot)
    if before and "data" not in manifest:
        return world
    return replace(world, **{slot: manifest})


def later(world: Observed, seconds: float) -> Observed:
    """The same world after some time."""
    return replace(world, now=world.now + timedelta(seconds=seconds))


def edited(world: Observed, **spec: Any) -> Observed:
    """The world after the user has edited fields of spec; None removes one."""
    changed = {key: value for key, value in {**world.job["spec"], **spec}.items() if value is not None}
    metadata = {**world.job["metadata"], "generation": world.job["metadata"]["generation"] + 1}
    return replace(world, job={**world.job, "metadata": metadata, "spec": changed})


def ray_job(world: Observed, status: Document, **fields: Any) -> Observed:
    """The world after KubeRay has set the status of the newest RayJob, or somebody other fields of it."""
    *others, last = world.ray_jobs
    changed = copy.deepcopy(dict(last))
    changed["status"] = status
    for path, value in fields.items():
        changed[path] = {**changed.get(path, {}), **value}
    return replace(world, ray_jobs=(*others, changed))


def pod(world: Observed, status: Document, **labels: str) -> Document:
    """The head's pod of the newest RayJob, with this status, and with other values of some of its labels."""
    of_run = world.ray_jobs[-1]["metadata"]["labels"]
    changed = {f"trimtab.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    return {"metadata": {"name": "digits-head", "labels": {**of_run, **changed}}, "status": status}


def without_ray_jobs(world: Observed) -> Observed:
    """The world after somebody has deleted every RayJob."""
    return replace(world, ray_jobs=())


def reported(
    world: Observed, *, attempt: int | None = None, segment: str | None = None, **report: Any
) -> Observed:
    """The world after the driver of the newest RayJob has written a report with these fields."""
    labels = world.ray_jobs[-1]["metadata"]["labels"]
    content = {"schemaVersion": 1, "name": "digits", **report}
    data = {
        "report.json": json.dumps(content),
        "attempt": labels["trimtab.io/attempt"] if attempt is None else str(attempt),
        "segment": segment or labels["trimtab.io/segment"],
    }
    return replace(world, report={**(world.report or {}), "data": data})


def ended(status: str, reason: str, message: str = "told by the driver") -> list[Document]:
    """The conditions of a report that tells how the run ended."""
    return [{"type": "Succeeded", "status": status, "reason": reason, "message": message}]


def searching(spec: Document | None = None) -> Observed:
    """The world of a job whose search is under way, since a minute."""
    world = tick(applied(job(**(spec or {}))))
    world = tick(ray_job(later(world, 20), READY))
    return tick(reported(later(world, 60), phase="Searching", stage="search"))


def succeeded(world: Observed, reason: str = "Completed") -> Observed:
    """The world after the driver of the newest RayJob has published, and its RayJob ended."""
    world = reported(world, phase="Succeeded", conditions=ended("True", reason))
    return tick(ray_job(world, SUCCEEDED))


def failed(world: Observed, reason: str) -> Observed:
    """The world after the driver of the newest RayJob has given up, and its RayJob ended."""
    world = reported(world, phase="Failed", conditions=ended("False", reason))
    return tick(ray_job(world, SUCCEEDED))


def lost(world: Observed) -> Observed:
    """The world after the newest RayJob has failed without a word of its driver, and is gone."""
    return tick(tick(ray_job(world, FAILED)))


def status_of(world: Observed) -> JobStatus:
    """The status of the world's job."""
    return JobStatus.model_validate(world.job["status"])


def conditions(world: Observed) -> dict[str, str]:
    """The conditions of the world's job: status/reason, by type."""
    found = status_of(world).conditions
    return {each.type: f"{each.status}/{each.reason}" for each in found}


def message(world: Observed, kind: str) -> str:
    """The message of a condition of the world's job."""
    return next(each.message for each in status_of(world).conditions if each.type == kind)


def ray_jobs(world: Observed) -> list[str]:
    """The world's RayJobs, as segment-attempt."""
    labels = [each["metadata"]["labels"] for each in world.ray_jobs]
    return [f"{each['trimtab.io/segment']}-{each['trimtab.io/attempt']}" for each in labels]
