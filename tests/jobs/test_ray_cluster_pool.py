"""The pool on a Ray cluster of several nodes: works go to their group, lost nodes are waited for."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.test_ray_pool import SUPPORT, fifo_in, wait_for
from tests.support.ray_nodes import Nodes, ray_nodes
from trimtab_api.segments import WorkerGroup
from trimtab_jobs.pool import Done, Work, WorkerSetup
from trimtab_jobs.pool.ray_cluster import ClusterPool

WORKERS, EDGE = WorkerGroup(name="workers", workers=2, cpu=0.5), WorkerGroup(name="edge", cpu=2.0)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes() as nodes:
        nodes.add(WORKERS, slots=2)
        yield nodes


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def pool(nodes: Nodes, told: list[str], tmp_path: Path) -> Iterator[ClusterPool]:
    setup = WorkerSetup(str(tmp_path / "store"), "none:None", {}, str(SUPPORT))
    pool = ClusterPool(setup, [WORKERS, EDGE], told.append)
    yield pool
    pool.close()
    pool.close()


def run(pool: ClusterPool, function: str, group: str | None = None, **payload: Any) -> Done:
    pool.submit(Work(function, f"works:{function}", payload, group=group))
    return next(iter(wait_for(pool, 1)))


def test_workers_are_as_they_should_be(pool: ClusterPool):
    seen = run(pool, "see").value

    assert (seen["hash seed"], seen["threads"], seen["scratch"]) == ("0", "1", True)


def test_works_wait_for_a_node_of_their_group(nodes: Nodes, pool: ClusterPool, told: list[str]):
    pool.submit(Work("edge", "works:give", {"a": 1}, group="edge"))
    while told[-1:] != ["2 of 3 workers are there; waiting for room in group edge"]:
        assert pool.poll(0.1) == []

    node = nodes.add(EDGE, slots=1)

    (done,) = wait_for(pool, 1)
    assert done.value == {"a": 1}
    assert told[-1] == "all 3 workers are there"
    nodes.remove(node)


def test_a_lost_node_costs_its_work_and_the_next_waits_for_another(
    nodes: Nodes, pool: ClusterPool, told: list[str], tmp_path: Path
):
    node = nodes.add(EDGE, slots=1)
    pool.submit(Work("hold", "works:hold", {"fifo": fifo_in(tmp_path)}, group="edge"))
    start_of_hold = threading.Thread(target=(tmp_path / "fifo").read_text)
    start_of_hold.start()
    while start_of_hold.is_alive():
        pool.poll(0.1)

    nodes.remove(node)

    (lost,) = wait_for(pool, 1)
    assert lost.failure is not None
    assert lost.failure.kind == "infrastructure"
    pool.submit(Work("again", "works:give", {"a": 1}, group="edge"))
    assert run(pool, "give", b=2).value == {"b": 2}
    assert told[-1].endswith("waiting for room in group edge")
    nodes.add(EDGE, slots=1)
    (again,) = wait_for(pool, 1)
    assert again.value == {"a": 1}


def test_crash_costs_one_work(pool: ClusterPool):
    failure = run(pool, "crash").failure

    assert failure is not None
    assert (failure.kind, failure.error.startswith("the worker process was lost")) == ("infrastructure", True)
    assert run(pool, "give").failure is None


def test_a_process_that_ends_itself_says_so_from_its_own_node(pool: ClusterPool):
    failure = run(pool, "leave").failure

    assert failure is not None
    assert (failure.kind, failure.cause) == ("infrastructure", "crash")
    assert failure.error.startswith("the worker process ended by os._exit(3) in leave, works.py line ")
    assert "before the exit" in failure.tail


def test_value_that_cannot_be_sent_is_the_codes_fault(pool: ClusterPool):
    failure = run(pool, "lock").failure

    assert failure is not None
    assert failure.kind == "code"


def test_busy_group_refuses_another_work_and_abandoned_ones_free_it(pool: ClusterPool, tmp_path: Path):
    for number in range(2):
        pool.submit(Work("hold", "works:hold", {"fifo": fifo_in(tmp_path, str(number))}))
    with pytest.raises(RuntimeError, match="'third' submitted while all 2 workers are busy"):
        pool.submit(Work("third", "works:give", {}))

    pool.abandon()

    assert pool.poll(60) == []
    assert run(pool, "give", a=1).value == {"a": 1}


def test_workers_that_end_while_they_start_fail_what_waits_for_them(nodes: Nodes, tmp_path: Path):
    unpicklable = WorkerSetup("/store", "none:None", {}, None, data=Unloadable())
    pool = ClusterPool(unpicklable, [WORKERS], lambda said: None)
    pool.submit(Work("give", "works:give", {}))

    (done,) = wait_for(pool, 1)

    assert done.failure is not None
    assert done.failure.kind == "infrastructure"
    assert done.failure.error.startswith("workers end while they start: ")
    pool.close()


class Unloadable(dict):  # type: ignore[type-arg]  # a setup that no worker can read
    def __reduce__(self) -> Any:
        return (open, ("/absent",))
