"""How a run ends, by what KubeRay and the driver say; when its clock runs; how the ledger stays short."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.worlds import (
    FAILED,
    INITIALIZING,
    READY,
    START,
    SUCCEEDED,
    TWO_SEGMENTS,
    Document,
    applied,
    conditions,
    edited,
    ended,
    job,
    later,
    message,
    pod,
    ray_job,
    reported,
    searching,
    status_of,
    tick,
    without_ray_jobs,
)
from trimtab_api.report import Cost
from trimtab_api.status import RunRecord
from trimtab_operator.ledger import LONGEST, kept
from trimtab_operator.world import Observed

DONE: Document = {"phase": "Succeeded", "conditions": ended("True", "Completed")}
SPENT: Document = {"phase": "Succeeded", "conditions": ended("True", "BudgetReached")}
BUSY: Document = {"phase": "Verifying"}


def gave_up(reason: str) -> Document:
    return {"phase": "Failed", "conditions": ended("False", reason)}


STOPPED = {"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"}
UNSUBMITTED = {"jobDeploymentStatus": "Failed", "jobStatus": "", "reason": "SubmissionFailed"}
INVALID = {"jobDeploymentStatus": "ValidationFailed", "message": "name too long"}
ENDINGS: dict[str, tuple[Document, Document | None, str]] = {
    "done": (SUCCEEDED, DONE, "True/Completed"),
    "budget reached": (SUCCEEDED, SPENT, "True/BudgetReached"),
    "success of an unknown kind": (
        SUCCEEDED,
        {"phase": "Succeeded", "conditions": ended("True", "Marvellous")},
        "True/Completed",
    ),
    "success without a condition": (SUCCEEDED, {"phase": "Succeeded"}, "True/Completed"),
    "guardrail not met": (SUCCEEDED, gave_up("GuardrailNotMet"), "False/GuardrailNotMet"),
    "code": (SUCCEEDED, gave_up("Code"), "False/Code"),
    "failed either way": (FAILED, gave_up("Configuration"), "False/Configuration"),
    "stopped after it gave up": (STOPPED, gave_up("NoTrialCompleted"), "False/NoTrialCompleted"),
    "refused by KubeRay": (INVALID, None, "False/Configuration"),
    "refused by KubeRay, whatever the report says": (INVALID, DONE, "False/Configuration"),
    "store lost": (SUCCEEDED, gave_up("Infrastructure"), "Unknown/Stopping"),
    "failure of an unknown kind": (SUCCEEDED, gave_up("Marvellous"), "Unknown/Stopping"),
    "failed without a word": (FAILED, BUSY, "Unknown/Stopping"),
    "failed though it claims success": (FAILED, DONE, "Unknown/Stopping"),
    "stopped by hand": (STOPPED, BUSY, "Unknown/Stopping"),
    "never submitted": (UNSUBMITTED, None, "Unknown/Stopping"),
    "ended in the middle": (SUCCEEDED, BUSY, "Unknown/Stopping"),
    "ended without a report": (SUCCEEDED, None, "Unknown/Stopping"),
}


@pytest.mark.parametrize(("status", "report", "told"), ENDINGS.values(), ids=ENDINGS)
def test_run_ends_as_kuberay_and_driver_agree(status: Document, report: Document | None, told: str) -> None:
    world = tick(ray_job(tick(applied(job())), READY))
    if report is not None:
        world = reported(world, **report)

    assert conditions(tick(ray_job(world, status)))["Succeeded"] == told


GONE: dict[str, tuple[Document, str]] = {
    "done": (DONE, "True/Completed"),
    "budget reached": (SPENT, "True/BudgetReached"),
    "code": (gave_up("Code"), "False/Code"),
    "store lost": (gave_up("Infrastructure"), "Unknown/BackingOff"),
    "in the middle": (BUSY, "Unknown/BackingOff"),
    "another attempt's": ({**DONE, "attempt": 2}, "Unknown/BackingOff"),
    "another segment's": ({**DONE, "segment": "export"}, "Unknown/BackingOff"),
}


@pytest.mark.parametrize("suspend", [False, True], ids=["", "as it is suspended"])
@pytest.mark.parametrize(("report", "told"), GONE.values(), ids=GONE)
def test_run_whose_ray_job_was_tidied_away_ended_as_its_last_report_says(
    report: Document, told: str, suspend: bool
) -> None:
    world = edited(reported(searching(), **report), suspend=suspend)

    found = conditions(tick(without_ray_jobs(world)))["Succeeded"]
    assert found == ("Unknown/Suspended" if suspend and "Unknown" in told else told)


@pytest.mark.parametrize(("phase", "outcome"), [("Succeeded", "Deleted"), ("Failed", "Failed")])
def test_report_in_the_middle_of_the_plan_ends_a_run_that_is_gone_only_as_a_failure(
    phase: str, outcome: str
) -> None:
    world = reported(searching(TWO_SEGMENTS), **(DONE if phase == "Succeeded" else gave_up("Code")))

    assert status_of(tick(without_ray_jobs(world))).runs[0].outcome == outcome


NOT_ENDED = {
    "the dashboard is away": {"jobDeploymentStatus": "Running", "jobStatus": "FAILED"},
    "its pods are still there": {"jobDeploymentStatus": "Running", "jobStatus": "SUCCEEDED"},
    "KubeRay makes it anew": {"jobDeploymentStatus": "Retrying", "jobStatus": "FAILED"},
}


@pytest.mark.parametrize("status", NOT_ENDED.values(), ids=NOT_ENDED)
def test_nothing_ends_before_kuberay_is_done(status: Document) -> None:
    world = tick(ray_job(reported(searching(), **gave_up("Code")), status))

    assert status_of(world).runs[0].outcome == "Running"


def test_lost_run_says_what_kuberay_and_its_pods_say() -> None:
    killed = {"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    world = searching()
    world = replace(world, pods=(pod(world, {"containerStatuses": [killed]}),))

    run = status_of(tick(ray_job(world, {**FAILED, "message": "exit code 1"}))).runs[0]

    assert (run.outcome, run.message) == (
        "Infrastructure",
        f"RayJob {run.name} failed: AppFailed: exit code 1; pod digits-head was out of memory; give the pool"
        " more memory in the profile",
    )


@pytest.mark.parametrize("label", [{"attempt": "7"}, {"segment": "export"}, {"job_uid": "another"}], ids=str)
def test_pods_of_other_runs_say_nothing_of_a_lost_one(label: dict[str, str]) -> None:
    killed = {"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    world = searching()
    world = replace(world, pods=(pod(world, {"containerStatuses": [killed]}, **label),))

    assert "out of memory" not in status_of(tick(ray_job(world, FAILED))).runs[0].message


def test_run_in_the_middle_of_the_plan_needs_a_report_to_have_succeeded() -> None:
    world = tick(ray_job(tick(applied(job(**TWO_SEGMENTS))), READY))

    world = tick(ray_job(world, SUCCEEDED))

    assert status_of(world).runs[0].outcome == "Infrastructure"


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def test_clock_starts_when_the_cluster_is_ready_and_stops_when_the_run_ends() -> None:
    world = tick(later(ray_job(tick(applied(job())), INITIALIZING), 100))
    assert status_of(world).runs[0].start_time is None
    world = tick(ray_job(later(world, 20), READY))
    world = tick(ray_job(later(world, 600), {**FAILED, "endTime": "2026-11-24T08:11:00Z"}))

    run = status_of(world).runs[0]
    assert (run.start_time, run.end_time, run.cost.seconds) == (at(120), at(660), 540.0)


@pytest.mark.parametrize(
    ("end_time", "end"),
    [
        pytest.param(None, 700, id="unknown"),
        pytest.param("2027-01-01T00:00:00Z", 700, id="later than now"),
        pytest.param("2020-01-01T00:00:00Z", 20, id="before its start"),
        pytest.param("soon", 700, id="no time"),
    ],
)
def test_end_lies_between_start_and_now(end_time: str | None, end: float) -> None:
    world = ray_job(
        later(tick(ray_job(later(tick(applied(job())), 20), READY)), 680), {**FAILED, "endTime": end_time}
    )

    assert status_of(tick(world)).runs[0].end_time == at(end)


def test_run_that_nobody_saw_began_when_kuberay_says() -> None:
    status = {**FAILED, "startTime": "2026-11-24T08:01:00Z", "endTime": "2026-11-24T08:03:00Z"}

    run = status_of(tick(ray_job(later(tick(applied(job())), 900), status))).runs[0]

    assert (run.start_time, run.end_time) == (at(60), at(180))


FIRST_SEEN = {
    "when KubeRay says": ("2026-11-24T08:02:00Z", 120),
    "but not before its RayJob": ("2020-01-01T00:00:00Z", 60),
    "but not later than now": ("2027-01-01T00:00:00Z", 18_000),
    "now, where KubeRay does not say": (None, 18_000),
    "now, where that is no time": ("soon", 18_000),
}


@pytest.mark.parametrize(("ready", "start"), FIRST_SEEN.values(), ids=FIRST_SEEN)
def test_clock_of_a_cluster_that_is_found_ready_started(ready: str | None, start: float) -> None:
    cluster = {"state": "ready", "stateTransitionTimes": {"ready": ready}}
    status = {**READY, "startTime": "2026-11-24T08:01:00Z", "rayClusterStatus": cluster}

    world = tick(ray_job(later(tick(applied(job())), 18_000), status))

    assert status_of(world).runs[0].start_time == at(start)


def test_clock_of_a_cluster_that_comes_back_starts_now() -> None:
    cluster = {"state": "ready", "stateTransitionTimes": {"ready": "2026-11-24T08:00:00Z"}}
    world = tick(ray_job(tick(applied(job())), READY))
    world = tick(ray_job(later(world, 100), {"jobDeploymentStatus": "Suspended"}, spec={"suspend": True}))

    world = tick(ray_job(later(world, 500), {**READY, "rayClusterStatus": cluster}, spec={"suspend": False}))

    assert status_of(world).runs[0].start_time == at(600)


def test_clock_stands_still_while_a_queue_has_taken_the_cluster_back() -> None:
    world = tick(ray_job(tick(applied(job())), READY))
    world = tick(ray_job(later(world, 100), {"jobDeploymentStatus": "Suspended"}, spec={"suspend": True}))
    world = tick(later(world, 5_000))
    world = tick(ray_job(world, READY, spec={"suspend": False}))
    world = tick(ray_job(later(world, 50), FAILED))

    assert status_of(world).runs[0].cost.seconds == 150.0


def test_clock_of_a_deleted_run_stops_when_that_is_seen() -> None:
    run = status_of(tick(without_ray_jobs(later(searching(), 40)))).runs[0]

    assert (run.outcome, run.cost.seconds) == ("Deleted", 100.0)


def runs(count: int) -> tuple[RunRecord, ...]:
    return tuple(
        RunRecord(
            name=f"digits-s0-a{number}",
            segment="export" if number % 5 == 0 else "search",
            attempt=number,
            outcome="Infrastructure",
            message=f"lost {number}",
            cost=Cost(seconds=10.0, amount=0.1),
        )
        for number in range(1, count + 1)
    )


def test_ledger_keeps_the_messages_of_the_last_runs() -> None:
    assert [run.message for run in kept(runs(6))] == ["", "", "lost 3", "lost 4", "lost 5", "lost 6"]


def test_ledger_merges_its_oldest_runs_and_loses_no_cost() -> None:
    short = kept(runs(17))

    assert [(run.segment, run.attempt) for run in short[:2]] == [("export", 5), ("search", 9)]
    assert [run.attempt for run in short[2:]] == list(range(10, 18))
    assert sum(run.cost.seconds or 0 for run in short) == 170.0
    assert len(kept(runs(LONGEST))) == LONGEST


@pytest.mark.parametrize("count", [1, 5, 16, 17, 40], ids=str)
def test_ledger_kept_twice_is_kept_once(count: int) -> None:
    assert kept(kept(runs(count))) == kept(runs(count))


def test_last_words_of_a_lost_run_are_in_the_condition() -> None:
    world: Observed = tick(tick(ray_job(searching(), FAILED)))

    name = status_of(world).runs[0].name
    assert message(world, "ClusterReady") == (
        f"attempt 2 begins at 08:01:30 UTC; the last one was lost: RayJob {name} failed: AppFailed"
    )


def test_attempt_that_was_lost_says_what_its_driver_said_last() -> None:
    world = reported(
        searching(), phase="Searching", message="s3://models: the store is full (507); make room"
    )

    (run,) = status_of(tick(ray_job(world, FAILED))).runs
    assert run.message == (
        "RayJob digits-s0-a1-47148c28 failed: s3://models: the store is full (507); make room; AppFailed"
    )


def test_no_trial_runs_between_two_attempts() -> None:
    world = tick(reported(searching(), phase="Searching", trials={"total": 40, "completed": 3, "running": 2}))

    between = tick(tick(ray_job(world, FAILED)))
    assert status_of(world).trials.running == 2
    assert (status_of(between).trials.running, status_of(between).trials.completed) == (0, 3)
