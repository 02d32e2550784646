"""Limits that change while the search goes on, and a later driver that recalls what it found."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.search import AnsweringPool, MemoryRecord, Run, accuracy_of, request_of, run_search
from trimtab_jobs.pool import Done, Failure, Work
from trimtab_jobs.search import Counts, Limits, SearchOutcome, UsedUp, recall, search


@dataclass
class Edits:
    """Limits by how many trials have been answered: the newest entry at or below that number counts."""

    by_answers: dict[int, Limits]
    answered: int = 0

    def __call__(self) -> Limits:
        return self.by_answers[max(number for number in self.by_answers if number <= self.answered)]

    def answer(self, work: Work) -> dict[str, object]:
        self.answered += 1
        return accuracy_of(work)


def run_edited(by_answers: dict[int, Limits], capacity: int = 1, record: MemoryRecord | None = None) -> Run:
    edits = Edits(by_answers)
    return run_search(request_of(limits=edits), edits.answer, capacity, record)


@pytest.mark.parametrize(
    ("edits", "counts", "message"),
    [
        pytest.param({0: Limits(3), 2: Limits(6)}, Counts(6, 6), "all 6 trials have ended", id="raised"),
        pytest.param({0: Limits(9), 3: Limits(5)}, Counts(5, 5), "all 5 trials have ended", id="lowered"),
        pytest.param(
            {0: Limits(9), 4: Limits(2)}, Counts(4, 4), "all 4 trials have ended", id="lowered below done"
        ),
        pytest.param(
            {0: Limits(9), 2: Limits(3), 3: Limits(9)}, Counts(9, 9), "all 9 trials", id="and raised again"
        ),
    ],
)
def test_trials_may_be_edited_on_the_way(edits: dict[int, Limits], counts: Counts, message: str):
    outcome = run_edited(edits).outcome

    assert (outcome.stop, outcome.counts) == ("trials", counts)
    assert outcome.message.startswith(message)
    assert outcome.best is not None


def test_an_edited_search_tries_what_one_of_that_length_would_have():
    edited, plain = run_edited({0: Limits(3), 2: Limits(6)}), run_search(request_of(trials=6), capacity=1)

    assert [trial.params for trial in edited.outcome.trials] == [
        trial.params for trial in plain.outcome.trials
    ]


def test_an_edit_is_told_at_once():
    run = run_edited({0: Limits(9), 3: Limits(5, seconds_left=100.0)})

    totals = [(state.counts.completed, state.counts.total) for state in run.states]
    assert totals == [(0, 9), (1, 9), (2, 9), (3, 5), (4, 5), (5, 5)]


class CountingPool(AnsweringPool):
    """Answers all works under way at once, and keeps how many there were."""

    def poll(self, timeout_seconds: float) -> list[Done]:
        self.together = [*getattr(self, "together", []), len(self._under_way)]
        works, self._under_way = self._under_way, []
        return [self._done(work) for work in works]


def test_parallelism_may_be_edited_on_the_way():
    edits = Edits({0: Limits(12, parallelism=1), 3: Limits(12, parallelism=4), 7: Limits(12, parallelism=2)})
    pool = CountingPool(edits.answer, MemoryStore(), capacity=3)

    search(request_of(limits=edits), pool, MemoryRecord(), pool.store, lambda state: None)

    assert pool.together == [0, 1, 1, 1, 3, 3, 2, 1]


@pytest.mark.parametrize(
    "raised",
    [
        pytest.param({0: Limits(8, failed_trials=5), 3: Limits(8, failed_trials=0)}, id="failed trials"),
        pytest.param({0: Limits(8), 3: Limits(8, seconds_left=0.0)}, id="duration"),
    ],
)
def test_a_budget_may_be_lowered_on_the_way(raised: dict[int, Limits]):
    failing = Edits(raised)

    def answer(work: Work) -> object:
        found = failing.answer(work)
        return Failure("configuration", "diverged") if work.id == "trial-1" else found

    outcome = run_search(request_of(limits=failing), answer, capacity=1).outcome

    assert outcome.stop in ("failedTrials", "duration")
    assert outcome.counts.completed + outcome.counts.failed == 3


@pytest.mark.parametrize("budget", ["duration", "gpuHours", "cost", "energyKWh"])
def test_a_budget_that_somebody_else_keeps_ends_the_search_with_the_best_so_far(budget: UsedUp):
    outcome = run_edited({0: Limits(9), 4: Limits(9, used_up=budget)}, capacity=2).outcome

    assert (outcome.stop, outcome.message) == (budget, f"spec.budget.{budget} is used up")
    assert outcome.counts.completed in (4, 5)
    assert outcome.best is not None
    assert outcome.baseline is not None


def found_again(first: Run, **changes: object) -> tuple[SearchOutcome, MemoryRecord]:
    record = MemoryRecord(first.record.batches)
    return recall(request_of(**changes), record, first.outcome.ended), record


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(lambda: run_search(request_of()), id="all trials"),
        pytest.param(lambda: run_search(request_of(trials=20, pruner={"asha": {}})), id="with rungs"),
        pytest.param(lambda: run_edited({0: Limits(9), 4: Limits(9, used_up="cost")}), id="budget used up"),
        pytest.param(lambda: run_edited({0: Limits(9), 4: Limits(2)}), id="lowered"),
    ],
)
def test_a_later_driver_recalls_what_was_found_and_records_nothing(first: Callable[[], Run]):
    run = first()
    pruner = {"pruner": {"asha": {}}} if any(trial.state == "pruned" for trial in run.outcome.trials) else {}

    outcome, record = found_again(run, trials=50, **pruner)

    assert outcome == run.outcome
    assert record.batches == run.record.batches
