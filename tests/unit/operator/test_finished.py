"""What is left of a job that has ended: its children go when its ttl has passed, the job itself never."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.worlds import (
    DEFAULTS,
    PROFILE,
    READY,
    Document,
    applied,
    conditions,
    edited,
    failed,
    job,
    later,
    ray_job,
    ray_jobs,
    searching,
    status_of,
    succeeded,
    tick,
)
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Decision, Delete, Observed

DAY = 86_400.0


def deletions(decision: Decision) -> list[str]:
    found = [action.manifest for action in decision.actions if isinstance(action, Delete)]
    return [f"{each['kind']} {each['metadata']['name']}" for each in found]


CHILDREN = [
    "RayJob digits-s0-a1-47148c28",
    "NetworkPolicy digits-ray",
    "RoleBinding digits-driver",
    "Role digits-driver",
    "ServiceAccount digits-driver",
    "ConfigMap digits-report",
    "ConfigMap digits-plan",
]


@pytest.mark.parametrize(
    "world", [succeeded(searching()), failed(searching(), "Code")], ids=["succeeded", "failed"]
)
def test_children_go_when_their_time_has_come_the_plan_last(world: Observed) -> None:
    early = reconcile(later(world, DAY - 1), DEFAULTS)
    late = reconcile(later(world, DAY), DEFAULTS)

    assert (deletions(early), early.requeue_after_seconds) == ([], 1.0)
    assert deletions(late) == CHILDREN


def test_nothing_is_left_to_do_once_all_is_gone() -> None:
    world = succeeded(searching())

    cleared = tick(later(world, DAY))

    assert cleared.job["status"] == world.job["status"] | {"cleared": True}
    assert reconcile(later(cleared, DAY), DEFAULTS) == Decision(cleared.job["status"])


def test_children_that_nobody_watches_go_though_somebody_deleted_all_others() -> None:
    world = replace(succeeded(searching()), plan=None, report=None, ray_jobs=())

    assert reconcile(world, DEFAULTS).requeue_after_seconds == DAY
    assert deletions(reconcile(later(world, DAY), DEFAULTS)) == CHILDREN[1:5]


def test_job_for_which_nothing_was_made_leaves_nothing() -> None:
    world = tick(replace(searching(), plan=None, profiles=()))
    status = {key: value for key, value in world.job["status"].items() if key != "planDigest"}
    world = replace(world, job={**world.job, "status": status}, report=None, ray_jobs=())

    assert reconcile(later(world, DAY), DEFAULTS).actions == ()


def test_child_that_nobody_watches_is_deleted_only_if_it_is_the_jobs() -> None:
    decision = reconcile(later(succeeded(searching()), DAY), DEFAULTS)

    role = next(
        action.manifest
        for action in decision.actions
        if getattr(action, "manifest", {}).get("kind") == "Role"
    )
    assert [owner["uid"] for owner in role["metadata"]["ownerReferences"]] == [status_uid()]


def status_uid() -> str:
    return str(job()["metadata"]["uid"])


def with_profile(**spec: Any) -> Observed:
    profile = {**PROFILE, "spec": {**PROFILE["spec"], **spec}}
    return tick(replace(applied(job(ttlSecondsAfterFinished=100)), profiles=(profile,)))


TTLS: dict[str, tuple[Document, Document, float]] = {
    "of the job": ({}, {}, 100.0),
    "locked by the profile": ({"locked": {"ttlSecondsAfterFinished": 7}}, {}, 7.0),
    "edited": ({}, {"ttlSecondsAfterFinished": 50}, 50.0),
    "removed, so the profile's default": (
        {"defaults": {"ttlSecondsAfterFinished": 9}},
        {"ttlSecondsAfterFinished": None},
        9.0,
    ),
    "removed": ({}, {"ttlSecondsAfterFinished": None}, DAY),
}


@pytest.mark.parametrize(("policy", "edit", "seconds"), TTLS.values(), ids=TTLS)
def test_ttl_is_the_one_in_force(policy: Document, edit: Document, seconds: float) -> None:
    world = succeeded(tick(ray_job(with_profile(**policy), READY)))

    assert reconcile(edited(world, **edit), DEFAULTS).requeue_after_seconds == seconds


def test_plan_that_is_gone_leaves_the_default() -> None:
    world = replace(succeeded(searching()), plan=None)

    assert reconcile(world, DEFAULTS).requeue_after_seconds == DAY


def test_ray_job_that_runs_for_a_job_that_has_ended_is_deleted() -> None:
    world = succeeded(searching())
    stray = {**world.ray_jobs[0], "status": {"jobDeploymentStatus": "Running"}}

    assert deletions(reconcile(replace(world, ray_jobs=(stray,)), DEFAULTS)) == CHILDREN[:1]


def test_ended_job_runs_again_after_its_children_are_gone() -> None:
    world = tick(later(failed(searching(), "Code"), DAY))

    world = tick(edited(world, retry=1))

    assert (ray_jobs(world), conditions(world)["Succeeded"]) == (["search-2"], "Unknown/Starting")
    assert status_of(world).attempt == 2
