"""Attempts, suspension and retries: what runs next, and when."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.worlds import (
    DEFAULTS,
    FAILED,
    INITIALIZING,
    PROFILE,
    READY,
    SPEC,
    START,
    SUCCEEDED,
    TWO_SEGMENTS,
    applied,
    conditions,
    edited,
    ended,
    failed,
    job,
    later,
    lost,
    message,
    pod,
    ray_job,
    ray_jobs,
    reported,
    searching,
    status_of,
    succeeded,
    tick,
    without_ray_jobs,
)
from trimtab_operator.reconcile import AT_ONCE_SECONDS, reconcile
from trimtab_operator.world import Apply, Delete, Observed


def after_pause(world: Observed) -> Observed:
    """The world when the pause after a loss is over."""
    pause = reconcile(world, DEFAULTS).requeue_after_seconds
    assert pause is not None
    return tick(later(world, pause))


def going(world: Observed) -> Observed:
    """The world in which the newest RayJob is being deleted, but not gone yet."""
    return ray_job(world, READY, metadata={"deletionTimestamp": "2026-11-24T08:05:00Z"})


def test_lost_run_is_deleted_before_the_next_attempt_begins() -> None:
    world = ray_job(searching(), FAILED)

    decision = reconcile(world, DEFAULTS)

    assert [action.manifest["kind"] for action in decision.actions if isinstance(action, Delete)] == [
        "RayJob"
    ]
    assert conditions(tick(world))["ClusterReady"] == "False/Stopping"


def test_pauses_grow_and_end_after_five_losses_in_a_row() -> None:
    world, pauses = searching(), []
    for _ in range(4):
        world = lost(world)
        pauses.append(reconcile(world, DEFAULTS).requeue_after_seconds)
        world = after_pause(world)
    world = tick(ray_job(world, FAILED))

    assert pauses == [10.0, 20.0, 40.0, 80.0]
    assert conditions(world)["Succeeded"] == "False/Infrastructure"
    assert message(world, "Succeeded").startswith(
        "5 attempts were lost in a row; the last: RayJob digits-s0-a5"
    )


def test_ray_job_that_somebody_deletes_is_no_ready_cluster_any_more() -> None:
    world = tick(going(searching()))

    assert conditions(world)["ClusterReady"] == "False/Stopping"
    assert (status_of(world).ray_job, status_of(world).runs[0].outcome) == (None, "Running")


def test_nothing_begins_before_the_pause_is_over() -> None:
    world = lost(searching())

    early, late = tick(later(world, 9.9)), tick(later(world, 10.0))

    assert (ray_jobs(early), ray_jobs(late)) == ([], ["search-2"])


def test_pause_is_as_long_though_the_clock_is_set_back() -> None:
    world = lost(searching())
    world = tick(later(world, -5 * 3_600))
    assert reconcile(world, DEFAULTS).requeue_after_seconds == 10.0

    assert ray_jobs(tick(later(world, 10))) == ["search-2"]


def test_losses_are_counted_anew_after_a_segment_succeeded() -> None:
    world = after_pause(lost(searching(TWO_SEGMENTS)))
    world = tick(ray_job(reported(tick(ray_job(world, READY)), phase="Searching"), SUCCEEDED))
    world = lost(world)

    assert reconcile(world, DEFAULTS).requeue_after_seconds == 10.0
    assert message(world, "ClusterReady").startswith("attempt 3 begins")


def test_next_segment_keeps_the_attempt() -> None:
    world = after_pause(lost(searching(TWO_SEGMENTS)))
    world = tick(ray_job(reported(tick(ray_job(world, READY)), phase="Searching"), SUCCEEDED))

    assert ray_jobs(world) == ["search-2", "export-2"]


def test_next_attempt_waits_until_the_ray_job_is_gone() -> None:
    world = going(lost_but_there())

    assert reconcile(later(world, 100), DEFAULTS).actions == ()


def lost_but_there() -> Observed:
    world = ray_job(searching(), FAILED)
    ray_jobs_before = world.ray_jobs
    return replace(tick(world), ray_jobs=ray_jobs_before)


def test_suspension_takes_the_cluster_away_and_is_complete_when_its_pods_are_gone() -> None:
    world = searching()
    world = tick(edited(replace(world, pods=(pod(world, {"phase": "Running"}),)), suspend=True))
    assert (ray_jobs(world), conditions(world)["Suspended"]) == ([], "False/Suspending")

    assert conditions(tick(world))["Suspended"] == "False/Suspending"
    assert conditions(tick(replace(world, pods=())))["Suspended"] == "True/Suspended"


def test_suspension_does_not_wait_for_pods_of_an_earlier_job_of_the_name() -> None:
    world = searching()
    world = replace(world, pods=(pod(world, {"phase": "Running"}, job_uid="another"),))

    assert conditions(tick(tick(edited(world, suspend=True))))["Suspended"] == "True/Suspended"


def test_suspended_run_is_no_loss() -> None:
    world = tick(tick(edited(searching(), suspend=True)))

    world = tick(edited(world, suspend=False))

    assert ray_jobs(world) == ["search-2"]
    assert [run.outcome for run in status_of(world).runs] == ["Suspended", "Running"]


def test_job_resumed_at_once_does_not_wait_as_after_a_loss() -> None:
    world = edited(tick(edited(searching(), suspend=True)), suspend=False)

    assert ray_jobs(tick(world)) == ["search-2"]


def test_run_that_was_taken_away_for_suspension_is_no_loss_even_if_that_was_not_written_down() -> None:
    world = tick(without_ray_jobs(edited(searching(), suspend=True)))

    assert status_of(world).runs[0].outcome == "Suspended"


def test_job_resumed_while_its_ray_job_goes_waits_for_that() -> None:
    before = searching()
    world = tick(edited(before, suspend=True))
    world = going(edited(replace(world, ray_jobs=before.ray_jobs), suspend=False))

    assert conditions(tick(world))["ClusterReady"] == "False/Stopping"
    assert ray_jobs(tick(without_ray_jobs(world))) == ["search-2"]


def test_job_resumes_in_the_segment_in_which_it_was() -> None:
    world = tick(ray_job(searching(TWO_SEGMENTS), SUCCEEDED))
    world = tick(tick(edited(world, suspend=True)))

    assert ray_jobs(tick(edited(world, suspend=False))) == ["search-1", "export-2"]


def test_job_suspended_from_the_start_is_admitted_and_waits() -> None:
    world = tick(applied(job(suspend=True)))

    assert (ray_jobs(world), conditions(world)["Accepted"]) == ([], "True/Admitted")
    assert conditions(world)["Suspended"] == "True/Suspended"


def test_job_that_never_ran_has_its_plan_pinned_and_nothing_else() -> None:
    def applies(world: Observed) -> list[str]:
        actions = reconcile(world, DEFAULTS).actions
        return [each.manifest["metadata"]["name"] for each in actions if isinstance(each, Apply)]

    world = applied(job(suspend=True))

    assert applies(world) == ["digits-plan"]
    assert applies(tick(world)) == []
    assert len(applies(edited(tick(world), suspend=False))) == 6


@pytest.mark.parametrize(("age", "seconds"), [(0, 30), (60, 30), (240, 60), (3600, 900)])
def test_cluster_in_the_making_is_looked_at_less_often_the_older_it_is(age: int, seconds: int) -> None:
    world = tick(applied(job()))
    created = {**world.ray_jobs[0]["metadata"], "creationTimestamp": START.isoformat()}
    world = later(ray_job(world, INITIALIZING, metadata=created), age)

    assert reconcile(world, DEFAULTS).requeue_after_seconds == seconds


def test_run_that_ended_before_it_could_be_suspended_counts() -> None:
    world = reported(searching(), phase="Succeeded", conditions=ended("True", "Completed"))

    world = tick(edited(ray_job(world, SUCCEEDED), suspend=True))

    assert conditions(world)["Succeeded"] == "True/Completed"


def test_suspending_what_has_ended_changes_nothing() -> None:
    world = succeeded(searching())

    assert conditions(tick(edited(world, suspend=True))) == conditions(world)


ENDS = {
    "succeeded within its budget": succeeded(searching(), "BudgetReached"),
    "failed": failed(searching(), "Code"),
    "refused by the guardrail": failed(searching(), "GuardrailNotMet"),
}


@pytest.mark.parametrize("world", ENDS.values(), ids=ENDS)
def test_raised_retry_opens_an_ended_job_again(world: Observed) -> None:
    again = tick(tick(edited(world, retry=1)))

    assert (ray_jobs(again), status_of(again).attempt) == (["search-2"], 2)
    assert conditions(again)["Succeeded"] == "Unknown/Starting"
    assert not conditions(again).keys() & {"SearchComplete", "GuardrailMet", "ArtifactPublished"}


def test_report_of_the_attempt_that_ended_says_nothing_about_the_next() -> None:
    told = [
        *ended("False", "GuardrailNotMet"),
        {"type": "GuardrailMet", "status": "False", "reason": "Judged"},
    ]
    world = tick(ray_job(reported(searching(), phase="Failed", conditions=told), SUCCEEDED))
    assert conditions(world)["GuardrailMet"] == "False/Judged"

    assert "GuardrailMet" not in conditions(tick(tick(edited(world, retry=1))))


@pytest.mark.parametrize("retry", [0, 1], ids=["lowered", "as it was"])
def test_retry_that_was_acted_on_does_not_open_it_again(retry: int) -> None:
    world = failed(searching({"retry": 1}), "Code")

    assert conditions(tick(edited(world, retry=retry)))["Succeeded"] == "False/Code"


RAISED_IN_TIME: dict[str, Any] = {
    "while it ran": lambda world: failed(tick(edited(world, retry=1)), "Code"),
    "just before its end was seen": lambda world: failed(edited(world, retry=1), "Code"),
    "as its plan was lost": lambda world: tick(edited(replace(world, plan=None, profiles=()), retry=1)),
}


@pytest.mark.parametrize("change", RAISED_IN_TIME.values(), ids=RAISED_IN_TIME)
def test_retry_that_was_raised_before_the_end_counts_after_it(change: Any) -> None:
    world = replace(change(searching()), profiles=(PROFILE,))
    assert (conditions(world)["Stalled"][:4], status_of(world).retry) == ("True", 0)

    assert ray_jobs(tick(tick(world))) == ["search-2"]


def test_retry_that_was_raised_before_the_end_is_acted_on_at_once() -> None:
    world = edited(ray_job(reported(searching(), **GAVE_UP), SUCCEEDED), retry=1)

    assert reconcile(world, DEFAULTS).requeue_after_seconds == AT_ONCE_SECONDS


GAVE_UP: Any = {"phase": "Failed", "conditions": ended("False", "Code")}


def test_job_that_has_succeeded_does_not_run_again_and_says_so() -> None:
    world = succeeded(searching())

    again = tick(edited(world, retry=1))

    assert (ray_jobs(tick(again)), conditions(again)["Succeeded"]) == (["search-1"], "True/Completed")
    assert conditions(again)["Accepted"] == "True/EditRefused"
    assert message(again, "Accepted") == "spec.retry: the job has succeeded; make a new job to run it again"
    assert conditions(tick(edited(again, retry=0))) == conditions(world)


def test_retry_after_lost_workers_goes_on_in_the_segment_in_which_they_were_lost() -> None:
    world = tick(ray_job(searching(TWO_SEGMENTS), SUCCEEDED))
    for _ in range(4):
        world = after_pause(lost(world))
    world = tick(ray_job(world, FAILED))
    assert conditions(world)["Succeeded"] == "False/Infrastructure"

    world = tick(tick(edited(world, retry=1)))

    assert ray_jobs(world) == ["search-1", "export-6"]


def test_retry_gives_five_more_losses() -> None:
    world = searching()
    for _ in range(4):
        world = after_pause(lost(world))
    world = tick(edited(tick(ray_job(world, FAILED)), retry=1))

    assert reconcile(lost(tick(world)), DEFAULTS).requeue_after_seconds == 10.0


def test_retry_after_another_end_begins_at_the_start() -> None:
    world = tick(ray_job(searching(TWO_SEGMENTS), SUCCEEDED))
    world = failed(tick(ray_job(world, READY)), "GuardrailNotMet")

    world = tick(tick(edited(world, retry=1, search={**SPEC["search"], "trials": 80})))

    assert ray_jobs(world) == ["export-1", "search-2"]


def test_retry_waits_for_a_profile_without_losing_its_attempt() -> None:
    world = tick(edited(replace(failed(searching(), "Code"), profiles=()), retry=1))
    assert conditions(world)["Succeeded"] == "Unknown/ProfileNotFound"

    world = tick(tick(replace(world, profiles=(PROFILE,))))

    assert ray_jobs(world) == ["search-2"]


STRAYS: dict[str, Any] = {
    "of an earlier attempt": "1",
    "of no attempt": "many",
}


def test_ray_job_that_somebody_else_owns_is_left_alone_whatever_its_labels_say() -> None:
    world = searching()
    metadata = {**world.ray_jobs[0]["metadata"], "name": "theirs", "ownerReferences": []}
    theirs = {**world.ray_jobs[0], "metadata": metadata}

    assert reconcile(replace(world, ray_jobs=(theirs, *world.ray_jobs)), DEFAULTS).actions == ()


def test_ray_job_that_lost_its_label_is_still_the_jobs() -> None:
    world = searching()
    labels = {**world.ray_jobs[0]["metadata"]["labels"], "trimtab.io/job-uid": "none"}

    world = tick(ray_job(world, READY, metadata={"labels": labels}))

    assert (status_of(world).runs[0].outcome, conditions(world)["ClusterReady"]) == ("Running", "True/Ready")


@pytest.mark.parametrize("attempt", STRAYS.values(), ids=STRAYS)
def test_ray_job_that_should_not_run_is_deleted(attempt: str) -> None:
    world = after_pause(lost(searching()))
    labels = {**world.ray_jobs[0]["metadata"]["labels"], "trimtab.io/attempt": attempt}
    stray = {
        **world.ray_jobs[0],
        "metadata": {**world.ray_jobs[0]["metadata"], "name": "stray", "labels": labels},
    }

    decision = reconcile(replace(world, ray_jobs=(stray, *world.ray_jobs)), DEFAULTS)

    deleted = [
        action.manifest["metadata"]["name"] for action in decision.actions if isinstance(action, Delete)
    ]
    assert deleted == ["stray"]
