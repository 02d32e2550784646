"""The work queue."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.virtual_time import run
from trimtab_operator.queue import Backoff, WorkQueue

PLAIN = Backoff(first_seconds=1, most_seconds=300)


def queue() -> WorkQueue[str]:
    return WorkQueue(PLAIN, spread=lambda: 0.0)


async def taken(queue: WorkQueue[str]) -> list[str]:
    """All keys that wait, in the order in which they are taken; none of them is at work afterwards."""
    keys = []
    while len(queue):
        keys.append(await queue.take())
        queue.done(keys[-1])
    return keys


def now() -> float:
    return asyncio.get_running_loop().time()


def test_keys_come_once_and_in_order() -> None:
    async def scenario() -> list[str]:
        keys = queue()
        for key in "abacab":
            keys.add(key)
        return await taken(keys)

    assert run(scenario()) == ["a", "b", "c"]


def test_key_that_is_asked_for_at_work_comes_again_after_it() -> None:
    async def scenario() -> tuple[int, list[str]]:
        keys = queue()
        keys.add("a")
        await keys.take()
        keys.add("a")
        keys.add("a")
        waiting = len(keys)
        keys.done("a")
        return waiting, await taken(keys)

    assert run(scenario()) == (0, ["a"])


def test_taking_waits_for_a_key() -> None:
    async def scenario() -> tuple[str, float]:
        keys = queue()
        asyncio.get_running_loop().call_later(7, keys.add, "a")
        return await keys.take(), now()

    assert run(scenario()) == ("a", 7)


@pytest.mark.parametrize("delays", [(5, 9), (9, 5)], ids=["soonest first", "soonest last"])
def test_soonest_time_counts(delays: Sequence[float]) -> None:
    async def scenario() -> tuple[str, float, int]:
        keys = queue()
        for delay in delays:
            keys.add_after("a", delay)
        key, when = await keys.take(), now()
        keys.done(key)
        await asyncio.sleep(100)
        return key, when, len(keys)

    assert run(scenario()) == ("a", 5, 0)


def test_key_that_is_looked_at_before_its_time_is_not_looked_at_then() -> None:
    async def scenario() -> int:
        keys = queue()
        keys.add_after("a", 5)
        keys.add("a")
        keys.done(await keys.take())
        await asyncio.sleep(100)
        return len(keys)

    assert run(scenario()) == 0


def test_key_whose_time_comes_during_work_comes_again() -> None:
    async def scenario() -> list[str]:
        keys = queue()
        keys.add("a")
        key = await keys.take()
        keys.add_after("a", 5)
        await asyncio.sleep(10)
        keys.done(key)
        return await taken(keys)

    assert run(scenario()) == ["a"]


def test_pauses_double_up_to_the_most_and_start_again_after_a_success() -> None:
    async def scenario() -> list[float]:
        keys = queue()
        pauses = [keys.retry("a") for _ in range(11)]
        keys.succeeded("a")
        return [*pauses, keys.retry("a")]

    assert run(scenario()) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 1]


def test_pause_is_no_shorter_than_the_server_asks_for() -> None:
    async def scenario() -> tuple[float, float]:
        keys = queue()
        keys.retry("a", at_least_seconds=30)
        await keys.take()
        return now(), keys.retry("b", at_least_seconds=0.5)

    assert run(scenario()) == (30, 1)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_pause_is_at_least_half_of_the_longest(failures: int, spread: float) -> None:
    longest = PLAIN.seconds(failures, 0)

    assert longest / 2 <= PLAIN.seconds(failures, spread) <= longest <= 300


steps = st.tuples(st.sampled_from(["add", "add_after", "retry"]), st.sampled_from("abc"), st.floats(0, 20))


@given(st.lists(steps, max_size=30), st.integers(1, 4), st.floats(0, 10))
def test_every_key_is_worked_on_after_it_was_asked_for_and_never_twice_at_a_time(
    asked: list[tuple[str, str, float]], workers: int, work_seconds: float
) -> None:
    started: dict[str, float] = {}
    last_asked: dict[str, float] = {}
    at_work: Counter[str] = Counter()
    most: Counter[str] = Counter()

    async def worker(keys: WorkQueue[str]) -> None:
        while True:
            key = await keys.take()
            started[key] = now()
            at_work[key] += 1
            most[key] = max(most[key], at_work[key])
            await asyncio.sleep(work_seconds)
            at_work[key] -= 1
            keys.done(key)

    async def scenario() -> None:
        keys = WorkQueue[str](PLAIN)
        tasks = [asyncio.create_task(worker(keys)) for _ in range(workers)]
        for what, key, seconds in asked:
            getattr(keys, what)(*([key, seconds] if what == "add_after" else [key]))
            last_asked[key] = now()
            await asyncio.sleep(seconds / 4)
        await asyncio.sleep(10_000)
        for task in tasks:
            task.cancel()

    run(scenario())
    assert set(started) == set(last_asked)
    assert all(started[key] >= last_asked[key] for key in started)
    assert all(count == 1 for count in most.values())
