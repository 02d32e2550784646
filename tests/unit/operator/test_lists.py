"""Lists of everything, into the view."""

import asyncio
import logging

import pytest

from tests.support.operators import DIGITS, Vision
from tests.support.virtual_time import run
from tests.support.worlds import job
from trimtab_operator.errors import NotServedError, TransientError
from trimtab_operator.kinds import CONFIG_MAP, JOB, POD, PROFILE, RAY_JOB, WATCHED
from trimtab_operator.lists import Lists
from trimtab_operator.view import View


@pytest.fixture
def started() -> Vision:
    """A job whose children are there, and a ConfigMap that is not ours."""
    vision = Vision()
    vision.put(job())
    vision.look()
    metadata = {"name": "other", "namespace": "vision"}
    vision.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    return vision


def lists_of(vision: Vision, *namespaces: str) -> Lists:
    lists = Lists(vision.cluster, View(), namespaces)
    run(lists.discover())
    return lists


def test_view_is_filled_with_what_is_watched(started: Vision) -> None:
    lists = lists_of(started)

    assert run(lists.read(is_round=False)) == 0
    assert lists.view.jobs() == [DIGITS]
    assert len(lists.view.profiles()) == len(lists.view.children(RAY_JOB, DIGITS)) == 1
    assert len(lists.view.children(CONFIG_MAP, DIGITS)) == 2
    assert lists.view.get(CONFIG_MAP, "vision", "other") is None


@pytest.mark.parametrize("request_", ["list OptimizationJob", "list Pod", "page 2 of OptimizationJob"])
def test_list_that_fails_midway_makes_nobody_believe_that_watches_are_silent(
    started: Vision, request_: str
) -> None:
    started.cluster.put(job() | {"metadata": {**job()["metadata"], "name": "other", "uid": "other"}})
    started.cluster.put(job() | {"metadata": {**job()["metadata"], "name": "third", "uid": "third"}})
    lists = lists_of(started)
    run(lists.read(is_round=True))
    for kind in WATCHED:
        for each in started.cluster.all(kind):
            lists.view.hear(kind, each)
    for each in started.cluster.all(JOB):
        started.cluster.put(each | {"spec": each["spec"] | {"suspend": True}})
    started.cluster.failures.append((request_, TransientError("unavailable")))

    assert run(lists.read(is_round=True)) == 0


@pytest.mark.parametrize(("namespaces", "jobs"), [(("audio", "vision"), [DIGITS]), (("audio",), [])])
def test_only_the_namespaces_that_are_served_are_read(
    started: Vision, namespaces: tuple[str, ...], jobs: list[object]
) -> None:
    lists = lists_of(started, *namespaces)

    run(lists.read(is_round=False))

    assert lists.view.jobs() == jobs
    assert len(lists.view.profiles()) == 1


def test_what_is_gone_is_dropped_and_what_was_never_told_of_is_counted(started: Vision) -> None:
    lists = lists_of(started)
    rounds = [run(lists.read(is_round=True)) for _ in range(2)]
    started.cluster.remove(started.ray_job())
    rounds.append(run(lists.read(is_round=True)))

    assert rounds == [0, 5, 4]
    assert lists.view.children(RAY_JOB, DIGITS) == ()


def test_kinds_that_are_served_are_asked_for(started: Vision) -> None:
    started.cluster.missing.add("RayJob")
    lists = lists_of(started)

    assert lists.served == {JOB, PROFILE, CONFIG_MAP, POD}
    assert not lists.view.has_kuberay
    assert not run(lists.discover())
    started.cluster.missing.clear()
    assert run(lists.discover())
    assert lists.view.has_kuberay


def test_kuberay_that_did_not_answer_once_is_found_again(started: Vision) -> None:
    lists = lists_of(started)
    lists.view.has_kuberay = False

    assert run(lists.discover())
    assert lists.view.has_kuberay
    assert not run(lists.discover())


def test_kind_that_is_no_longer_served_has_no_objects(started: Vision) -> None:
    lists = lists_of(started)
    run(lists.read(is_round=False))
    started.cluster.failures.append(("list RayJob", NotServedError("gone")))
    run(lists.read(is_round=False))

    assert lists.view.children(RAY_JOB, DIGITS) == ()
    assert lists.view.jobs() == [DIGITS]


def test_list_is_tried_until_it_is_read(started: Vision, caplog: pytest.LogCaptureFixture) -> None:
    lists = lists_of(started)
    started.cluster.failures += [("list OptimizationJob", TransientError("unavailable"))] * 3

    async def seconds() -> float:
        await lists.read(is_round=False)
        return asyncio.get_running_loop().time()

    with caplog.at_level(logging.WARNING):
        assert run(seconds()) == 6
    assert {record.getMessage() for record in caplog.records} == {"cannot list what is there: unavailable"}
