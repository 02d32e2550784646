"""Budgets over all attempts, and what a job has cost: by what the operator saw, whatever the driver says."""

from dataclasses import replace

import pytest

from tests.support.worlds import (
    DEFAULTS,
    PROFILE,
    READY,
    SPEC,
    SUCCEEDED,
    TWO_SEGMENTS,
    Document,
    applied,
    conditions,
    edited,
    job,
    later,
    lost,
    ray_job,
    ray_jobs,
    searching,
    status_of,
    tick,
    without_ray_jobs,
)
from trimtab_api.control import Control
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Observed


def control_of(world: Observed) -> Control:
    assert world.plan is not None
    return Control.model_validate_json(world.plan["data"]["control.json"])


BUDGETS = {
    "duration": ({"duration": "10m"}, 600.0),
    "gpuHours": ({"gpuHours": 0.5}, 1_800.0),
    "cost": ({"cost": 0.5}, 600.0),
    "energyKWh": ({"energyKWh": 0.75}, 3_600.0),
}


@pytest.mark.parametrize(
    ("name", "budget", "seconds"), [(name, *each) for name, each in BUDGETS.items()], ids=BUDGETS
)
def test_budget_ends_the_search_when_it_is_used_up(name: str, budget: Document, seconds: float) -> None:
    world = tick(ray_job(tick(applied(job(**TWO_SEGMENTS, budget=budget))), READY))
    assert reconcile(world, DEFAULTS).requeue_after_seconds == pytest.approx(seconds)

    early, late = tick(later(world, seconds - 1)), tick(later(world, seconds))

    assert (control_of(early).stop_search, control_of(late).stop_search) == (None, name)
    assert reconcile(late, DEFAULTS).requeue_after_seconds is None


def test_budget_counts_all_attempts_and_the_driver_is_told_what_is_used() -> None:
    world = tick(later(searching({"budget": {"duration": "10m"}}), 240))
    world = tick(later(lost(world), 10))
    assert (control_of(world).attempt, control_of(world).used_seconds) == (2, 300.0)

    world = tick(ray_job(world, READY))

    assert reconcile(world, DEFAULTS).requeue_after_seconds == pytest.approx(300.0)


def test_time_counts_and_the_driver_is_told_the_same_until_a_suspended_ray_job_is_gone() -> None:
    before = searching({"budget": {"duration": "10m"}})
    world = tick(edited(before, suspend=True))
    world = tick(later(replace(world, ray_jobs=before.ray_jobs), 60))

    assert status_of(world).cost.seconds == 120
    assert (control_of(world).attempt, control_of(world).used_seconds) == (1, 0)

    world = tick(later(without_ray_jobs(world), 30))

    assert status_of(world).cost.seconds == 150
    assert (control_of(world).attempt, control_of(world).used_seconds) == (2, 150)


def test_time_before_a_queue_took_the_cluster_back_is_used() -> None:
    world = searching()
    world = tick(ray_job(world, {"jobDeploymentStatus": "Suspended"}, spec={"suspend": True}))

    assert control_of(world).used_seconds == 60.0


def test_time_without_a_cluster_is_not_counted() -> None:
    world = tick(later(tick(applied(job(budget={"duration": "1m"}))), 5_000))

    assert control_of(world).stop_search is None
    assert status_of(world).cost.seconds == 0


def test_raised_budget_lets_the_search_go_on() -> None:
    world = tick(later(searching({"budget": {"duration": "1m"}}), 60))
    assert control_of(world).stop_search == "duration"

    assert control_of(tick(edited(world, budget={"duration": "1h"}))).stop_search is None


def test_budget_that_ends_in_compression_ends_nothing() -> None:
    world = tick(ray_job(searching({**TWO_SEGMENTS, "budget": {"duration": "5m"}}), SUCCEEDED))
    world = tick(later(tick(ray_job(world, READY)), 5_000))

    assert control_of(world).stop_search is None
    assert conditions(world)["Succeeded"] == "Unknown/Starting"


def test_later_segment_still_knows_which_budget_ended_the_search() -> None:
    world = tick(later(searching({**TWO_SEGMENTS, "budget": {"duration": "1m"}}), 60))

    world = tick(ray_job(world, SUCCEEDED))

    assert (ray_jobs(world)[-1], control_of(world).stop_search) == ("export-1", "duration")


def test_cap_of_the_profile_is_a_budget() -> None:
    capped = {**PROFILE, "spec": {**PROFILE["spec"], "caps": {"duration": "1m"}}}
    world = tick(replace(applied(job()), profiles=(capped,)))

    world = tick(later(tick(ray_job(world, READY)), 60))

    assert control_of(world).stop_search == "duration"


def test_cost_is_told_by_the_minute_and_exactly_in_the_end() -> None:
    world = tick(later(searching(TWO_SEGMENTS), 70))
    assert status_of(world).cost.seconds == 120

    world = tick(ray_job(world, SUCCEEDED))

    cost = status_of(world).cost
    assert (cost.seconds, cost.cpu_hours, cost.gpu_hours) == (130, 0.288889, 0.036111)
    assert (cost.amount, cost.energy_kwh, cost.carbon_kg, cost.method) == (
        0.108333,
        0.027083,
        0.010833,
        "rated watts",
    )


def test_profile_without_prices_makes_no_amount() -> None:
    bare = {**PROFILE, "spec": {"store": {"uri": "s3://models"}}}
    world = tick(replace(applied(job()), profiles=(bare,)))
    world = tick(later(tick(ray_job(world, READY)), 3_600))

    cost = status_of(world).cost
    assert (cost.seconds, cost.cpu_hours, cost.amount, cost.energy_kwh, cost.carbon_kg) == (
        3600,
        1,
        None,
        None,
        None,
    )


def test_status_does_not_change_with_every_second() -> None:
    world = searching()

    assert tick(later(world, 45)).job == world.job


def test_workers_of_a_ray_job_that_is_gone_are_counted_as_they_were() -> None:
    world = edited(searching(TWO_SEGMENTS), search={**SPEC["search"], "parallelism": 4})

    world = tick(later(without_ray_jobs(world), 3_540))

    assert status_of(world).cost.gpu_hours == 1
    assert status_of(world).runs[0].hourly is None


def test_workers_are_counted_as_they_are_and_not_as_the_plan_is_now() -> None:
    world = edited(searching(TWO_SEGMENTS), search={**SPEC["search"], "parallelism": 4})

    world = tick(later(world, 3_540))

    assert status_of(world).cost.gpu_hours == 1
