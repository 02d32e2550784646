"""What the world around a job is like, and what it costs to know."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.support.operators import DIGITS, Vision
from tests.support.virtual_time import run
from tests.support.worlds import INITIALIZING, START, job
from trimtab_operator.errors import ForbiddenError, TransientError
from trimtab_operator.kinds import NAMESPACE, RAY_JOB
from trimtab_operator.observe import WARNINGS_SECONDS, Observer
from trimtab_operator.world import Observed


@pytest.fixture
def started() -> Vision:
    """A job whose RayJob was made at 08:00."""
    vision = Vision()
    vision.put(job())
    vision.look()
    vision.put(vision.ray_job() | {"status": INITIALIZING})
    vision.put(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "vision"},
            **quota(vision),
        }
    )
    vision.asked()
    return vision


def quota(vision: Vision, kind: str = "RayCluster") -> dict[str, Any]:
    about = {"kind": kind, "name": f"{vision.ray_job()['metadata']['name']}-x7x2p"}
    return {"type": "Warning", "involvedObject": about, "message": "pods are forbidden: exceeded quota"}


def seen(vision: Vision, seconds: float, observer: Observer | None = None) -> Observed:
    now = START + timedelta(seconds=seconds)
    found = run((observer or Observer(vision.cluster, vision.view, lambda: now)).observe(DIGITS))
    assert found
    return found


def pod(number: int) -> dict[str, Any]:
    metadata = {"name": f"pod-{number}", "namespace": "vision", "labels": {"trimtab.io/job": "digits"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {},
        "status": {"phase": "Pending"},
    }


def test_world_is_what_was_told(started: Vision) -> None:
    started.put(pod(1))

    world = seen(started, seconds=1)
    assert world.job["metadata"]["name"] == "digits"
    assert [each["metadata"]["name"] for each in world.profiles] == ["cpu-small"]
    assert world.namespace == started.cluster.find(NAMESPACE, "vision")
    assert world.plan
    assert world.plan["metadata"]["name"] == "digits-plan"
    assert world.report
    assert len(world.ray_jobs) == len(world.pods) == 1
    assert (world.events, world.has_kuberay) == ((), True)


def test_warnings_are_read_when_the_pods_do_not_come(started: Vision) -> None:
    early, late = seen(started, seconds=10), seen(started, seconds=30)

    assert early.events == ()
    assert [each["message"] for each in late.events] == ["pods are forbidden: exceeded quota"]


def test_warnings_are_not_read_when_the_pods_are_there(started: Vision) -> None:
    groups = started.ray_job()["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    for number in range(1 + sum(group["replicas"] for group in groups)):
        started.put(pod(number))

    assert seen(started, seconds=30).events == ()


def test_warnings_that_cannot_be_read_stop_nothing_and_are_not_asked_for_again_at_once(
    started: Vision,
) -> None:
    observer = Observer(started.cluster, started.view, lambda: START + timedelta(seconds=60))
    started.cluster.failures.append(("list Event", ForbiddenError("no")))

    for _ in range(2):
        assert seen(started, 60, observer).events == ()
    assert started.asked().count("list Event") == 1


def test_warnings_that_were_read_before_are_good_while_none_can_be_read(started: Vision) -> None:
    observer = Observer(started.cluster, started.view, lambda: START + timedelta(seconds=60))

    async def twice() -> list[int]:
        found = [await observer.observe(DIGITS)]
        await asyncio.sleep(WARNINGS_SECONDS)
        started.cluster.failures.append(("list Event", TransientError("busy")))
        found.append(await observer.observe(DIGITS))
        return [len(each.events) for each in found if each]

    assert run(twice()) == [1, 1]


def test_one_list_of_warnings_serves_all_looks_for_a_while(started: Vision) -> None:
    observer = Observer(started.cluster, started.view, lambda: START + timedelta(seconds=60))

    for _ in range(3):
        seen(started, 60, observer)
    once = started.asked().count("list Event")
    observer.forget()
    seen(started, 60, observer)

    assert (once, started.asked().count("list Event")) == (1, 1)


def test_namespace_is_read_once_until_all_is_read_anew(started: Vision) -> None:
    observer = Observer(started.cluster, started.view, lambda: START)

    for _ in range(2):
        seen(started, 0, observer)
    observer.forget()
    seen(started, 0, observer)

    assert started.asked().count("get Namespace vision") == 2


def test_namespace_that_may_not_be_read_is_unknown(started: Vision) -> None:
    started.cluster.failures.append(("get Namespace", ForbiddenError("no")))

    assert seen(started, 0).namespace is None


def test_config_map_that_is_not_the_jobs_does_not_count(started: Vision) -> None:
    for name in ("digits-plan", "digits-report"):
        metadata = {"name": name, "namespace": "vision", "labels": {"trimtab.io/job": "digits"}}
        started.put(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"plan.json": "{}"}}
        )

    world = seen(started, 0)
    assert (world.plan, world.report) == (None, None)


def test_ray_jobs_are_read_by_name_when_the_view_has_lost_them(started: Vision) -> None:
    started.view.lose(RAY_JOB, started.ray_job())
    observer = Observer(started.cluster, started.view, lambda: START)

    world = run(observer.observe_live(DIGITS))
    assert world
    assert [each["metadata"]["name"] for each in world.ray_jobs] == [started.ray_job()["metadata"]["name"]]
    assert "list RayJob" not in started.asked()


def test_live_look_without_kuberay(started: Vision) -> None:
    started.cluster.missing.add("RayJob")

    world = run(Observer(started.cluster, started.view, lambda: START).observe_live(DIGITS))
    assert world
    assert (world.ray_jobs, world.has_kuberay) == ((), False)


def test_no_job_no_world() -> None:
    vision = Vision()
    observer = Observer(vision.cluster, vision.view, lambda: START)

    assert run(observer.observe(DIGITS)) is None
    assert run(observer.observe_live(DIGITS)) is None
