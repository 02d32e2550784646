"""A job's way, state by state: what the operator writes, and what it says."""

from tests.support.worlds import (
    DEFAULTS,
    INITIALIZING,
    READY,
    SUCCEEDED,
    TWO_SEGMENTS,
    applied,
    conditions,
    ended,
    job,
    later,
    performed,
    ray_job,
    reported,
    status_of,
    tick,
)
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Apply, Create


def test_new_job_gets_its_children_and_a_ray_job() -> None:
    decision = reconcile(applied(job()), DEFAULTS)

    made = [
        (type(action), action.manifest["kind"])
        for action in decision.actions
        if isinstance(action, Apply | Create)
    ]
    assert made == [
        (Apply, "ConfigMap"),
        (Apply, "ConfigMap"),
        (Apply, "ServiceAccount"),
        (Apply, "Role"),
        (Apply, "RoleBinding"),
        (Apply, "NetworkPolicy"),
        (Create, "RayJob"),
    ]


def test_job_goes_from_nothing_to_done() -> None:
    world = tick(applied(job()))
    assert status_of(world).phase == "Starting"
    world = tick(ray_job(world, INITIALIZING))
    world = tick(ray_job(later(world, 30), READY))
    assert status_of(world).phase == "Starting"
    world = tick(reported(world, phase="Searching", stage="search", trials={"total": 40, "completed": 12}))
    assert (status_of(world).phase, status_of(world).summary.trials) == ("Searching", "12/40")
    world = reported(later(world, 60), phase="Succeeded", conditions=ended("True", "Completed"))
    world = tick(ray_job(world, SUCCEEDED))

    assert (status_of(world).phase, status_of(world).ray_job) == ("Succeeded", None)
    assert conditions(world) == {
        "Ready": "True/Completed",
        "Reconciling": "False/Completed",
        "Stalled": "False/Completed",
        "Succeeded": "True/Completed",
        "Suspended": "False/NotSuspended",
        "Accepted": "True/Admitted",
        "ClusterReady": "False/Released",
    }
    assert reconcile(world, DEFAULTS).actions == ()
