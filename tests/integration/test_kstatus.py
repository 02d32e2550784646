"""The kstatus program answers for each object it is given, in order."""

from typing import Any

from tests.support.kstatus import kstatus, kstatus_of


def job(**status: Any) -> dict[str, Any]:
    metadata = {"name": "digits", "namespace": "vision", "generation": 2}
    kind = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationJob"}
    return {**kind, "metadata": metadata, "status": {"observedGeneration": 2} | status}


def condition(kind: str, status: str, message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": "Because", "message": message}


def test_conditions_are_read_by_the_real_rules() -> None:
    answers = kstatus(
        [
            job(observedGeneration=1),
            job(conditions=[condition("Reconciling", "True", "12 of 40 trials")]),
            job(conditions=[condition("Stalled", "True", "accuracy\nfell")]),
            job(conditions=[condition("Ready", "True")]),
        ]
    )

    assert [status for status, _ in answers] == ["InProgress", "InProgress", "Failed", "Current"]
    assert [message for _, message in answers][1:3] == ["12 of 40 trials", "accuracy fell"]


def test_object_that_is_being_deleted_is_terminating() -> None:
    deleted = job()
    deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert kstatus_of(deleted) == "Terminating"
