"""Events about a job, for `kubectl describe`: what changed, once. Pure."""

import hashlib
from datetime import datetime
from typing import Any

from trimtab_operator.world import Emit, Manifest

COMPONENT = "trimtab-operator"
_LONGEST_NAME = 253
_LONGEST_MESSAGE = 1024


def build_event(job: Manifest, event: Emit, now: datetime) -> dict[str, Any]:
    """Return the Event, whose name follows from what it says about which generation of the job.

    So the API server itself refuses to be told twice, also by an operator that was started again.
    """
    metadata = job["metadata"]
    told = f"{metadata['uid']}/{metadata.get('generation', 0)}/{event.type}/{event.reason}/{event.message}"
    ending = f".{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": metadata["name"][: _LONGEST_NAME - len(ending)] + ending,
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": job["apiVersion"],
            "kind": job["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:_LONGEST_MESSAGE],
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
    }
