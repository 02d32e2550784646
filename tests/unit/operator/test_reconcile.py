"""A job's way, state by state: what the operator makes, and what it says."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.kstatus_rules import kstatus
from tests.support.states import STATES
from tests.support.worlds import (
    DEFAULTS,
    PROFILE,
    READY,
    SUCCEEDED,
    TWO_SEGMENTS,
    applied,
    conditions,
    edited,
    ended,
    job,
    later,
    message,
    ray_job,
    ray_jobs,
    reported,
    searching,
    status_of,
    succeeded,
    tick,
    without_ray_jobs,
)
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Apply, Create, Decision, Observed


def made(decision: Decision) -> list[tuple[type[Any], str]]:
    found = [action for action in decision.actions if isinstance(action, Apply | Create)]
    return [(type(action), action.manifest["kind"]) for action in found]


def test_new_job_gets_its_children_and_a_ray_job_last() -> None:
    decision = reconcile(applied(job()), DEFAULTS)

    assert made(decision) == [
        (Apply, "ConfigMap"),
        (Apply, "ConfigMap"),
        (Apply, "ServiceAccount"),
        (Apply, "Role"),
        (Apply, "NetworkPolicy"),
        (Apply, "RoleBinding"),
        (Create, "RayJob"),
    ]


def test_ray_job_that_is_made_is_in_the_ledger_at_once() -> None:
    status = status_of(tick(applied(job())))

    told = [(run.segment, run.attempt, run.outcome, run.start_time) for run in status.runs]
    assert told == [("search", 1, "Running", None)]
    assert status.ray_job == status.runs[0].name


@pytest.mark.parametrize(("world", "phase", "reason", "verdict"), STATES.values(), ids=STATES)
def test_state_is_told_to_people_and_machines(world: Observed, phase: str, reason: str, verdict: str) -> None:
    told = conditions(world)["Succeeded"].partition("/")[2]

    assert (status_of(world).phase, told, kstatus(world.job)) == (phase, reason, verdict)


def test_job_goes_from_nothing_to_done() -> None:
    world = succeeded(searching())

    assert conditions(world) == {
        "Ready": "True/Completed",
        "Reconciling": "False/Completed",
        "Stalled": "False/Completed",
        "Succeeded": "True/Completed",
        "Suspended": "False/NotSuspended",
        "Accepted": "True/Admitted",
        "ClusterReady": "False/Released",
    }
    assert message(world, "Succeeded") == "told by the driver"
    assert (status_of(world).ray_job, status_of(world).result) == (
        None,
        "s3://models/vision/digits/6f1b2c3d-0000-4000-8000-00000000abcd/result.json",
    )


def test_conditions_are_about_the_generation_that_was_seen() -> None:
    world = tick(edited(succeeded(searching()), ttlSecondsAfterFinished=100))

    status = status_of(world)
    assert {each.observed_generation for each in status.conditions} == {2}
    assert status.observed_generation == 2


def test_next_segment_begins_when_the_one_before_has_ended() -> None:
    world = searching(TWO_SEGMENTS)
    world = tick(ray_job(world, SUCCEEDED))

    assert [(run.segment, run.attempt, run.outcome) for run in status_of(world).runs] == [
        ("search", 1, "Succeeded"),
        ("export", 1, "Running"),
    ]
    assert ray_jobs(world) == ["search-1", "export-1"]


def test_segment_that_is_not_the_last_does_not_end_the_job() -> None:
    world = reported(searching(TWO_SEGMENTS), phase="Succeeded", conditions=ended("True", "Completed"))
    world = tick(ray_job(world, SUCCEEDED))

    assert conditions(world)["Succeeded"] == "Unknown/Starting"


def test_last_segment_ends_the_job() -> None:
    world = tick(ray_job(searching(TWO_SEGMENTS), SUCCEEDED))
    world = succeeded(tick(ray_job(world, READY)))

    assert conditions(world)["Succeeded"] == "True/Completed"


def test_ray_job_deleted_by_hand_is_an_attempt_lost() -> None:
    world = tick(without_ray_jobs(searching()))

    assert conditions(world)["ClusterReady"] == "False/BackingOff"
    assert status_of(world).runs[0].outcome == "Deleted"


def test_job_that_is_being_deleted_is_left_alone() -> None:
    world = searching()
    metadata = {**world.job["metadata"], "deletionTimestamp": "2026-11-24T08:00:00Z"}
    world = without_ray_jobs(replace(world, job={**world.job, "metadata": metadata}))

    assert reconcile(world, DEFAULTS) == Decision(world.job["status"])


def test_ray_jobs_of_an_earlier_job_of_the_name_are_not_its() -> None:
    world = applied(job())
    old = tick(replace(world, job={**world.job, "metadata": {**world.job["metadata"], "uid": "another"}}))

    world = tick(replace(world, ray_jobs=old.ray_jobs))

    assert (ray_jobs(world), len(status_of(world).runs)) == (["search-1", "search-1"], 1)


def test_config_maps_of_an_earlier_job_of_the_name_are_not_its() -> None:
    old = reported(searching(), phase="Compressing", best={"trial": 7})
    metadata = {**old.job["metadata"], "uid": "another"}

    new = tick(tick(applied({**job(), "metadata": metadata}, plan=old.plan, report=old.report)))

    assert (status_of(new).runs[0].outcome, status_of(new).best) == ("Running", None)


def test_ray_job_whose_making_was_not_written_down_is_taken_on() -> None:
    world = applied(job())
    world = replace(tick(world), job=world.job)

    decision = reconcile(later(world, 5), DEFAULTS)

    assert made(decision) == []
    assert decision.status["attempt"] == 1


def test_segment_succeeded_that_was_followed_by_the_next_before_that_was_written_down() -> None:
    searched = ray_job(reported(searching(TWO_SEGMENTS), phase="Searching"), SUCCEEDED)
    begun = replace(tick(searched), job=searched.job)

    assert [(run.segment, run.outcome) for run in status_of(tick(begun)).runs] == [
        ("search", "Succeeded"),
        ("export", "Running"),
    ]


def test_missing_profile_heals() -> None:
    world = tick(replace(applied(job()), profiles=()))
    assert conditions(world)["Accepted"] == "False/ProfileNotFound"

    world = tick(replace(world, profiles=(PROFILE,)))

    assert (conditions(world)["Accepted"], ray_jobs(world)) == ("True/Admitted", ["search-1"])


def test_missing_kuberay_heals() -> None:
    world = tick(applied(job(), has_kuberay=False))
    assert ray_jobs(world) == []

    assert ray_jobs(tick(replace(world, has_kuberay=True))) == ["search-1"]


def test_kuberay_that_is_away_loses_nothing() -> None:
    world = tick(replace(searching(), has_kuberay=False, ray_jobs=()))

    assert conditions(world)["ClusterReady"] == "False/KubeRayNotInstalled"
    assert status_of(world).runs[0].outcome == "Running"


@pytest.mark.parametrize(
    ("change", "looks"),
    [
        pytest.param(lambda world: world, False, id="nothing"),
        pytest.param(without_ray_jobs, True, id="a RayJob that is gone"),
        pytest.param(lambda world: ray_job(world, SUCCEEDED), True, id="a RayJob that has ended"),
        pytest.param(lambda world: later(world, 120), False, id="time"),
    ],
)
def test_an_end_is_looked_at_again_before_it_counts(change: Any, looks: bool) -> None:
    assert reconcile(change(searching()), DEFAULTS).look_first is looks
