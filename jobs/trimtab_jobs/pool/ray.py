"""A pool of Ray actors on this machine: each is used for work after work, a lost one is replaced.

The only module that imports Ray.
"""

import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import ray._private.worker as ray_worker
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

from trimtab_jobs.errors import RefusedError
from trimtab_jobs.pool import reaper
from trimtab_jobs.pool.actor import Actor
from trimtab_jobs.pool.base import Done, Failure, Work, WorkerSetup
from trimtab_jobs.pool.crash import crash_of
from trimtab_jobs.pool.printed import last_lines, read_printed
from trimtab_jobs.store import StoreError, open_store

OBJECT_STORE_BYTES = 128 * 2**20
"""Results are small; Ray's own default would take a third of the memory."""
_LONGEST_TEMPORARY = 40
"""Ray's sockets lie below it, and their paths may have 107 bytes in all."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A work under way."""

    work: Work
    worker: int
    started: float


@dataclass(frozen=True, slots=True)
class LastWords:
    """What is known of a worker that was lost."""

    printed: str = ""
    """What it had printed for its last work."""
    pod: str = ""
    """Where it was; "": on this machine."""
    is_killed: bool = False
    """Whether the kernel ended it for its memory."""


class RayPool:
    """`workers` actors on a local Ray of its own, which ends with this process however that ends."""

    def __init__(self, setup: WorkerSetup, workers: int, cpus_per_worker: int = 1) -> None:
        self.capacity = workers
        self._setup = setup
        self._cpus = cpus_per_worker
        self._folder = _short_folder()
        self._reaper: subprocess.Popen[bytes] | None = _start_reaper(self._folder)
        try:
            _start_ray(self._folder, setup.threads, workers * cpus_per_worker)
        except BaseException:
            self._end_all()
            raise
        self._actors = [self._new_actor(worker) for worker in range(workers)]
        self._idle = list(reversed(range(workers)))
        self._flights: dict[Any, Flight] = {}

    def submit(self, work: Work) -> None:
        """Start the work on a free actor."""
        if not self._idle:
            raise RuntimeError(f"work {work.id!r} submitted while all {self.capacity} workers are busy")
        worker = self._idle.pop()
        reference = self._actors[worker].perform.remote(work)
        self._flights[reference] = Flight(work, worker, time.perf_counter())

    def poll(self, timeout_seconds: float) -> list[Done]:
        """All works that have ended; one whose actor was lost has an infrastructure failure."""
        if not self._flights:
            return []
        return [self._collect(reference) for reference in ended_of(list(self._flights), timeout_seconds)]

    def abandon(self) -> None:
        """Kill the busy actors and start others in their place."""
        for flight in self._flights.values():
            self._replace(flight.worker)
            self._idle.append(flight.worker)
        self._flights.clear()

    def close(self) -> None:
        """End Ray and remove what it left on disk."""
        if self._reaper is not None:
            ray.shutdown()
            self._end_all()

    def _end_all(self) -> None:
        if self._reaper is not None:
            self._reaper.communicate()
            self._reaper = None

    def _collect(self, reference: Any) -> Done:
        flight = self._flights.pop(reference)
        self._idle.append(flight.worker)
        done, is_lost = landed(reference, flight, lambda: self._last_words(flight))
        if is_lost or done.is_worker_spent:
            self._replace(flight.worker)
        return done

    def _last_words(self, flight: Flight) -> LastWords:
        printed = read_printed(self._printed_path(flight.worker))
        return LastWords(kept(printed, flight.work, self._setup))

    def _replace(self, worker: int) -> None:
        ray.kill(self._actors[worker])
        self._actors[worker] = self._new_actor(worker)

    def _new_actor(self, worker: int) -> Any:
        actor_class: Any = ray.remote(Actor)
        options = actor_class.options(num_cpus=self._cpus, max_restarts=0, max_concurrency=1)
        return options.remote(self._setup, worker, self._printed_path(worker))

    def _printed_path(self, worker: int) -> Path:
        return self._folder / f"printed-{worker}"


def ended_of(references: list[Any], timeout_seconds: float) -> list[Any]:
    """The calls that have ended: waits for the first up to the timeout."""
    ended, others = ray.wait(references, num_returns=1, timeout=timeout_seconds)
    if ended and others:
        ended += ray.wait(others, num_returns=len(others), timeout=0)[0]
    return list(ended)


def landed(reference: Any, flight: Flight, words: Callable[[], LastWords]) -> tuple[Done, bool]:
    """What became of a work whose call has ended, and whether its actor was lost with it."""
    is_lost = False
    try:
        done: Done = ray.get(reference)
    except RayTaskError as error:  # perform itself never raises: the value could not be pickled
        failure = Failure("code", f"what {flight.work.function} returned cannot be sent: {error.cause}")
    except RayError as error:
        failure, is_lost = failure_of_loss(error, words()), True
    else:
        return done, False
    seconds = time.perf_counter() - flight.started
    return Done(flight.work.id, seconds, flight.worker, failure=failure), is_lost


def kept(printed: str, work: Work, setup: WorkerSetup) -> str:
    """What a lost worker had printed for a work; it is put into the work's log, as the worker would have.

    A store that fails is left to whoever needs it next.
    """
    if work.log and printed:
        with suppress(StoreError):
            open_store(setup.store_uri).put(work.log, printed.encode())
    return printed


def failure_of_loss(error: RayError, words: LastWords) -> Failure:
    """Whose fault it is that a worker was lost while it ran a work."""
    printed = words.printed
    if words.is_killed or isinstance(error, OutOfMemoryError):
        return Failure("configuration", _killed(words.pod), last_lines(printed), "memory")
    if crash := crash_of(printed):
        if crash.is_out_of_memory:
            return Failure(
                "configuration", f"{crash.error}: out of memory", last_lines(crash.output), "memory"
            )
        return Failure("infrastructure", crash.error, last_lines(crash.output), "crash")
    lost = f"the worker process was lost ({type(error).__name__}): killed, crashed or out of memory"
    return Failure("infrastructure", lost, last_lines(printed))


def _killed(pod: str) -> str:
    if not pod:
        return "killed before it used up the machine's memory"
    fix = "make the model, its batches or its data smaller, or give its pool more memory in the profile"
    return f"killed since pod {pod} was out of memory; {fix}"


def _short_folder() -> Path:
    """A new folder whose path leaves room for the names of sockets in it; RefusedError when there is none."""
    try:
        default = tempfile.gettempdir()
        place = default if len(default) <= _LONGEST_TEMPORARY else "/tmp"
        return Path(tempfile.mkdtemp(prefix="tt-", dir=place))
    except OSError as error:
        raise RefusedError(
            f"Ray needs a temporary folder ({error}): set TMPDIR to one that can be written, "
            f"with a path of at most {_LONGEST_TEMPORARY} characters"
        ) from None


def _start_reaper(folder: Path) -> "subprocess.Popen[bytes]":
    # A session of its own: neither Ctrl-C nor a signal to the driver's group must end it first.
    command = [sys.executable, "-I", "-S", reaper.__file__, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _start_ray(folder: Path, threads: int, cpus: int) -> None:
    environment = {
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray asks for a token by itself, and would write it to the home folder, which may not be writable.
        "RAY_AUTH_TOKEN": os.environ.get("RAY_AUTH_TOKEN") or secrets.token_hex(32),
        # Else Ray warns that it will stop hiding GPUs from actors that ask for none.
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        # Ray lowers its workers' priority, and with it every latency that is measured in one.
        "RAY_worker_niceness": "0",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": str(threads),
    }
    with _inherited(environment), own_signal_handlers():
        ray.init(
            address="local",
            num_cpus=cpus,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(folder),
        )
    ray_worker._worker_logs_enabled = False  # log_to_driver leaves out what Ray prints about lost workers


@contextmanager
def _inherited(variables: Mapping[str, str]) -> Iterator[None]:
    """Let the processes that are started meanwhile see these variables of the environment.

    The token stays: this process shows it to Ray with every call.
    """
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is not None:
                os.environ[name] = value
            elif not name.startswith("RAY_AUTH_"):
                del os.environ[name]


@contextmanager
def own_signal_handlers() -> Iterator[None]:
    """Keep the driver's handlers of SIGINT and SIGTERM, which Ray would replace by its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
