"""The kstatus program answers for each object it is given, in order."""

from itertools import product
from typing import Any

from tests.support import kstatus_rules
from tests.support.kstatus import kstatus, kstatus_of

VALUES = ("True", "False", "Unknown")


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


def test_rules_that_properties_are_checked_by_are_the_real_ones() -> None:
    documents = [
        job(observedGeneration=observed, conditions=[condition(kind, value) for kind, value in pairs])
        for observed in (1, 2)
        for pairs in product(
            *([(kind, value) for value in VALUES] for kind in ("Ready", "Stalled", "Reconciling"))
        )
    ]

    assert [status for status, _ in kstatus(documents)] == [kstatus_rules.kstatus(each) for each in documents]


def test_object_that_is_being_deleted_is_terminating() -> None:
    deleted = job()
    deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert kstatus_of(deleted) == "Terminating"
