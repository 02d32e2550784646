"""Orders that change while a run goes on: followed when they may be, told once when they may not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.driving import SEARCH
from tests.unit.jobs.test_orders import plan_of
from trimtab_api.control import Control
from trimtab_jobs.config_maps import ApiError
from trimtab_jobs.errors import RefusedError, StoppedError
from trimtab_jobs.orders import Orders, UnreadableError
from trimtab_jobs.plan_channel import PlanChannel, first_orders

FIRST, EDITED = Orders(plan_of()), Orders(plan_of(search=SEARCH | {"trials": 50}))
OTHER = Orders(plan_of(search=SEARCH | {"seed": 8}))
AWAY = ApiError("GET ConfigMap digits-plan: ConnectError: refused")


def reading(*answers: Orders | Exception) -> Callable[[], Orders]:
    """Reads these one after the other, then the last again and again."""
    left = list(answers)

    def read() -> Orders:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return read


@pytest.mark.parametrize(
    ("answers", "orders", "told"),
    [
        pytest.param([EDITED], EDITED, [], id="edit"),
        pytest.param([EDITED, FIRST], FIRST, [], id="edit taken back"),
        pytest.param([AWAY, AWAY, EDITED], EDITED, [str(AWAY)], id="server away for a while"),
        pytest.param(
            [EDITED, OTHER],
            EDITED,
            ["the plan of digits has become another job's; this run keeps to its own"],
            id="other",
        ),
        pytest.param([RefusedError("no plan.json")], FIRST, ["no plan.json"], id="unreadable"),
        pytest.param(
            [EDITED, UnreadableError("plan.json cannot be read", control=Control(stop_search="cost"))],
            replace(EDITED, control=Control(stop_search="cost")),
            ["plan.json cannot be read"],
            id="control alone",
        ),
        pytest.param(
            [UnreadableError("control.json cannot be read", plan=EDITED.plan)],
            EDITED,
            ["control.json cannot be read"],
            id="plan alone",
        ),
        pytest.param([AWAY, EDITED, AWAY], EDITED, [str(AWAY), str(AWAY)], id="away twice"),
    ],
)
def test_the_newest_orders_that_may_be_followed(
    answers: list[Orders | Exception], orders: Orders, told: list[str]
):
    heard: list[str] = []
    channel = PlanChannel(reading(*answers), FIRST, heard.append)

    for _ in range(max(3, len(answers))):
        channel.look()

    assert channel() == orders
    assert heard[: len(told)] == told


def test_each_time_the_orders_are_heeded_as_they_are_then():
    heeded: list[Orders] = []
    channel = PlanChannel(reading(AWAY, EDITED), FIRST, print, heeded.append)

    channel.look()
    channel.look()

    assert heeded == [FIRST, EDITED]


def test_a_thread_follows_the_plan_until_the_block_ends():
    seen: list[str] = []
    with PlanChannel(reading(AWAY), FIRST, seen.append, every_seconds=0.0) as channel:
        while not seen:
            pass

    assert channel() == FIRST


def test_the_first_orders_are_waited_for():
    pauses: list[float] = []

    orders = first_orders(
        reading(AWAY, AWAY, AWAY, FIRST), 60, wait=lambda seconds: bool(pauses.append(seconds))
    )

    assert orders == FIRST
    assert pauses == [0.5, 1, 2]


def test_without_first_orders_the_reason_is_raised():
    with pytest.raises(ApiError, match="ConnectError: refused"):
        first_orders(reading(AWAY), 5.0, wait=lambda seconds: False)


def test_the_first_orders_are_not_waited_for_once_told_to_stop():
    with pytest.raises(StoppedError):
        first_orders(reading(AWAY), 1000.0, wait=lambda seconds: True)
