"""What becomes of a look at a job: when the next one is due, what is counted and said."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from tests.support.virtual_time import run
from trimtab_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    GoneError,
    NotServedError,
    TransientError,
)
from trimtab_operator.metrics import Metrics
from trimtab_operator.queue import Backoff, WorkQueue
from trimtab_operator.work import LOOK_SECONDS, Work
from trimtab_operator.world import Key

DIGITS, MNIST = Key("vision", "digits"), Key("vision", "mnist")
Tick = Callable[[Key], Awaitable[float | None]]


class Looks:
    """Looks at jobs, which end as they are told to; an exception is raised."""

    def __init__(self, *ends: float | BaseException | None, seconds: float = 0.0) -> None:
        self.ends = list(ends)
        self.seconds = seconds
        self.at: list[tuple[str, float]] = []

    async def __call__(self, key: Key) -> float | None:
        self.at.append((key.name, asyncio.get_running_loop().time()))
        await asyncio.sleep(self.seconds)
        end = self.ends.pop(0) if self.ends else None
        if isinstance(end, BaseException):
            raise end
        return end


def work_of(tick: Tick, metrics: Metrics | None = None, *, leads: bool = True) -> Work:
    queue = WorkQueue[Key](Backoff(), spread=lambda: 0.0)
    return Work(queue, tick, lambda: leads, metrics or Metrics())


async def for_a_day(work: Work, workers: int = 1, *keys: Key) -> None:
    for key in keys or (DIGITS,):
        work.queue.add(key)
    tasks = [asyncio.create_task(work.forever()) for _ in range(workers)]
    await asyncio.sleep(86400)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("ends", "times"),
    [
        pytest.param([None], [0], id="done"),
        pytest.param([30.0, None], [0, 30], id="again when it is due"),
        pytest.param([TransientError("busy")], [0, 1], id="failed"),
        pytest.param([TransientError("busy")] * 3, [0, 1, 3, 7], id="failed again and again"),
        pytest.param([TransientError("busy", retry_after_seconds=60)], [0, 60], id="asked to wait"),
        pytest.param([ForbiddenError("no")], [0, 30], id="refused"),
        pytest.param([ConflictError("changed")], [0, 1], id="overtaken"),
        pytest.param([NotServedError("no RayJobs")], [0, 1], id="kind that is not served"),
        pytest.param([GoneError("no namespace")], [0, 1], id="gone"),
        pytest.param([KeyError("spec")], [0, 1], id="fault of the operator"),
    ],
)
def test_next_look_comes_when_it_is_due(ends: list[float | Exception | None], times: list[float]) -> None:
    looks = Looks(*ends)

    run(for_a_day(work_of(looks)))

    assert looks.at == [("digits", time) for time in times]


def test_pauses_start_again_after_a_success() -> None:
    busy = TransientError("busy")
    looks = Looks(busy, busy, 100.0, busy)

    run(for_a_day(work_of(looks)))

    assert [time for _, time in looks.at] == [0, 1, 3, 103, 104]


def test_look_that_does_not_end_is_ended() -> None:
    looks = Looks(seconds=LOOK_SECONDS + 1)

    async def twice() -> None:
        work = work_of(looks)
        work.queue.add(DIGITS)
        task = asyncio.create_task(work.forever())
        await asyncio.sleep(LOOK_SECONDS + 5)
        task.cancel()

    run(twice())
    assert [time for _, time in looks.at] == [0, LOOK_SECONDS + 1]


def test_failing_job_does_not_hold_up_another() -> None:
    looks = Looks(KeyError("spec"), None)

    run(for_a_day(work_of(looks), 1, DIGITS, MNIST))

    assert looks.at == [("digits", 0), ("mnist", 0), ("digits", 1)]


def test_nothing_is_looked_at_once_the_lease_has_run_out() -> None:
    looks = Looks()

    run(for_a_day(work_of(looks, leads=False)))

    assert looks.at == []


def test_workers_that_wait_for_nothing_let_others_run() -> None:
    async def look(key: Key) -> None:
        return None

    async def scenario() -> int:
        work = work_of(look)
        for number in range(100):
            work.queue.add(Key("vision", f"job-{number}"))
        task = asyncio.create_task(work.forever())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        return len(work.queue)

    assert run(scenario()) > 90


@pytest.mark.parametrize(
    ("end", "outcome", "reason"),
    [
        (None, "done", None),
        (ConflictError("changed"), "conflict", None),
        (TransientError("busy"), "failed", "Unavailable"),
        (ForbiddenError("no"), "failed", "Forbidden"),
        (KeyError("spec"), "failed", "Unexpected"),
    ],
    ids=["done", "overtaken", "busy", "refused", "fault"],
)
def test_looks_are_counted(end: Exception | None, outcome: str, reason: str | None) -> None:
    metrics = Metrics()

    async def once() -> None:
        await work_of(Looks(end, seconds=2), metrics).look(DIGITS)

    run(once())
    value = metrics.registry.get_sample_value
    assert value("trimtab_reconcile_duration_seconds_sum", {"outcome": outcome}) == 2
    failures = {"Unavailable", "Forbidden", "Unexpected"}
    counted = {each for each in failures if value("trimtab_reconcile_errors_total", {"reason": each})}
    assert counted == ({reason} if reason else set())


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ForbiddenError("exceeded quota"), "exceeded quota; again in 30.0 s"),
        (TimeoutError(), "no end after 120 s; again in 1.0 s"),
        (KeyError("spec"), "looking at a job failed"),
    ],
    ids=["refused", "no end", "fault"],
)
def test_failure_is_logged_with_its_job(
    error: ClusterError | Exception, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def once() -> None:
        await work_of(Looks(error)).look(DIGITS)

    with caplog.at_level(logging.WARNING):
        run(once())

    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["job"]) == (message, "vision/digits")
