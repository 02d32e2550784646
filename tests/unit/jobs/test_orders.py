"""What a driver is told: read from the plan's ConfigMap, followed only while it is the same job's."""

import json
from collections.abc import Mapping

import pytest

from tests.support.driving import MANIFEST, SEARCH
from tests.support.jobs import job
from trimtab_api.control import Control
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_jobs.errors import RefusedError
from trimtab_jobs.orders import Orders, UnreadableError, followed, limits_of, orders_of
from trimtab_jobs.search import Limits


def plan_of(**changes) -> Plan:
    return resolve(job(**MANIFEST | changes), LOCAL_PROFILE)


def data_of(plan: Plan, **others: str) -> Mapping[str, str]:
    return {"plan.json": plan.model_dump_json(by_alias=True, exclude_none=True), **others}


def test_plan_and_control_are_read():
    control = '{"attempt": 2, "stopSearch": "gpuHours", "usedSeconds": 12.5, "fromALaterVersion": 1}'

    orders = orders_of(data_of(plan_of(), **{"control.json": control}))

    assert orders == Orders(plan_of(), Control(attempt=2, stop_search="gpuHours", used_seconds=12.5))


def test_without_control_it_is_the_first_attempt():
    assert orders_of(data_of(plan_of())).control == Control(attempt=1, stop_search=None, used_seconds=0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param({}, "has no plan.json", id="no plan"),
        pytest.param({"plan.json": "{"}, "plan.json cannot be read: Invalid JSON", id="no JSON"),
        pytest.param(
            {"plan.json": '{"schemaVersion": 3}'}, "plan.json cannot be read: schemaVersion: ", id="version"
        ),
        pytest.param(
            data_of(plan_of(), **{"control.json": '{"stopSearch": "whim"}'}),
            "control.json cannot be read: stopSearch: ",
            id="control",
        ),
    ],
)
def test_what_cannot_be_read_is_named(data: Mapping[str, str], problem: str):
    with pytest.raises(RefusedError, match=problem):
        orders_of(data)


def test_what_a_later_version_adds_to_the_plan_is_left_out_and_its_digests_are_kept():
    later = plan_of().model_dump(mode="json", by_alias=True, exclude_none=True)
    later["spec"]["search"]["fromALaterVersion"] = {"a": 1}
    later |= {"digest": "its digest", "identity": "its identity", "fromALaterVersion": 1}

    read = orders_of({"plan.json": json.dumps(later)}).plan

    assert read == plan_of().model_copy(update={"digest": "its digest", "identity": "its identity"})


@pytest.mark.parametrize(
    ("data", "known"),
    [
        pytest.param(
            {"plan.json": "{", "control.json": '{"attempt": 2}'},
            (None, Control(attempt=2)),
            id="control alone",
        ),
        pytest.param(data_of(plan_of(), **{"control.json": "{"}), (plan_of(), None), id="plan alone"),
    ],
)
def test_what_can_be_read_beside_what_cannot_is_known(data: Mapping[str, str], known):
    with pytest.raises(UnreadableError) as error:
        orders_of(data)

    assert (error.value.plan, error.value.control) == known


def test_an_edited_plan_is_followed_and_another_jobs_is_not():
    orders, edited = Orders(plan_of()), Orders(plan_of(search=SEARCH | {"trials": 50}))

    assert followed(orders, edited) == edited
    with pytest.raises(RefusedError, match="has become another job's; this run keeps to its own"):
        followed(orders, Orders(plan_of(search=SEARCH | {"seed": 8})))


@pytest.mark.parametrize(
    ("spec", "control", "limits"),
    [
        pytest.param({}, Control(), Limits(trials=3, parallelism=1), id="as planned"),
        pytest.param({"search": None}, Control(), Limits(trials=1), id="only the baseline"),
        pytest.param(
            {"search": SEARCH | {"trials": 8, "parallelism": 2}, "budget": {"failedTrials": 4}},
            Control(),
            Limits(trials=8, parallelism=2, failed_trials=4),
            id="edited",
        ),
        pytest.param(
            {"budget": {"duration": "2m"}}, Control(), Limits(3, 1, seconds_left=20.0), id="time left"
        ),
        pytest.param({}, Control(stop_search="cost"), Limits(3, 1, used_up="cost"), id="used up"),
    ],
)
def test_orders_limit_the_search(spec: dict[str, object], control: Control, limits: Limits):
    sections = {name: part for name, part in (MANIFEST | spec).items() if part is not None}
    plan = resolve(job(**sections), LOCAL_PROFILE)

    assert limits_of(Orders(plan, control), seconds=100.0) == limits
