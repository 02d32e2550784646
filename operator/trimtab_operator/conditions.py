"""Where a job stands, as conditions: by the kstatus rules for machines, by words for people. Pure.

standing       Ready   Reconciling   Stalled   Succeeded   Suspended     kstatus
progressing    False   True          False     Unknown     False         InProgress
  accepted     True    False         False     Unknown     False         Current, under readyPolicy Accepted
suspended      False   False         False     Unknown     True          InProgress
succeeded      True    False         False     True        False         Current
failed         False   False         True      False       False         Failed
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from trimtab_api.conditions import Condition, ConditionStatus, set_condition
from trimtab_api.report import Phase
from trimtab_operator.texts import cut

WORRYING = (
    "KubeRayNotInstalled",
    "NodeLost",
    "ImagePullFailed",
    "Unschedulable",
    "QuotaExceeded",
    "Forbidden",
    "ContainerNotCreated",
    "Crashing",
)
"""Reasons to wait that a person may have to do something about."""
WAITING = (*WORRYING, "Queued", "Starting", "BackingOff", "Stopping")
NOT_TAKEN = ("Refused", "Invalid", "NameTaken")
"""Reasons, beside Forbidden, for which the API server does not take a child; errors has them too."""
PROGRESSING = ("ProfileNotFound", *WAITING, "Suspending", "Searching", "Compressing", "Verifying")
FAILED = (
    "Code",
    "Configuration",
    "GuardrailNotMet",
    "Infrastructure",
    "Invalid",
    "NoTrialCompleted",
    "PlanLost",
    "Refused",
)
SUCCEEDED = ("Completed", "BudgetReached")
HEALING = ("Refused", "Invalid")
"""Reasons of a failure that is looked at again when the profile, the spec or the operator has changed."""
REASONS = {
    "Ready": ("Accepted", *SUCCEEDED, *PROGRESSING, "Suspended", *FAILED),
    "Reconciling": ("Accepted", *SUCCEEDED, *PROGRESSING, "Suspended", *FAILED),
    "Stalled": (*SUCCEEDED, *PROGRESSING, "Suspended", *FAILED),
    "Succeeded": (*SUCCEEDED, *PROGRESSING, "Suspended", *FAILED),
    "Suspended": ("Suspended", "Suspending", "NotSuspended"),
    "Accepted": ("Admitted", "EditRefused", "ProfileNotFound", "Refused", "Invalid", "PlanLost"),
    "ClusterReady": ("Ready", "NotStarted", *WAITING, *NOT_TAKEN, "Suspended", "Released"),
    "SearchComplete": (
        "Trials",
        "Goal",
        "Exhausted",
        "Duration",
        "FailedTrials",
        "GpuHours",
        "Cost",
        "EnergyKWh",
        "Reported",
    ),
    "GuardrailMet": ("Judged", "Reported"),
    "ArtifactPublished": ("Published", "Reported"),
}
"""Every condition of a job with the reasons it may have."""
REPORTED = ("SearchComplete", "GuardrailMet", "ArtifactPublished")
"""Conditions that are the driver's to tell."""
MESSAGE_BYTES = 960
"""Bytes of the message that says all; others are shorter."""
_SHORT_BYTES = 400


@dataclass(frozen=True, slots=True)
class Says:
    """One condition without its type."""

    status: ConditionStatus
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands."""

    kind: Literal["progressing", "suspended", "succeeded", "failed"]
    phase: Phase
    reason: str
    message: str
    accepted: Says
    cluster: Says
    is_ready_early: bool = False
    """Whether readyPolicy Accepted makes it ready while it runs."""


NOT_STARTED = Says("False", "NotStarted", "")
RELEASED = Says("False", "Released", "the job has ended")


def conditions_of(
    standing: Standing, before: Sequence[Condition], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """Return the conditions of a job that stands so; their times move only where their status does."""
    conditions = tuple(each for each in before if each.type in REASONS)
    for kind, says in _said(standing):
        new = Condition(
            type=kind,
            status=says.status,
            reason=says.reason,
            message=cut(says.message, MESSAGE_BYTES if kind == "Succeeded" else _SHORT_BYTES),
            observed_generation=generation,
        )
        conditions = set_condition(conditions, new, now)
    return tuple(
        each.model_copy(update={"observed_generation": generation}) if each.type in REPORTED else each
        for each in conditions
    )


def _said(standing: Standing) -> Iterator[tuple[str, Says]]:
    kind, reason, message = standing.kind, standing.reason, standing.message
    is_early = kind == "progressing" and standing.is_ready_early
    early = Says("True", "Accepted", "validated and admitted; it runs")
    yield "Ready", early if is_early else Says(_truth(kind == "succeeded"), reason, message)
    yield (
        "Reconciling",
        Says("False", "Accepted")
        if is_early
        else Says(_truth(kind == "progressing"), reason, message if kind == "progressing" else ""),
    )
    yield "Stalled", Says(_truth(kind == "failed"), reason, message if kind == "failed" else "")
    ended: dict[str, ConditionStatus] = {"succeeded": "True", "failed": "False"}
    yield "Succeeded", Says(ended.get(kind, "Unknown"), reason, message)
    is_suspended = kind == "suspended"
    is_suspending = reason == "Suspending"
    word = "Suspended" if is_suspended else "Suspending" if is_suspending else "NotSuspended"
    yield "Suspended", Says(_truth(is_suspended), word, message if is_suspended or is_suspending else "")
    yield "Accepted", standing.accepted
    yield "ClusterReady", standing.cluster


def _truth(holds: bool) -> ConditionStatus:
    return "True" if holds else "False"


def condition_of(conditions: Sequence[Condition], kind: str) -> Condition | None:
    """Return the condition of a type; None when it has not been set."""
    return next((each for each in conditions if each.type == kind), None)


def has_ended(conditions: Sequence[Condition]) -> bool:
    """Whether a job has ended for good: until spec.retry is raised, nothing more is done about it."""
    found = condition_of(conditions, "Succeeded")
    return found is not None and found.status != "Unknown" and found.reason not in HEALING
