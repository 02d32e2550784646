"""Jobs as an API server gives them: what spec and status say in a few words."""

from typing import Any

Document = dict[str, Any]


def cluster_job(
    reason: str = "", phase: str = "", *, spec: Document | None = None, **status: Any
) -> Document:
    """The job digits in this phase, with this reason of its standing; no operator has seen it without one."""
    ended = {"Succeeded": "True", "Failed": "False"}.get(phase, "Unknown")
    succeeded = {"type": "Succeeded", "status": ended, "reason": reason, "message": "the condition's words"}
    seen = {"phase": phase, "observedGeneration": 1, "conditions": [succeeded]} if reason else {}
    return {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {
            "name": "digits",
            "namespace": "vision",
            "uid": "uid-1",
            "generation": 1,
            "resourceVersion": "7",
            "creationTimestamp": "2026-11-24T12:00:00Z",
        },
        "spec": {
            "task": {"entrypoint": "digits:Digits"},
            "objectives": [{"metric": "accuracy", "direction": "maximize"}],
            "search": {"trials": 40, "parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]},
            **(spec or {}),
        },
        "status": {"observedGeneration": -1, **seen, **status},
    }
