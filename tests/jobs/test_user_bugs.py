"""What people's code may do to a worker: the right failure with its own last words, and the pool lives on."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.test_ray_pool import SUPPORT, wait_for
from trimtab_jobs.pool import Done, Failure, Work, WorkerSetup
from trimtab_jobs.pool.printed import LIMIT_BYTES
from trimtab_jobs.pool.ray import RayPool
from trimtab_jobs.store import open_store

TRIMTAB = Path(sys.executable).with_name("trimtab")
RUN_TRIAL = "trimtab_jobs.tasks.trial:run_trial"
MEMORY = "1536Mi"


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayPool]:
    store = str(tmp_path_factory.mktemp("store"))
    pool = RayPool(
        WorkerSetup(store, "user_bugs:Bugs", {}, str(SUPPORT), trial_memory=MEMORY),
        workers=1,
    )
    yield pool
    pool.close()


def run(pool: RayPool, bug: str) -> Done:
    payload: dict[str, Any] = {
        "trial": 0, "params": {"bug": bug}, "seed": 7, "last_epoch": 1, "resume": None,
        "checkpoint": f"checkpoints/{bug}.pt", "objectives": ["accuracy"],
    }  # fmt: skip
    pool.submit(Work(f"trial-{bug}", RUN_TRIAL, payload, f"logs/{bug}.log"))
    (done,) = wait_for(pool, 1)
    return done


def failure_of(done: Done) -> Failure:
    assert done.failure is not None
    assert done.seconds < 60
    return done.failure


@pytest.mark.parametrize(
    ("bug", "error", "last_words"),
    [
        ("raises", "ValueError: no such layer: conv9", 'raise ValueError("no such layer: conv9")'),
        (
            "shape",
            "RuntimeError: addmm: mat1 and mat2 shapes cannot be multiplied (64x8 and 9x2)",
            "mat1 and mat2",
        ),
        ("exits", "SystemExit: 3", "sys.exit(3)"),
        ("recursion", "RecursionError: maximum recursion depth exceeded", "recursion()"),
    ],
)
def test_what_is_raised_is_said_with_its_traceback(pool: RayPool, bug: str, error: str, last_words: str):
    failure = failure_of(run(pool, bug))

    assert (failure.kind, failure.error, failure.cause) == ("configuration", error, "")
    assert last_words in failure.tail


def test_code_for_a_gpu_says_that_there_is_none(pool: RayPool):
    failure = failure_of(run(pool, "gpu"))

    assert failure.kind == "configuration"
    assert "CUDA" in failure.error or "NVIDIA" in failure.error
    assert "torch.ones(1).cuda()" in failure.tail


@pytest.mark.parametrize("bug", ["ten_gigabytes_of_torch", "leak"])
def test_more_memory_than_a_trial_may_have_is_said_at_once(pool: RayPool, bug: str):
    failure = failure_of(run(pool, bug))

    assert failure == Failure(
        "configuration",
        f"spec.resources.search.perTrial.memory: the trial needs more than {MEMORY}; "
        "raise it, or make the model, its batches or its data smaller",
        failure.tail,
        "memory",
    )
    assert f"in {bug}" in failure.tail


@pytest.mark.parametrize(
    ("bug", "error"),
    [
        ("segfault", "SIGSEGV (segmentation fault) in segfault, user_bugs.py line 40"),
        ("leaves", "os._exit(3) in leaves, user_bugs.py line 36"),
    ],
)
def test_a_process_that_ends_itself_says_where(pool: RayPool, bug: str, error: str):
    failure = failure_of(run(pool, bug))

    assert (failure.kind, failure.cause) == ("infrastructure", "crash")
    assert failure.error == f"the worker process ended by {error}"
    assert f"about to do it: {bug}\n" in failure.tail
    log = open_store(pool._setup.store_uri).get(f"logs/{bug}.log").decode()
    assert log.startswith(f"about to do it: {bug}\n")
    assert failure.tail.splitlines()[-1].startswith("Fatal Python error: ")
    assert failure.tail.splitlines()[-2].endswith(f"in {bug}") or bug == "segfault"


@pytest.mark.parametrize("bug", ["child", "child_that_goes_on"])
def test_a_child_that_is_left_behind_does_no_harm(pool: RayPool, bug: str):
    run(pool, bug)  # a child that goes on is in its parent's way: what becomes of that trial is open

    done = run(pool, "nothing")

    assert done.failure is None
    assert done.value["metrics"]["accuracy"] > 0


def test_a_storm_of_words_fills_neither_the_disk_nor_the_log(pool: RayPool):
    printed = pool._printed_path(0)
    used: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            used.append(os.stat(printed).st_blocks * 512)

    thread = threading.Thread(target=watch)
    thread.start()
    done = run(pool, "storm")
    ended.set()
    thread.join()

    assert done.failure is None
    log = open_store(pool._setup.store_uri).get("logs/storm.log")
    assert log.startswith(b"about to do it: storm\nthe first words\n")
    assert log.endswith(b"the last words\n")
    assert len(log) < LIMIT_BYTES + 100
    assert max(used) < 2**30


IMPORT = "import os\nprint('about to leave')\nos._exit(7)\nclass Task: ...\n"
MANIFEST = """
apiVersion: trimtab.io/v1alpha1
kind: OptimizationJob
metadata: {name: leaves}
spec:
  task: {entrypoint: "leaves:Task"}
  objectives: [{metric: accuracy, direction: maximize}]
"""


def test_an_import_that_takes_the_process_down_is_the_codes_fault(tmp_path: Path):
    (tmp_path / "leaves.py").write_text(IMPORT)
    (tmp_path / "job.yaml").write_text(MANIFEST)
    started = time.monotonic()

    ended = subprocess.run(
        [TRIMTAB, "run", "job.yaml", "--output", "output"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert time.monotonic() - started < 60
    assert (
        "2 times in a row: the worker process ended by os._exit(7) in <module>, leaves.py line 3"
        in ended.stdout
    )
    assert '"reason": "Code"' in (tmp_path / "output" / "result.json").read_text()
