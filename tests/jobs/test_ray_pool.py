"""The pool on a real Ray: works in reused actors, lost ones replaced, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import OutOfMemoryError

from trimtab_jobs.errors import RefusedError
from trimtab_jobs.pool import Done, Failure, Work, WorkerSetup
from trimtab_jobs.pool.ray import LastWords, RayPool, failure_of_loss
from trimtab_jobs.pool.reaper import processes_in
from trimtab_jobs.store import open_store

SUPPORT = Path(__file__).parent.parent / "support"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayPool]:
    handlers = [signal.getsignal(number) for number in SIGNALS]
    setup = WorkerSetup(str(tmp_path_factory.mktemp("store")), "none:None", {}, str(SUPPORT), threads=1)
    pool = RayPool(setup, workers=2)
    assert [signal.getsignal(number) for number in SIGNALS] == handlers
    yield pool
    pool.close()
    pool.close()


def test_without_a_temporary_folder_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")

    with pytest.raises(RefusedError, match=r"'/nowhere/tt-.*set TMPDIR to one that can be written, with a"):
        RayPool(WorkerSetup("store", "none:None", {}), workers=1)


def run(pool: RayPool, function: str, log: str | None = None, **payload: Any) -> Done:
    pool.submit(Work(function, f"works:{function}", payload, log))
    return next(iter(wait_for(pool, 1)))


def wait_for(pool: RayPool, works: int) -> list[Done]:
    ended: list[Done] = []
    while len(ended) < works:
        ended += pool.poll(60)
    return ended


def test_value_comes_back(pool: RayPool) -> None:
    done = run(pool, "give", a=[1, 2])

    assert done == Done("give", seconds=done.seconds, worker=done.worker, value={"a": [1, 2]})


def test_workers_are_reused_and_as_they_should_be(pool: RayPool) -> None:
    seen = []
    for _ in range(3):
        for _ in range(2):
            pool.submit(Work("see", "works:see", {}))
        seen += [done.value for done in wait_for(pool, 2)]

    assert len({value.pop("pid") for value in seen}) == 2
    expected = {
        "hash seed": "0",
        "threads": "1",
        "niceness": os.nice(0),
        "scratch": True,
        "torch": False,
    }
    assert seen == [expected] * 6


def test_busy_pool_refuses_another_work(pool: RayPool) -> None:
    for _ in range(2):
        pool.submit(Work("give", "works:give", {}))

    with pytest.raises(RuntimeError, match="'third' submitted while all 2 workers are busy"):
        pool.submit(Work("third", "works:give", {}))
    wait_for(pool, 2)


def test_idle_pool_has_nothing_to_wait_for(pool: RayPool) -> None:
    assert pool.poll(60) == []


def test_poll_returns_nothing_when_the_time_is_up(pool: RayPool, tmp_path: Path) -> None:
    pool.submit(Work("hold", "works:hold", {"fifo": fifo_in(tmp_path)}))

    assert pool.poll(0) == []
    pool.abandon()


def test_exception_is_a_failure_and_the_worker_goes_on(pool: RayPool) -> None:
    failure = run(pool, "fail", kind="exit").failure

    assert failure is not None
    assert (failure.kind, failure.error) == ("configuration", "SystemExit: 3")
    assert run(pool, "give").failure is None


def test_what_a_work_prints_goes_to_the_store(pool: RayPool) -> None:
    run(pool, "speak", log="logs/1.log")

    log = open_store(pool._setup.store_uri).get("logs/1.log")
    assert sorted(log.splitlines()) == [b"c code", b"error", b"python", b"subprocess"]


def test_value_that_cannot_be_sent_is_the_codes_fault(pool: RayPool) -> None:
    failure = run(pool, "lock").failure

    assert failure is not None
    assert failure.kind == "code"
    assert failure.error.startswith("what works:lock returned cannot be sent: ")


def test_lost_worker_is_replaced_and_its_last_words_are_kept(pool: RayPool) -> None:
    done = run(pool, "crash")

    assert done.failure == Failure(
        "infrastructure",
        "the worker process was lost (ActorDiedError): killed, crashed or out of memory",
        "before the crash",
    )
    for _ in range(2):
        pool.submit(Work("give", "works:give", {}))
    assert [each.failure for each in wait_for(pool, 2)] == [None, None]


def test_worker_killed_for_its_memory_is_the_parameters_fault() -> None:
    assert failure_of_loss(OutOfMemoryError("95% used"), LastWords("last words")) == Failure(
        "configuration", "killed before it used up the machine's memory", "last words", "memory"
    )


def test_second_pool_of_a_process_is_refused_and_leaves_the_first_alone(pool: RayPool) -> None:
    with pytest.raises(RuntimeError, match=r"called ray\.init twice"):
        RayPool(pool._setup, workers=1)

    assert run(pool, "give").failure is None


def test_abandoned_works_free_their_workers(pool: RayPool, tmp_path: Path) -> None:
    for number in range(2):
        pool.submit(Work("hold", "works:hold", {"fifo": fifo_in(tmp_path, str(number))}))

    pool.abandon()

    for _ in range(2):
        pool.submit(Work("give", "works:give", {}))
    assert [done.id for done in wait_for(pool, 2)] == ["give", "give"]


def fifo_in(folder: Path, name: str = "fifo") -> str:
    os.mkfifo(folder / name)
    return str(folder / name)


DRIVER = """
import json, sys
from trimtab_jobs.pool import Work, WorkerSetup
from trimtab_jobs.pool.ray import RayPool, failure_of_loss

store, code, fifo = sys.argv[1:]
pool = RayPool(WorkerSetup(store, "none:None", {}, code), workers=1)
print(pool._folder, flush=True)
for function in ["crash", "give"]:
    pool.submit(Work(function, f"works:{function}", {}))
    (done,) = pool.poll(60)
    print(json.dumps(done.failure and done.failure.kind), flush=True)
if fifo:
    pool.submit(Work("hold", "works:hold", {"fifo": fifo}))
    pool.poll(600)
pool.close()
"""


def start_driver(store: Path, fifo: str = "", **environment: str) -> "subprocess.Popen[str]":
    # What it prints is read to the end of file: all processes that it starts hold its terminal open.
    command = [sys.executable, "-c", DRIVER, str(store), str(SUPPORT), fifo]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )


def test_pool_is_quiet_needs_no_home_and_leaves_nothing(tmp_path: Path) -> None:
    with start_driver(tmp_path, HOME=os.devnull, TMPDIR=str(tmp_path)) as driver:
        assert driver.stdout is not None
        folder, *lines = driver.stdout.read().splitlines()

    assert [json.loads(line) for line in lines] == ["infrastructure", None]
    assert (driver.returncode, processes_in(folder), Path(folder).exists()) == (0, [], False)
    assert len(folder) < 60


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_everything_ends_with_a_driver_that_is_killed(number: signal.Signals, tmp_path: Path) -> None:
    fifo = fifo_in(tmp_path)
    with start_driver(tmp_path, fifo) as driver:
        assert driver.stdout is not None
        assert Path(fifo).read_text() == "holding"
        folder = driver.stdout.readline().strip()
        assert len(processes_in(folder)) > 3
        driver.send_signal(number)
        driver.stdout.read()

    assert (processes_in(folder), Path(folder).exists()) == ([], False)
    assert driver.returncode != 0
