"""Drivers killed at any commit, each followed by another: nothing recorded runs again, nothing is lost."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.memory_store import MemoryStore
from tests.support.search import (
    Answer,
    AnsweringPool,
    Killed,
    MemoryRecord,
    accuracy_of,
    request_of,
    run_search,
)
from trimtab_jobs.pool import Failure, Work
from trimtab_jobs.search import Counts, FatalFailure, SearchOutcome, SearchRequest, search
from trimtab_jobs.search.study import Study

ASHA = {"asha": {"minEpochs": 1, "reduction": 3}}
kills = st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=6)
"""For each driver that is killed: after how many commits, and whether its last one was durable."""


class Drivers:
    """One driver after the other on the same record and store."""

    def __init__(
        self,
        request: SearchRequest,
        capacity: int = 2,
        order: Random | None = None,
        answer: Answer = accuracy_of,
    ) -> None:
        self.request, self.capacity, self.order, self.answer = request, capacity, order or Random(0), answer
        self.store = MemoryStore()
        self.batches: tuple[bytes, ...] = ()
        self.works: list[Work] = []
        self.killed = 0

    def run(self, dies_after: int | None = None, durable: bool = False) -> SearchOutcome | None:
        """The outcome, or None when this driver was killed; no work repeats what was recorded before."""
        reached = self.recorded()
        pool = AnsweringPool(self.answer, self.store, self.capacity, self.order)
        record = MemoryRecord(self.batches, dies_after, durable)
        try:
            return search(self.request, pool, record, self.store, lambda state: None)
        except Killed:
            self.killed += 1
            return None
        finally:
            self.batches = record.batches
            self.works += pool.started
            for work in pool.started:
                assert work.payload["last_epoch"] > reached.get(work.payload["seed"], 0)

    def recorded(self) -> Mapping[int, int]:
        """The last recorded epoch of each configuration, by its seed."""
        trials = Study(self.request, MemoryRecord(self.batches)).table.trials.values()
        return {trial.seed: trial.epoch for trial in trials if trial.epoch}

    def pieces(self, rungs: tuple[int, ...]) -> int:
        """How many results the record holds: one per rung that a trial has reached, one of the baseline."""
        return (
            sum(sum(rung <= epoch for rung in rungs) for epoch in self.recorded().values()) - len(rungs) + 1
        )


def worse_and_worse(work: Work) -> dict[str, Any]:
    """The first trial to be judged is the first to be promoted."""
    return accuracy_of(work) | {"metrics": {"accuracy": -work.payload["trial"]}}


def configurations(outcome: SearchOutcome) -> list[tuple[int, Any, int, str]]:
    """Index, parameters, seed and end of each configuration, in the order in which they were drawn."""
    rows = [(trial.index, trial.params, trial.seed, trial.state) for trial in outcome.trials]
    return sorted((row for row in rows if row[3] != "lost"), key=lambda row: row[0])


@settings(max_examples=40, deadline=None)
@given(kills=kills, capacity=st.integers(1, 3), order=st.randoms())
def test_trials_are_those_of_an_undisturbed_run_whatever_is_killed_when(
    kills: list[tuple[int, bool]], capacity: int, order: Random
) -> None:
    drivers = Drivers(request_of(trials=8), capacity, order)
    for kill in kills:
        drivers.run(*kill)

    outcome = drivers.run()

    assert outcome is not None
    assert configurations(outcome) == configurations(run_search(request_of(trials=8)).outcome)
    assert len(drivers.works) <= drivers.pieces(rungs=(9,)) + drivers.killed * capacity


@settings(max_examples=40, deadline=None)
@given(kills=kills, capacity=st.integers(1, 3), order=st.randoms())
def test_rungs_that_were_recorded_are_not_trained_again(
    kills: list[tuple[int, bool]], capacity: int, order: Random
) -> None:
    drivers = Drivers(request_of(trials=8, pruner=ASHA), capacity, order)
    for kill in kills:
        drivers.run(*kill)

    outcome = drivers.run()

    assert outcome is not None
    assert outcome.counts.completed + outcome.counts.pruned == 8
    assert len(drivers.works) <= drivers.pieces(rungs=(1, 3, 9)) + drivers.killed * capacity


@settings(max_examples=40, deadline=None)
@given(kills=kills)
def test_promotions_are_those_of_an_undisturbed_run_with_one_worker(kills: list[tuple[int, bool]]) -> None:
    undisturbed = Drivers(request_of(trials=10, pruner=ASHA), capacity=1)
    expected = undisturbed.run()
    drivers = Drivers(request_of(trials=10, pruner=ASHA), capacity=1)
    for kill in kills:
        drivers.run(*kill)

    outcome = drivers.run()

    assert outcome is not None
    assert expected is not None
    assert configurations(outcome) == configurations(expected)
    assert drivers.recorded() == undisturbed.recorded()


@settings(max_examples=30, deadline=None)
@given(commits=st.integers(1, 12), order=st.randoms(), pruner=st.sampled_from([{"none": {}}, ASHA]))
def test_damaged_last_commit_repeats_only_its_own_results(
    commits: int, order: Random, pruner: dict[str, Any]
) -> None:
    drivers = Drivers(request_of(trials=8, pruner=pruner), order=order)
    drivers.run(dies_after=commits)
    drivers.batches = drivers.batches[:-1]

    outcome = drivers.run()

    assert outcome is not None
    assert outcome.counts.completed + outcome.counts.pruned == 8
    assert outcome.best is not None
    assert drivers.store.list("checkpoints") == sorted(
        {trial.checkpoint for trial in (outcome.best, outcome.baseline) if trial}
    )


def test_trials_under_way_run_again_once_marked_as_retries() -> None:
    drivers = Drivers(request_of(trials=6))
    drivers.run(dies_after=1)

    outcome = drivers.run()

    assert outcome is not None
    assert outcome.counts == Counts(total=6, completed=6, retried=2)
    lost = [trial for trial in outcome.trials if trial.state == "lost"]
    assert [trial.number for trial in lost] == [0, 1]
    assert {trial.failure for trial in lost} == {
        Failure("infrastructure", "the driver was lost while the trial was under way")
    }
    retries = {trial.retry_of: trial for trial in outcome.trials if trial.retry_of is not None}
    assert [retries[trial.number].params for trial in lost] == [trial.params for trial in lost]


def test_finished_search_is_answered_from_the_record() -> None:
    drivers = Drivers(request_of(trials=12, pruner=ASHA))
    first = drivers.run()
    started = len(drivers.works)

    assert drivers.run() == first
    assert len(drivers.works) == started


def test_finished_search_goes_on_when_more_trials_are_asked_for() -> None:
    drivers = Drivers(request_of(trials=6))
    drivers.run()
    drivers.request = request_of(trials=9)

    outcome = drivers.run()

    assert outcome is not None
    assert configurations(outcome) == configurations(run_search(request_of(trials=9)).outcome)


def test_fewer_trials_than_are_done_end_the_search_with_what_there_is() -> None:
    drivers = Drivers(request_of(trials=6))
    drivers.run()
    drivers.request = request_of(trials=3)

    outcome = drivers.run()

    assert outcome is not None
    assert (outcome.stop, outcome.counts) == ("trials", Counts(total=6, completed=6))


def test_trial_whose_checkpoint_is_gone_is_trained_from_the_start_to_its_next_rung() -> None:
    drivers = Drivers(request_of(trials=12, pruner=ASHA), capacity=1, answer=worse_and_worse)
    drivers.run(dies_after=4)
    for key in drivers.store.list("checkpoints"):
        drivers.store.delete(key)
    before = len(drivers.works)

    drivers.run()

    promoted = next(work for work in drivers.works[before:] if work.payload["last_epoch"] == 3)
    assert promoted.payload["resume"] is None


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Failure("code", "no method 'build'"), id="said by the task"),
        pytest.param(Failure("configuration", "KeyError: 'lr'"), id="alike in the first trials"),
    ],
)
def test_trials_that_failed_by_the_codes_fault_run_again_once_it_is_mended(failure: Failure) -> None:
    record, store = MemoryRecord(), MemoryStore()
    with pytest.raises(FatalFailure):
        run_search(request_of(trials=6), lambda work: failure, record=record, store=store)

    run = run_search(request_of(trials=6), record=MemoryRecord(record.batches), store=store)

    assert run.outcome.counts.completed == 6
    assert configurations(run.outcome) == configurations(run_search(request_of(trials=6)).outcome)
