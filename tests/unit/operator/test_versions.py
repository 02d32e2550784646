"""An operator that is upgraded, or put back, while jobs run: it goes on with what others made."""

import json
from dataclasses import replace

import pytest

from tests.support.worlds import (
    DEFAULTS,
    Document,
    as_stored,
    performed,
    reported,
    searching,
    status_of,
    succeeded,
    tick,
)
from trimtab_api.digests import digest_of
from trimtab_api.versions import SCHEMA_VERSION
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Apply, Create, Delete, Observed

OTHERS = {"an operator of the version before": -1, "an operator of the version after": 1}
each_other = pytest.mark.parametrize("difference", OTHERS.values(), ids=OTHERS)


def of_another_version(world: Observed, difference: int) -> Observed:
    """The world as an operator of another version would have left it: its plan, its RayJob, its status."""
    data = dict(as_stored(world.plan)["data"])
    plan = json.loads(data["plan.json"]) | {"schemaVersion": SCHEMA_VERSION + difference, "ofThatVersion": 1}
    plan["digest"] = digest_of({key: plan[key] for key in plan if key not in ("digest", "identity")})
    made = as_stored(world.ray_jobs[-1])
    made["spec"] = {"entrypoint": "python -m trimtab_jobs", "ofThatVersion": 1}
    status = dict(world.job["status"]) | {"planDigest": plan["digest"], "ofThatVersion": 1}
    status["runs"] = [{**run, "ofThatVersion": 1} for run in status["runs"]]
    data["plan.json"] = json.dumps(plan)
    return replace(
        world,
        job={**world.job, "status": status},
        plan={**(world.plan or {}), "data": data},
        ray_jobs=(made,),
    )


@each_other
def test_run_that_another_version_began_goes_on(difference: int) -> None:
    world = of_another_version(searching(), difference)

    decision = reconcile(world, DEFAULTS)
    after = performed(world, decision)

    assert not any(isinstance(action, Create | Delete) for action in decision.actions)
    assert (status_of(after).phase, status_of(after).attempt) == ("Searching", 1)
    assert status_of(after).runs[-1].outcome == "Running"


@each_other
def test_plan_is_written_anew_for_the_same_job(difference: int) -> None:
    world = of_another_version(searching(), difference)
    before = json.loads((world.plan or {})["data"]["plan.json"])

    (written,) = [each for each in reconcile(world, DEFAULTS).actions if isinstance(each, Apply)]
    plan: Document = json.loads(written.manifest["data"]["plan.json"])

    assert (plan["schemaVersion"], plan["identity"]) == (SCHEMA_VERSION, before["identity"])


@each_other
def test_report_of_its_driver_is_believed(difference: int) -> None:
    world = of_another_version(searching(), difference)
    world = reported(
        world,
        schemaVersion=SCHEMA_VERSION + difference,
        phase="Compressing",
        trials={"total": 40, "completed": 40, "ofThatVersion": 1},
        ofThatVersion=1,
    )

    assert (status_of(tick(world)).phase, status_of(tick(world)).trials.completed) == ("Compressing", 40)


@each_other
def test_job_ends_as_its_driver_says(difference: int) -> None:
    world = tick(of_another_version(searching(), difference))

    assert status_of(succeeded(world)).phase == "Succeeded"
