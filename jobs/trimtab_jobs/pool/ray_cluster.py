"""A pool of Ray actors on a cluster that is there already: placed by group, replaced when their node is lost.

Ray gives an actor its place when the cluster has room, be it hours later. So works wait here, not at an
actor: they go to whichever worker of their group is there, and a lost node costs only its own.
"""

import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trimtab_api.segments import WorkerGroup
from trimtab_jobs import alive
from trimtab_jobs.pool.actor import Actor
from trimtab_jobs.pool.base import Done, Failure, Work, WorkerSetup
from trimtab_jobs.pool.kernel import KillLedger, memory_kills
from trimtab_jobs.pool.printed import read_printed
from trimtab_jobs.pool.ray import Flight, LastWords, ended_of, kept, landed, own_signal_handlers

MOST_FALSE_STARTS = 5
"""Workers in a row that may end while they start, before the works that wait for one fail."""
JOIN_SECONDS = 120.0
"""How long Ray may take to let this process in."""
READ_SECONDS = 10.0
"""How long a lost worker's last words are waited for: a node that is lost as well will not answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where what a worker prints can be read once it is lost."""

    node: str
    """Ray's name of the node."""
    printed: str
    """Path of the file there."""
    pod: str
    kills: int
    """Processes of its container that the kernel had ended for their memory by then."""


class PlacedActor(Actor):
    """An actor that tells where it is."""

    def place(self) -> Place:
        """Its place, once the process has it and has started."""
        node = ray.get_runtime_context().get_node_id()
        return Place(node, str(self.printed_path), socket.gethostname(), memory_kills())


def read_here(printed: str) -> tuple[str, int]:
    """What the lost worker had printed for its last work; how many the kernel has ended beside it."""
    return read_printed(Path(printed)), memory_kills()


def read_there(place: Place) -> tuple[str, int]:
    """The same of the lost worker of a place; nothing new when its node is lost as well.

    Only a process of that node can read it: a task that takes nothing of the node but a moment.
    """
    there = NodeAffinitySchedulingStrategy(place.node, soft=False)
    alive.sign()
    reading: Any = ray.remote(read_here).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    try:
        printed, kills = ray.get(reading.remote(place.printed), timeout=READ_SECONDS)
    except RayError:
        return "", place.kills
    return str(printed), int(kills)


@dataclass(slots=True)
class _Worker:
    """One place in a group, whichever actor has it."""

    group: WorkerGroup
    actor: Any = None
    place: Place | None = None
    """None until it is there."""


class ClusterPool:
    """The workers of each group of the cluster; `tell` hears when some are missing and when all are there."""

    def __init__(
        self, setup: WorkerSetup, groups: Sequence[WorkerGroup], tell: Callable[[str], None]
    ) -> None:
        self.capacity = groups[0].workers
        self._setup = setup
        self._tell = tell
        self._told = ""
        self._groups = {group.name: group for group in groups}
        self._first = groups[0].name
        self._waiting: dict[str, deque[Work]] = {name: deque() for name in self._groups}
        self._starting: dict[Any, int] = {}
        self._flights: dict[Any, Flight] = {}
        self._false_starts = 0
        self._last_false_start = ""
        self._kills = KillLedger()
        _join_cluster()
        self._workers = [_Worker(group) for group in groups for _ in range(group.workers)]
        for worker in range(len(self._workers)):
            self._start(worker)

    def submit(self, work: Work) -> None:
        """Start the work on a free worker of its group, or as soon as one is there."""
        group = self._group_of(work)
        flying = sum(self._workers[flight.worker].group is group for flight in self._flights.values())
        if flying + len(self._waiting[group.name]) >= group.workers:
            raise RuntimeError(f"work {work.id!r} submitted while all {group.workers} workers are busy")
        self._waiting[group.name].append(work)
        self._dispatch()

    def poll(self, timeout_seconds: float) -> list[Done]:
        """All works that have ended; one whose actor was lost has an infrastructure failure."""
        if not self._flights and not any(self._waiting.values()):
            return []
        ready = ended_of([*self._flights, *self._starting], timeout_seconds)
        ended = [self._collect(reference) for reference in ready if reference in self._flights]
        for reference in ready:
            if reference in self._starting:
                self._greet(reference)
        ended += self._without_workers()
        self._dispatch()
        self._tell_missing()
        return ended

    def abandon(self) -> None:
        """Kill the busy actors and start others in their place."""
        for works in self._waiting.values():
            works.clear()
        busy = [flight.worker for flight in self._flights.values()]
        self._flights.clear()
        for worker in busy:
            self._replace(worker)

    def close(self) -> None:
        """Let all actors go and leave the cluster."""
        if self._workers:
            for worker in self._workers:
                ray.kill(worker.actor)
            self._workers.clear()
            ray.shutdown()

    def _group_of(self, work: Work) -> WorkerGroup:
        return self._groups[work.group or self._first]

    def _dispatch(self) -> None:
        """Give works that wait to workers that are free."""
        busy = {flight.worker for flight in self._flights.values()}
        for number, worker in enumerate(self._workers):
            works = self._waiting[worker.group.name]
            if works and worker.place and number not in busy:
                work = works.popleft()
                reference = worker.actor.perform.remote(work)
                self._flights[reference] = Flight(work, number, time.perf_counter())

    def _collect(self, reference: Any) -> Done:
        flight = self._flights.pop(reference)
        done, is_lost = landed(reference, flight, lambda: self._last_words(flight))
        if is_lost or done.is_worker_spent:
            self._replace(flight.worker)
        return done

    def _last_words(self, flight: Flight) -> LastWords:
        place = self._workers[flight.worker].place
        if place is None:
            return LastWords()
        printed, kills = read_there(place)
        is_killed = self._kills.is_a_kill(place.node, kills)
        return LastWords(kept(printed, flight.work, self._setup), place.pod, is_killed)

    def _greet(self, reference: Any) -> None:
        """Take note that an actor is there, or that it ended before it was."""
        worker = self._starting.pop(reference)
        try:
            self._workers[worker].place = place = ray.get(reference)
            self._kills.note(place.node, place.kills)
            self._false_starts = 0
        except RayError as error:
            self._false_starts += 1
            self._last_false_start = str(error)
            self._replace(worker)

    def _without_workers(self) -> list[Done]:
        """The works that wait, failed, once one worker after the other has ended while it started."""
        if self._false_starts < MOST_FALSE_STARTS:
            return []
        self._false_starts = 0
        lines = self._last_false_start.strip().splitlines()
        failure = Failure("infrastructure", f"workers end while they start: {lines[-1]}", "\n".join(lines))
        waiting = [work for works in self._waiting.values() for work in works]
        for works in self._waiting.values():
            works.clear()
        return [Done(work.id, 0.0, worker=-1, failure=failure) for work in waiting]

    def _replace(self, worker: int) -> None:
        ray.kill(self._workers[worker].actor)
        self._start(worker)

    def _start(self, number: int) -> None:
        worker = self._workers[number]
        worker.place = None
        worker.actor = _new_actor(self._setup, number, worker.group)
        self._starting[worker.actor.place.remote()] = number

    def _tell_missing(self) -> None:
        """Say how many workers are missing, whenever that changes while some are waited for."""
        missing = [worker for worker in self._workers if not worker.place]
        there = len(self._workers) - len(missing)
        names = ", ".join(dict.fromkeys(f"group {worker.group.name}" for worker in missing))
        said = (
            f"{there} of {len(self._workers)} workers are there; waiting for room in {names}"
            if missing
            else ""
        )
        if said != self._told:
            self._tell(said or f"all {there} workers are there")
            self._told = said


def _join_cluster() -> None:
    alive.sign(JOIN_SECONDS)
    with own_signal_handlers():
        ray.init(address="auto", log_to_driver=False, logging_level=logging.ERROR)


def _new_actor(setup: WorkerSetup, number: int, group: WorkerGroup) -> Any:
    """An actor to come, in the environment of its pod: with one of its own Ray could not take a process that
    it has started beforehand.
    """
    actor_class: Any = ray.remote(PlacedActor)
    options = actor_class.options(
        num_cpus=group.cpu,
        num_gpus=group.gpu,
        resources={f"group-{group.name}": 1},
        max_restarts=0,
        max_concurrency=1,
    )
    return options.remote(setup, number)
