"""Failures that end a search at once: wrong code, and a baseline that does not come to its end."""

from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.search import AnsweringPool, MemoryRecord, accuracy_of, request_of, run_search
from trimtab_jobs.pool import Done, Failure, Work
from trimtab_jobs.search import FatalFailure, search


class SlowBaseline(AnsweringPool):
    """Answers one work at a time, the oldest but the baseline's first."""

    def poll(self, timeout_seconds: float) -> list[Done]:
        self._under_way.sort(key=lambda work: (work.payload["trial"] == 0, work.payload["trial"]))
        return [self._done(self._under_way.pop(0))] if self._under_way else []


def started_before_the_end(errors: dict[int, str]) -> tuple[FatalFailure, int]:
    """What ends a search in which these trials fail, the baseline last; and how many trials had ended."""
    answered: list[int] = []

    def answer(work: Work) -> Any:
        answered.append(work.payload["trial"])
        error = errors.get(work.payload["trial"])
        return Failure("configuration", error) if error else accuracy_of(work)

    pool = SlowBaseline(answer, MemoryStore(), capacity=2)
    with pytest.raises(FatalFailure) as caught:
        search(request_of(), pool, MemoryRecord(), pool.store, lambda state: None)
    return caught.value, len(answered)


@pytest.mark.parametrize(
    ("errors", "kind", "ended"),
    [
        pytest.param({1: "E: 64", 2: "E: 3.5e-2", 3: "E: -3"}, "code", 3, id="the first three, alike"),
        pytest.param(dict.fromkeys((0, 9), "E"), "configuration", 10, id="the baseline, after others"),
        pytest.param(
            {0: "A", **{n: "B" * n for n in range(1, 10)}}, "configuration", 10, id="all, but not alike"
        ),
    ],
)
def test_whose_fault_it_is_that_a_search_ends_at_once(errors: dict[int, str], kind: str, ended: int) -> None:
    fatal, answered = started_before_the_end(errors)

    assert (fatal.failure.kind, answered) == (kind, ended)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        pytest.param(
            Failure("configuration", "KeyError: 'lr'", "tail"),
            Failure("code", "KeyError: 'lr'", "tail"),
            id="raised",
        ),
        pytest.param(
            Failure("infrastructure", "lost", "Killed"),
            Failure("configuration", "4 times in a row: lost", "Killed"),
            id="lost its worker again and again",
        ),
        pytest.param(
            Failure("infrastructure", "ended by SIGSEGV", "stack", "crash"),
            Failure("code", "2 times in a row: ended by SIGSEGV", "stack", "crash"),
            id="ended its worker itself",
        ),
        pytest.param(
            Failure("configuration", "needs more than 2Gi", "tail", "memory"),
            Failure("configuration", "needs more than 2Gi", "tail", "memory"),
            id="needs more memory",
        ),
    ],
)
def test_a_baseline_that_has_failed_for_good_ends_the_search(failure: Failure, told: Failure) -> None:
    works = []

    def answer(work: Work) -> Any:
        works.append(work)
        return failure if work.payload["params"]["lr"] == 0.01 else accuracy_of(work)

    with pytest.raises(FatalFailure) as caught:
        run_search(request_of(trials=100), answer, capacity=1)

    assert caught.value.trial.index == 0
    assert caught.value.failure == told
    assert len(caught.value.trials) == len(works)
    assert {work.payload["params"]["lr"] for work in works} == {0.01}


def test_failures_after_a_success_that_are_not_the_baselines_are_the_parameters_fault() -> None:
    def answer(work: Work) -> Any:
        return Failure("configuration", "A") if work.payload["trial"] in (1, 2, 3) else accuracy_of(work)

    outcome = run_search(request_of(), answer, capacity=1).outcome

    assert (outcome.counts.completed, outcome.counts.failed) == (7, 3)
