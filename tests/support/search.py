"""A search without workers: works are answered by a plain function, in an order that the test decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support.memory_store import MemoryStore
from trimtab_api.job import Objective, SearchSpec
from trimtab_jobs.pool import Done, Failure, Work
from trimtab_jobs.search import SearchOutcome, SearchRequest, SearchState, search

ACCURACY = Objective(metric="accuracy", direction="maximize")
LOSS = Objective(metric="loss", direction="minimize")
SPACE = (
    {"name": "lr", "float": {"low": 0.001, "high": 0.1, "log": True}, "default": "0.01"},
    {"name": "width", "int": {"low": 16, "high": 64, "step": 16}, "default": "32"},
    {"name": "optimizer", "categorical": ["sgd", "adamw"]},
    {"name": "momentum", "float": {"low": 0, "high": 0.9}, "when": {"parameter": "optimizer", "in": ["sgd"]}},
)


class Killed(BaseException):
    """The driver was killed: nothing after it runs."""


@dataclass
class MemoryRecord:
    """A record in memory; the driver is killed by its commit after `dies_after` others, durable or not."""

    batches: tuple[bytes, ...] = ()
    dies_after: int | None = None
    durable: bool = False
    lost: str | None = None
    _commits: int = 0

    def commit(self, batch: bytes) -> None:
        dies = self._commits == self.dies_after
        self._commits += 1
        if not dies or self.durable:
            self.batches += (batch,)
        if dies:
            raise Killed


Answer = Callable[[Work], Mapping[str, Any] | Failure]


@dataclass
class AnsweringPool:
    """Answers works in a shuffled order, as a worker with their checkpoints; `started` holds every work."""

    answer: Answer
    store: MemoryStore
    capacity: int = 2
    order: Random = field(default_factory=lambda: Random(0))
    started: list[Work] = field(default_factory=list)
    _under_way: list[Work] = field(default_factory=list)

    def submit(self, work: Work) -> None:
        assert len(self._under_way) < self.capacity
        if work.payload["resume"]:
            self.store.get(work.payload["resume"])
        self.started.append(work)
        self._under_way.append(work)

    def poll(self, timeout_seconds: float) -> list[Done]:
        if not self._under_way:
            return []
        self.order.shuffle(self._under_way)
        ended = [self._under_way.pop() for _ in range(self.order.randint(1, len(self._under_way)))]
        return [self._done(work) for work in ended]

    def abandon(self) -> None:
        self._under_way.clear()

    def close(self) -> None:
        self.abandon()

    def _done(self, work: Work) -> Done:
        answer = self.answer(work)
        if isinstance(answer, Failure):
            return Done(work.id, seconds=1.0, worker=0, failure=answer)
        if answer.get("checkpoint"):
            self.store.put(answer["checkpoint"], b"state")
        return Done(work.id, seconds=1.0, worker=0, value=answer)


def accuracy_of(work: Work) -> dict[str, Any]:
    """Best near lr=0.03 and width=48, better with every epoch."""
    params = work.payload["params"]
    reached = 1 - abs(params.get("lr", 0.0) - 0.03) * 5 - abs(params.get("width", 48) - 48) / 200
    return {
        "metrics": {"accuracy": reached - 0.1 / work.payload["last_epoch"], "loss": 1 - reached},
        "checkpoint": work.payload["checkpoint"],
    }


def request_of(**changes: Any) -> SearchRequest:
    """A search of 10 trials over SPACE by the random sampler; `changes` of the search or of the request."""
    of_search = {name: changes.pop(name) for name in set(changes) & set(SearchSpec.model_fields)}
    spec = {"trials": 10, "seed": 7, "parameters": SPACE, "sampler": {"random": {}}} | of_search
    fields = {"name": "digits", "objectives": [ACCURACY], "epochs": 9} | changes
    return SearchRequest(search=SearchSpec.model_validate(spec), **fields)


@dataclass
class Run:
    """One driver's search, and everything a test wants to see of it."""

    outcome: SearchOutcome
    pool: AnsweringPool
    record: MemoryRecord
    store: MemoryStore
    states: list[SearchState]


def run_search(
    request: SearchRequest,
    answer: Answer = accuracy_of,
    capacity: int = 2,
    record: MemoryRecord | None = None,
    store: MemoryStore | None = None,
) -> Run:
    """The search to its end, on a record that may hold an earlier driver's."""
    record = record or MemoryRecord()
    store = store or MemoryStore()
    pool = AnsweringPool(answer, store, capacity)
    states: list[SearchState] = []
    outcome = search(request, pool, record, store, states.append)
    return Run(outcome, pool, record, store, states)
