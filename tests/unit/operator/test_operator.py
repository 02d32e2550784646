"""The parts of a running operator together, on a cluster in memory: hours of it in virtual time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.operators import DIGITS, Vision
from tests.support.virtual_time import run
from tests.support.worlds import READY, job
from trimtab_operator.__main__ import assemble, health_routes, metrics_routes
from trimtab_operator.errors import TransientError
from trimtab_operator.health import Heartbeats
from trimtab_operator.kinds import LEASE, RAY_JOB, WATCHED
from trimtab_operator.metrics import Metrics
from trimtab_operator.operator import LostError, Operator, Watch
from trimtab_operator.settings import Settings

HOUR = 3600.0


@pytest.fixture
def vision() -> Vision:
    """A job that was applied before the operator starts."""
    vision = Vision()
    vision.cluster.put(job())
    return vision


def operator_of(vision: Vision, **settings: Any) -> Operator:
    """An operator that nobody tells anything: the cluster's watches are silent."""
    operator = assemble(Settings(lease_namespace="trimtab", **settings), vision.cluster, Metrics())
    operator.heartbeats = Heartbeats(lambda: asyncio.get_running_loop().time())
    return operator


def lives(vision: Vision, seconds: float, *events: tuple[float, Callable[[], object]]) -> Operator:
    """An operator after it has run for a time in which, at their seconds, things happened."""

    async def life() -> Operator:
        operator, loop = operator_of(vision), asyncio.get_running_loop()
        for second, event in events:
            loop.call_later(second, event)
        await operator.run(until(seconds))
        return operator

    return run(life())


def until(seconds: float, starts: list[float] | None = None) -> Watch:
    """Watching that ends at a time, or when it is to start anew."""

    async def watch(stop: asyncio.Event) -> None:
        time = asyncio.get_running_loop().time()
        if starts is not None:
            starts.append(time)
        try:
            async with asyncio.timeout(seconds - time):
                await stop.wait()
        except TimeoutError:
            return

    return watch


def test_job_that_is_there_gets_its_ray_job_at_once(vision: Vision) -> None:
    lives(vision, 5)

    assert vision.ray_job()["metadata"]["labels"]["trimtab.io/job"] == "digits"
    assert vision.job()["status"]["phase"] == "Starting"


def test_what_no_watch_told_of_is_found_by_the_next_list(vision: Vision) -> None:
    def kuberay_says_ready() -> None:
        vision.cluster.put(vision.ray_job() | {"status": READY})

    lives(vision, 299, (10, kuberay_says_ready))
    before = vision.condition("ClusterReady")["status"]
    lives(vision, 301)

    assert (before, vision.condition("ClusterReady")["status"]) == ("False", "True")


def test_one_that_stands_by_does_nothing(vision: Vision) -> None:
    metadata = {"name": "trimtab-operator", "namespace": "trimtab"}
    lease = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": metadata}
    spec = {"holderIdentity": "another", "leaseDurationSeconds": 15}
    vision.cluster.put({**lease, "spec": spec})
    lives(vision, 14)
    idle = vision.cluster.all(RAY_JOB)
    operator = lives(vision, 30)

    assert idle == []
    assert operator.is_leading.is_set()
    assert len(vision.cluster.all(RAY_JOB)) == 1


def test_one_that_loses_the_lease_ends(vision: Vision) -> None:
    def another_takes_it() -> None:
        lease = vision.cluster.find(LEASE, "trimtab-operator", "trimtab") or {}
        vision.cluster.put(lease | {"spec": lease["spec"] | {"holderIdentity": "another"}})

    with pytest.raises(LostError, match="the Lease trimtab/trimtab-operator is lost"):
        lives(vision, HOUR, (100, another_takes_it))


def test_what_the_one_before_did_is_read_before_acting(vision: Vision) -> None:
    lives(vision, 5)
    name = vision.ray_job()["metadata"]["name"]
    operator = lives(vision, 5)

    assert [each["metadata"]["name"] for each in operator.view.children(RAY_JOB, DIGITS)] == [name]
    assert vision.job()["status"]["attempt"] == 1


def test_everything_is_listed_once_where_nobody_else_acts(vision: Vision) -> None:
    lives(vision, 5)

    assert vision.asked().count("list OptimizationJob") == 1


def test_kuberay_that_is_installed_later_is_watched_and_used(vision: Vision) -> None:
    vision.cluster.missing.add("RayJob")
    starts: list[float] = []

    async def life() -> None:
        asyncio.get_running_loop().call_later(100, vision.cluster.missing.clear)
        await operator_of(vision).run(until(150, starts))

    run(life())
    assert [round(time) for time in starts] == [0, 100]
    assert vision.job()["status"]["phase"] == "Starting"


def test_api_server_that_is_away_at_the_start_is_waited_for(vision: Vision) -> None:
    vision.cluster.failures += [("list", TransientError("unavailable"))] * 20
    vision.cluster.failures += [("get Lease", TransientError("unavailable"))] * 2
    operator = lives(vision, 120)

    assert operator.is_leading.is_set()
    assert len(vision.cluster.all(RAY_JOB)) == 1


def test_part_that_fails_ends_the_operator_with_its_error(vision: Vision) -> None:
    async def watch(stop: asyncio.Event) -> None:
        raise RuntimeError("the watch has died")

    with pytest.raises(RuntimeError, match="the watch has died"):
        run(operator_of(vision).run(watch))


def health(vision: Vision, told: bool) -> tuple[int, bytes]:
    """What the kubelet hears after 24 minutes in which a job changed every minute."""
    slowly = {"lease_duration_seconds": 90, "lease_renew_seconds": 80, "lease_retry_seconds": 40}

    async def life() -> tuple[int, bytes]:
        operator = operator_of(vision, **slowly, discovery_seconds=600, concurrency=1)
        running = asyncio.create_task(operator.run(until(HOUR)))
        for minute in range(24):
            vision.cluster.put(vision.job() | {"spec": vision.job()["spec"] | {"retry": minute % 2}})
            for kind in WATCHED if told else ():
                for each in vision.cluster.all(kind):
                    operator.view.hear(kind, each)
            await asyncio.sleep(60)
        reply = health_routes(operator)["/healthz"]()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return reply.status, reply.body

    return run(life())


def test_operator_that_is_told_of_everything_is_well(vision: Vision) -> None:
    assert health(vision, told=True) == (200, b"ok\n")


def test_operator_whose_watches_are_silent_is_found_ill(vision: Vision) -> None:
    status, body = health(vision, told=False)

    assert status == 503
    assert body.startswith(b"watches: no sign of life for")


def test_ready_once_everything_was_read(vision: Vision) -> None:
    async def life() -> tuple[int, int]:
        operator = operator_of(vision)
        ready = health_routes(operator)["/readyz"]
        before = ready().status
        await operator.run(until(5))
        return before, ready().status

    assert run(life()) == (503, 200)


def test_metrics_are_of_this_moment(vision: Vision) -> None:
    operator = lives(vision, 5)

    text = metrics_routes(operator)["/metrics"]().body.decode()
    assert 'trimtab_jobs{phase="Starting"} 1.0' in text
    assert "trimtab_leader 1.0" in text
    assert "trimtab_queue_depth 0.0" in text
