"""Objects without what no decision is made by: ten thousand of them have to fit into memory. Pure.

Whoever may write a ConfigMap may label it as a job's, so that of those only what is ours is kept.
"""

from typing import Any

from trimtab_api.control import CONTROL_KEY, PLAN_KEY, PROFILE_KEY, REPORT_KEY
from trimtab_operator import names
from trimtab_operator.kinds import CONFIG_MAP, POD, RAY_JOB, Kind
from trimtab_operator.manifests import at, items_at, mapping_at, text_at, whole_at
from trimtab_operator.reading import OVERSIZED, is_oversized
from trimtab_operator.world import Manifest

_OWN = "trimtab.io/"
_POD_STATUS = ("phase", "reason", "message", "conditions", "initContainerStatuses", "containerStatuses")
_PLAN = (PLAN_KEY, PROFILE_KEY, CONTROL_KEY)
_REPORT = (REPORT_KEY, "attempt", "segment")


def slim(kind: Kind, manifest: Manifest) -> dict[str, Any]:
    """Return an object without its bookkeeping; of RayJobs and pods only what tells how far they are."""
    kept = dict(manifest) | {"apiVersion": kind.api_version, "kind": kind.name}
    metadata = mapping_at(manifest, "metadata")
    annotations = mapping_at(metadata, "annotations")
    kept["metadata"] = {
        key: value for key, value in metadata.items() if key not in ("managedFields", "annotations")
    }
    if own := {key: value for key, value in annotations.items() if key.startswith(_OWN)}:
        kept["metadata"]["annotations"] = own
    if kind is POD:
        status = mapping_at(manifest, "status")
        kept["status"] = {key: status[key] for key in _POD_STATUS if key in status}
        kept["spec"] = {"nodeName": text_at(manifest, "spec", "nodeName")}
    elif kind is RAY_JOB:
        kept["spec"] = _ray_job_spec(manifest)
        kept["status"] = _ray_job_status(manifest)
    elif kind is CONFIG_MAP:
        return _config_map(kept)
    return kept


def _config_map(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a ConfigMap with its data if it is a plan or a report, and nobody else's labels."""
    metadata, data = manifest["metadata"], mapping_at(manifest, "data")
    job, name = text_at(metadata, "labels", names.JOB), text_at(metadata, "name")
    labels = {key: value for key, value in mapping_at(metadata, "labels").items() if key.startswith(_OWN)}
    kept = {key: value for key, value in manifest.items() if key not in ("data", "binaryData")}
    kept["metadata"] = metadata | {"labels": labels}
    if name == names.report_name(job) and is_oversized(data):
        kept["metadata"]["annotations"] = {OVERSIZED: "true"}
    elif keys := {names.plan_name(job): _PLAN, names.report_name(job): _REPORT}.get(name):
        kept["data"] = {key: data[key] for key in keys if key in data}
    return kept


def _ray_job_spec(manifest: Manifest) -> dict[str, Any]:
    groups = items_at(manifest, "spec", "rayClusterSpec", "workerGroupSpecs")
    sizes = [
        {"groupName": text_at(each, "groupName"), "replicas": whole_at(each, "replicas")} for each in groups
    ]
    return {"suspend": at(manifest, "spec", "suspend") is True, "rayClusterSpec": {"workerGroupSpecs": sizes}}


def _ray_job_status(manifest: Manifest) -> dict[str, Any]:
    status = dict(mapping_at(manifest, "status"))
    if cluster := status.pop("rayClusterStatus", None):
        ready = text_at(cluster, "stateTransitionTimes", "ready")
        times = {"stateTransitionTimes": {"ready": ready}} if ready else {}
        status["rayClusterStatus"] = {"state": text_at(cluster, "state"), **times}
    return status
