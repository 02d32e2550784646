"""The Lease: one of several operators acts, and whoever does not renew it stops before another starts."""

import asyncio
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.fake_cluster import FakeCluster
from tests.support.virtual_time import run
from trimtab_operator.errors import ConflictError, TransientError
from trimtab_operator.kinds import LEASE
from trimtab_operator.lease import Elector, LeaseTerms
from trimtab_operator.world import Manifest


class Slow(FakeCluster):
    """Does what it is asked, and answers a request after so many seconds, each delay once."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: dict[str, list[float]] = {"get": [], "replace": []}

    async def get(self, *arguments: Any) -> Any:
        found = await super().get(*arguments)
        await self._answer("get")
        return found

    async def replace(self, manifest: Manifest) -> Any:
        stored = await super().replace(manifest)
        await self._answer("replace")
        return stored

    async def _answer(self, verb: str) -> None:
        if self.delays[verb]:
            await asyncio.sleep(self.delays[verb].pop(0))


def elector(cluster: FakeCluster, identity: str, clock_error: float = 0.0) -> Elector:
    def now() -> datetime:
        seconds = asyncio.get_running_loop().time() + clock_error
        return datetime(2026, 11, 24, 9, 0, tzinfo=UTC) + timedelta(seconds=seconds)

    return Elector(cluster, LeaseTerms("operator", "trimtab", identity), now)


def spec(cluster: FakeCluster) -> dict[str, Any]:
    found = cluster.find(LEASE, "operator", "trimtab")
    assert found
    return dict(found["spec"])


def now() -> float:
    return asyncio.get_running_loop().time()


def test_first_one_holds_it_at_once_and_says_so() -> None:
    async def scenario() -> dict[str, Any]:
        cluster = FakeCluster()
        await elector(cluster, "one").acquire()
        return spec(cluster)

    assert run(scenario()) == {
        "holderIdentity": "one",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-11-24T09:00:00.000000Z",
        "renewTime": "2026-11-24T09:00:00.000000Z",
        "leaseTransitions": 0,
    }


def test_second_one_stands_by_while_the_first_renews() -> None:
    async def scenario() -> tuple[bool, bool, dict[str, Any]]:
        cluster = FakeCluster()
        first, second = elector(cluster, "one"), elector(cluster, "two")
        await first.acquire()
        holding, waiting = asyncio.create_task(first.hold()), asyncio.create_task(second.acquire())
        await asyncio.sleep(3600)
        states = first.holds, waiting.done()
        for task in (holding, waiting):
            task.cancel()
        return *states, spec(cluster)

    holds, has_acquired, record = run(scenario())
    assert (holds, has_acquired) == (True, False)
    assert (record["holderIdentity"], record["acquireTime"]) == ("one", "2026-11-24T09:00:00.000000Z")


@pytest.mark.parametrize("clock_error", [-86400, 0, 86400], ids=["a day behind", "right", "a day ahead"])
def test_second_one_takes_over_from_one_that_died_whatever_its_clock(clock_error: float) -> None:
    async def scenario() -> tuple[float, dict[str, Any]]:
        cluster = FakeCluster()
        await elector(cluster, "one", clock_error).acquire()
        await elector(cluster, "two").acquire()
        return now(), spec(cluster)

    time, record = run(scenario())
    assert 15 <= time <= 15 + 2
    assert (record["holderIdentity"], record["leaseTransitions"]) == ("two", 1)


def test_one_that_starts_again_under_its_name_goes_on_at_once() -> None:
    async def scenario() -> tuple[float, int]:
        cluster = FakeCluster()
        await elector(cluster, "one").acquire()
        await elector(cluster, "one").acquire()
        return now(), spec(cluster)["leaseTransitions"]

    assert run(scenario()) == (0, 0)


def test_released_lease_is_taken_at_once() -> None:
    async def scenario() -> tuple[float, bool, str]:
        cluster = FakeCluster()
        first = elector(cluster, "one")
        await first.acquire()
        await first.release()
        await elector(cluster, "two").acquire()
        return now(), first.holds, spec(cluster)["holderIdentity"]

    assert run(scenario()) == (0, False, "two")


def test_one_that_never_held_it_releases_nothing() -> None:
    async def scenario() -> str:
        cluster = FakeCluster()
        await elector(cluster, "one").acquire()
        await elector(cluster, "two").release()
        return str(spec(cluster)["holderIdentity"])

    assert run(scenario()) == "one"


def test_holder_that_cannot_renew_stops_before_another_may_start() -> None:
    async def scenario() -> float:
        cluster = FakeCluster()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.failures += [("get Lease", TransientError("unreachable"))] * 100
        await first.hold()
        assert not first.holds
        return now()

    assert 10 <= run(scenario()) < 15


def test_holder_survives_failures_that_pass() -> None:
    async def scenario() -> bool:
        cluster = FakeCluster()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.failures += [("get Lease", TransientError("busy")), ("replace", ConflictError("changed"))]
        holding = asyncio.create_task(first.hold())
        await asyncio.sleep(60)
        holding.cancel()
        return first.holds

    assert run(scenario())


def test_holder_that_gets_no_answer_stops_in_time() -> None:
    class Silent(FakeCluster):
        async def get(self, *arguments: Any) -> Any:
            if now() > 5:
                await asyncio.sleep(1000)
            return await super().get(*arguments)

    async def scenario() -> float:
        first = elector(Silent(), "one")
        await first.acquire()
        await first.hold()
        return now()

    assert 10 <= run(scenario()) < 15


def test_holder_that_finds_another_in_its_place_stops() -> None:
    async def scenario() -> float:
        cluster = FakeCluster()
        first = elector(cluster, "one")
        await first.acquire()
        record = cluster.find(LEASE, "operator", "trimtab") or {}
        cluster.put(record | {"spec": record["spec"] | {"holderIdentity": "two"}})
        await first.hold()
        return now()

    assert run(scenario()) == 2


def test_standby_waits_out_an_api_server_that_is_away() -> None:
    async def scenario() -> float:
        cluster = FakeCluster()
        cluster.failures += [("get Lease", TransientError("unreachable"))] * 10
        await elector(cluster, "one").acquire()
        return now()

    assert run(scenario()) == 20


def test_release_that_fails_is_no_error() -> None:
    async def scenario() -> str:
        cluster = FakeCluster()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.failures.append(("replace", TransientError("unreachable")))
        await first.release()
        return str(spec(cluster)["holderIdentity"])

    assert run(scenario()) == "one"


@pytest.mark.parametrize("verb", ["get", "replace"])
def test_holder_survives_one_answer_that_never_comes(verb: str) -> None:
    async def scenario() -> tuple[bool, str]:
        cluster = Slow()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.delays[verb] = [1000]
        holding = asyncio.create_task(first.hold())
        await asyncio.sleep(60)
        holding.cancel()
        return first.holds, spec(cluster)["holderIdentity"]

    assert run(scenario()) == (True, "one")


def test_standby_survives_one_answer_that_never_comes() -> None:
    async def scenario() -> float:
        cluster = Slow()
        cluster.delays["get"] = [1000]
        await elector(cluster, "one").acquire()
        return now()

    assert run(scenario()) == 5 + 2


def test_lease_that_was_taken_without_an_answer_is_released_all_the_same() -> None:
    async def scenario() -> str:
        cluster = Slow()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.delays["replace"] = [1000]
        holding = asyncio.create_task(first.hold())
        await asyncio.sleep(3)  # the renewal is stored, its answer on the way
        holding.cancel()
        await first.release()
        return str(spec(cluster)["holderIdentity"])

    assert run(scenario()) == ""


def test_release_that_gets_no_answer_ends() -> None:
    async def scenario() -> float:
        cluster = Slow()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.delays["get"] = [1000]
        await first.release()
        return now()

    assert run(scenario()) == 5


def test_release_of_a_lease_that_is_gone_is_no_error() -> None:
    async def scenario() -> bool:
        cluster = FakeCluster()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.remove(cluster.find(LEASE, "operator", "trimtab") or {})
        await first.release()
        return first.holds

    assert not run(scenario())


def test_lease_that_was_made_by_hand_is_taken() -> None:
    async def scenario() -> dict[str, Any]:
        cluster = FakeCluster()
        metadata = {"name": "operator", "namespace": "trimtab", "labels": {"team": "platform"}}
        cluster.put({"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": metadata})
        await elector(cluster, "two").release()
        await elector(cluster, "one").acquire()
        return cluster.find(LEASE, "operator", "trimtab") or {}

    record = run(scenario())
    assert (record["spec"]["holderIdentity"], record["metadata"]["labels"]) == ("one", {"team": "platform"})


def test_deleted_lease_is_made_again() -> None:
    async def scenario() -> tuple[bool, str]:
        cluster = FakeCluster()
        first = elector(cluster, "one")
        await first.acquire()
        cluster.remove(cluster.find(LEASE, "operator", "trimtab") or {})
        holding = asyncio.create_task(first.hold())
        await asyncio.sleep(3)
        holding.cancel()
        return first.holds, spec(cluster)["holderIdentity"]

    assert run(scenario()) == (True, "one")


def test_lost_race_for_a_free_lease_is_no_takeover() -> None:
    async def scenario() -> list[bool]:
        cluster = FakeCluster()
        both = [elector(cluster, "one"), elector(cluster, "two")]
        tasks = [asyncio.create_task(each.acquire()) for each in both]
        for _ in range(30):
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        return [each.holds for each in both]

    assert sorted(run(scenario())) == [False, True]


def test_second_one_waits_as_long_as_the_holder_asks_for() -> None:
    async def scenario() -> float:
        cluster = FakeCluster()
        terms = LeaseTerms("operator", "trimtab", "one", duration_seconds=60.5)
        await Elector(cluster, terms, lambda: datetime(2026, 11, 24, tzinfo=UTC)).acquire()
        await elector(cluster, "two").acquire()
        return now()

    assert 60.5 <= run(scenario()) <= 61 + 2


def test_never_two_hold_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    async def scenario() -> set[tuple[str, ...]]:
        cluster, held = Slow(), set()
        electors = {name: elector(cluster, name) for name in ("one", "two", "three")}

        async def take_part(each: Elector) -> None:
            while True:
                await each.acquire()
                await each.hold()

        tasks = [asyncio.create_task(take_part(each)) for each in electors.values()]
        chance = random.Random(7)
        for _ in range(10_000):
            await asyncio.sleep(0.5)
            if chance.random() < 0.1:
                cluster.delays[chance.choice(["get", "replace"])].append(chance.expovariate(1 / 5))
            if chance.random() < 0.01:
                cluster.failures += [("get Lease", TransientError("unreachable"))] * chance.randrange(40)
            held.add(tuple(name for name, each in electors.items() if each.holds))
        for task in tasks:
            task.cancel()
        return held

    assert run(scenario()) == {(), ("one",), ("two",), ("three",)}
