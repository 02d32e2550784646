"""The kstatus rules for a custom resource, in Python: what GitOps tools make of conditions.

The order is that of sigs.k8s.io/cli-utils: a deletion, then the generation, then Reconciling, Stalled, Ready.
"""

from typing import Any, Literal

from trimtab_operator.world import Manifest

Verdict = Literal["Terminating", "InProgress", "Failed", "Current"]


def kstatus(document: Manifest) -> Verdict:
    """What kstatus computes of an object."""
    metadata: dict[str, Any] = document["metadata"]
    status: dict[str, Any] = document.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    for condition in status.get("conditions", ()):
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return "InProgress"
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return "Failed"
    ready = next((each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready"), "True")
    return "Current" if ready == "True" else "InProgress"
