"""Events: told when something happens, once."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.worlds import (
    DEFAULTS,
    FAILED,
    READY,
    SUCCEEDED,
    Document,
    applied,
    edited,
    ended,
    job,
    ray_job,
    reported,
    searching,
    tick,
    without_ray_jobs,
)
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Emit, Observed


def told(world: Observed) -> list[tuple[str, str, str]]:
    """What is told of a world, and nothing when it is looked at again."""
    decision = reconcile(world, DEFAULTS)
    return [(each.type, each.reason, each.message) for each in decision.actions if isinstance(each, Emit)]


RAY_JOB = "digits-s0-a1-47148c28"
QUOTA: Document = {"involvedObject": {"name": RAY_JOB}, "message": "exceeded quota: small"}
HAPPENINGS: dict[str, tuple[Observed, list[tuple[str, str, str]]]] = {
    "begun": (applied(job()), [("Normal", "Started", f"attempt 1, segment search: RayJob {RAY_JOB}")]),
    "ready": (ray_job(tick(applied(job())), READY), []),
    "searching": (reported(searching(), phase="Compressing"), []),
    "lost": (
        ray_job(searching(), FAILED),
        [("Warning", "AttemptLost", f"attempt 1, segment search: RayJob {RAY_JOB} failed: AppFailed")],
    ),
    "deleted": (
        without_ray_jobs(searching()),
        [("Warning", "AttemptLost", "attempt 1, segment search: its RayJob was deleted")],
    ),
    "over quota": (
        replace(tick(applied(job())), events=(QUOTA,)),
        [
            (
                "Warning",
                "QuotaExceeded",
                "exceeded quota: small; raise the namespace's ResourceQuota, lower spec.search.parallelism,"
                " or wait for other jobs",
            )
        ],
    ),
    "no profile": (
        replace(applied(job(profile="big")), profiles=()),
        [("Warning", "ProfileNotFound", 'spec.profile: there is no such profile, got "big"; there are none')],
    ),
    "done": (
        ray_job(reported(searching(), phase="Succeeded", conditions=ended("True", "Completed")), SUCCEEDED),
        [("Normal", "Completed", "told by the driver")],
    ),
    "failed": (
        ray_job(reported(searching(), phase="Failed", conditions=ended("False", "Code")), SUCCEEDED),
        [("Warning", "Code", "told by the driver")],
    ),
    "suspended": (
        tick(edited(searching(), suspend=True)),
        [("Normal", "Suspended", "set spec.suspend to false to go on from what is recorded")],
    ),
    "edit refused": (
        edited(searching(), guardrail=[]),
        [
            (
                "Warning",
                "EditRefused",
                "the plan stays as it was: spec: a field has changed that cannot be edited; make a new job",
            )
        ],
    ),
}


@pytest.mark.parametrize(("world", "events"), HAPPENINGS.values(), ids=HAPPENINGS)
def test_what_happens_is_told_once(world: Observed, events: Any) -> None:
    assert told(world) == events
    assert told(tick(world)) == []


def test_resumed_job_is_told_with_its_new_run() -> None:
    world = edited(tick(tick(edited(searching(), suspend=True))), suspend=False)

    assert [event[1] for event in told(world)] == ["Started", "Resumed"]
