"""The search over a pool that answers at once: what is asked, told, counted, and when it ends."""

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.search import (
    ACCURACY,
    LOSS,
    AnsweringPool,
    MemoryRecord,
    accuracy_of,
    request_of,
    run_search,
)
from trimtab_api.job import Objective
from trimtab_jobs.pool import Done, Failure, Work
from trimtab_jobs.search import Counts, FatalFailure, Limits, SearchRequest, search
from trimtab_jobs.search.samplers import seed_of

CHOICES = [{"name": "act", "categorical": ["relu", "gelu", "silu"]}]
LOST = Failure("infrastructure", "the worker process was lost", "Killed")
CRASHED = Failure("infrastructure", "the worker process ended by SIGSEGV", "stack", "crash")
BAD = Failure("configuration", "ValueError: bad lr 0.07", "trace")


def failing(failure: Failure, *numbers: int) -> Any:
    """Answers like accuracy_of, but for these trials."""
    return lambda work: failure if work.payload["trial"] in numbers else accuracy_of(work)


def test_every_trial_is_run_once_and_the_best_is_found() -> None:
    run = run_search(request_of(trials=10))

    assert run.outcome.counts == Counts(total=10, completed=10)
    assert (run.outcome.stop, run.outcome.message) == ("trials", "all 10 trials have ended")
    assert [work.payload["trial"] for work in run.pool.started] == list(range(10))
    assert run.outcome.best == max(run.outcome.trials, key=lambda trial: trial.metrics["accuracy"])
    assert run.outcome.front == (run.outcome.best,)


def test_first_trial_is_the_baseline_at_its_defaults() -> None:
    run = run_search(request_of())

    assert run.pool.started[0] == Work(
        id="trial-0",
        function="trimtab_jobs.tasks.trial:run_trial",
        payload={
            "trial": 0,
            "baseline": True,
            "params": {"lr": 0.01, "width": 32, "optimizer": "sgd", "momentum": 0.45},
            "seed": seed_of(7, "trial", 0),
            "last_epoch": 9,
            "resume": None,
            "checkpoint": "checkpoints/0/9.pt",
            "objectives": ["accuracy"],
        },
        log="logs/0.log",
    )
    assert run.outcome.baseline == run.outcome.trials[0]


def test_without_a_search_the_baseline_is_the_only_trial() -> None:
    run = run_search(SearchRequest(name="digits", objectives=[ACCURACY], epochs=9))

    assert run.outcome.counts == Counts(total=1, completed=1)
    assert run.outcome.trials[0].params == {}
    assert run.outcome.best == run.outcome.baseline == run.outcome.trials[0]
    assert run.outcome.stop == "trials"


def test_trials_draw_different_configurations_and_seeds() -> None:
    trials = run_search(request_of()).outcome.trials

    assert len({str(trial.params) for trial in trials}) == 10
    assert [trial.seed for trial in trials] == [seed_of(7, "trial", index) for index in range(10)]


def test_conditional_parameter_is_there_only_with_its_parent() -> None:
    trials = run_search(request_of(trials=20)).outcome.trials

    assert {("momentum" in trial.params, trial.params["optimizer"]) for trial in trials} == {
        (True, "sgd"),
        (False, "adamw"),
    }


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_same_seed_gives_the_same_trials_with_one_worker(sampler: str) -> None:
    def params(seed: int) -> list[Any]:
        request = request_of(trials=15, sampler={sampler: {}}, seed=seed)
        return [trial.params for trial in run_search(request, capacity=1).outcome.trials]

    assert params(seed=7) == params(seed=7)
    assert params(seed=7) != params(seed=8)


def test_random_configurations_do_not_depend_on_parallelism() -> None:
    alone, together = run_search(request_of(), capacity=1), run_search(request_of(), capacity=5)

    assert [trial.params for trial in alone.outcome.trials] == [
        trial.params for trial in together.outcome.trials
    ]


def test_tpe_comes_closer_than_random() -> None:
    def best(sampler: str) -> float:
        outcome = run_search(request_of(trials=40, sampler={sampler: {}})).outcome
        assert outcome.best is not None
        return outcome.best.metrics["accuracy"]

    assert best("tpe") > best("random")


@pytest.mark.parametrize(("parallelism", "capacity", "at_once"), [(3, 2, 2), (1, 2, 1), (None, 2, 2)])
def test_no_more_run_at_once_than_asked_and_than_there_are_workers(
    parallelism: int | None, capacity: int, at_once: int
) -> None:
    run = run_search(request_of(parallelism=parallelism), capacity=capacity)

    assert max(state.counts.running for state in run.states) == at_once


def test_states_count_up_to_the_outcome() -> None:
    run = run_search(request_of(trials=6), capacity=2)

    completed = [state.counts.completed for state in run.states]
    assert completed[0] == 0
    assert all(before < after for before, after in pairwise(completed))
    assert run.states[0].running == (0, 1)
    assert run.states[0].seconds_left is None
    assert run.states[-1].counts == run.outcome.counts
    assert run.states[-1].best == run.outcome.best
    assert run.states[-1].seconds_left == 0


def test_pareto_front_of_two_objectives() -> None:
    def trade(work: Work) -> dict[str, Any]:
        return {"metrics": {"accuracy": work.payload["trial"], "loss": (work.payload["trial"] - 1) ** 2}}

    outcome = run_search(request_of(trials=4, objectives=[ACCURACY, LOSS]), trade).outcome

    assert [trial.number for trial in outcome.front] == [3, 2, 1]
    assert outcome.best == outcome.front[0]


def test_duplicates_are_answered_from_the_record_until_the_space_is_exhausted() -> None:
    run = run_search(request_of(parameters=CHOICES, trials=5))

    assert run.outcome.counts == Counts(total=3, completed=3)
    assert (run.outcome.stop, run.outcome.message) == (
        "exhausted",
        "the search space ends after 3 configurations; 5 were asked for",
    )
    assert sorted(work.payload["params"]["act"] for work in run.pool.started) == ["gelu", "relu", "silu"]
    duplicates = [trial for trial in run.outcome.trials if trial.duplicate_of is not None]
    assert duplicates
    assert all(trial.params == run.outcome.trials[trial.duplicate_of].params for trial in duplicates)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_small_space_is_covered_without_running_anything_twice(sampler: str) -> None:
    grid = [{"name": "width", "int": {"low": 1, "high": 12}}]

    run = run_search(request_of(parameters=grid, trials=12, sampler={sampler: {}}))

    assert sorted(work.payload["params"]["width"] for work in run.pool.started) == list(range(1, 13))
    assert run.outcome.stop == "trials"


def test_space_without_parameters_is_exhausted_by_the_baseline() -> None:
    outcome = run_search(request_of(parameters=())).outcome

    assert (outcome.counts, outcome.stop) == (Counts(total=1, completed=1), "exhausted")


def test_duplicate_of_a_failed_trial_fails_without_being_run_or_counted() -> None:
    run = run_search(request_of(parameters=CHOICES, trials=3), failing(BAD, 1))

    assert run.outcome.counts == Counts(total=3, completed=2, failed=1)
    assert len(run.pool.started) == 3


def test_failed_trial_keeps_its_failure_and_the_search_goes_on() -> None:
    run = run_search(request_of(), failing(BAD, 4))

    assert run.outcome.counts == Counts(total=10, completed=9, failed=1)
    assert run.outcome.trials[4].failure == BAD
    assert "trial 4 failed: ValueError: bad lr 0.07" in {state.message for state in run.states}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_objective_that_is_no_number_fails_the_trial(value: float) -> None:
    def diverging(work: Work) -> dict[str, Any]:
        answer = accuracy_of(work)
        return answer | {"metrics": {"accuracy": value}} if work.payload["trial"] == 1 else answer

    failed = run_search(request_of(), diverging).outcome.trials[1]

    assert failed.state == "failed"
    assert failed.failure == Failure(
        "configuration", f"objective 'accuracy' is {value} with parameters {failed.params}"
    )


def test_other_metrics_that_are_no_numbers_are_left_out() -> None:
    outcome = run_search(
        request_of(trials=1), lambda _: {"metrics": {"accuracy": 0.5, "loss": math.nan}}
    ).outcome

    assert outcome.trials[0].metrics == {"accuracy": 0.5}


def test_objective_that_is_not_reported_is_the_codes_fault() -> None:
    with pytest.raises(FatalFailure) as caught:
        run_search(request_of(objectives=[Objective(metric="f1", direction="maximize")]))

    assert caught.value.failure == Failure(
        "code", "objective 'f1' was not reported; the task reports: accuracy, loss"
    )
    assert str(caught.value) == caught.value.failure.error


def test_code_failure_ends_the_search_at_once_with_its_tail() -> None:
    wrong = Failure("code", "splits() has no 'test'", "last lines")
    started = []

    def answer(work: Work) -> Failure:
        started.append(work)
        return wrong

    with pytest.raises(FatalFailure) as caught:
        run_search(request_of(), answer, capacity=1)

    assert caught.value.failure == wrong
    assert len(started) == 1


def test_lost_worker_is_no_failure_and_the_trial_runs_again_with_its_seed() -> None:
    run = run_search(request_of(), failing(LOST, 3), capacity=1)

    assert run.outcome.counts == Counts(total=10, completed=10, retried=1)
    lost, again = run.outcome.trials[3], run.outcome.trials[4]
    assert (lost.state, lost.failure) == ("lost", LOST)
    assert again == replace(again, retry_of=3, params=lost.params, seed=lost.seed, index=3, state="completed")


def test_trial_that_loses_its_worker_each_time_fails_after_three_retries() -> None:
    def answer(work: Work) -> Any:
        return LOST if work.payload["seed"] == seed_of(7, "trial", 2) else accuracy_of(work)

    run = run_search(request_of(), answer)

    assert run.outcome.counts == Counts(total=10, completed=9, failed=1, retried=3)
    (failed,) = [trial for trial in run.outcome.trials if trial.state == "failed"]
    assert failed.failure == Failure(
        "configuration", "4 times in a row: the worker process was lost", "Killed"
    )


def test_trial_that_ends_its_worker_itself_fails_after_one_retry() -> None:
    def answer(work: Work) -> Any:
        return CRASHED if work.payload["seed"] == seed_of(7, "trial", 2) else accuracy_of(work)

    run = run_search(request_of(), answer)

    assert run.outcome.counts == Counts(total=10, completed=9, failed=1, retried=1)
    (failed,) = [trial for trial in run.outcome.trials if trial.state == "failed"]
    assert failed.failure == Failure(
        "configuration", "2 times in a row: the worker process ended by SIGSEGV", "stack", "crash"
    )


def test_baseline_that_lost_its_worker_is_the_baseline_when_it_has_run_again() -> None:
    outcome = run_search(request_of(), failing(LOST, 0), capacity=1).outcome

    assert outcome.baseline is not None
    assert (outcome.baseline.number, outcome.baseline.retry_of, outcome.baseline.index) == (1, 0, 0)


def test_goal_ends_the_search_once_it_is_reached() -> None:
    goal = [ACCURACY.model_copy(update={"goal": 0.85})]

    run = run_search(request_of(objectives=goal, trials=100), capacity=2)

    assert run.outcome.stop == "goal"
    assert run.outcome.best is not None
    assert run.outcome.best.metrics["accuracy"] >= 0.85
    assert len(run.pool.started) < 100
    assert run.outcome.counts.completed == len(run.pool.started)


def test_baseline_that_was_lost_runs_again_though_the_goal_is_reached() -> None:
    goal = [ACCURACY.model_copy(update={"goal": 0.0})]

    outcome = run_search(request_of(objectives=goal), failing(LOST, 0)).outcome

    assert outcome.stop == "goal"
    assert outcome.baseline is not None
    assert outcome.baseline.retry_of == 0


def test_search_stops_when_more_trials_fail_than_the_budget_allows() -> None:
    run = run_search(
        request_of(limits=lambda: Limits(30, failed_trials=2)), failing(BAD, 3, 5, 7, 9), capacity=1
    )

    assert run.outcome.stop == "failedTrials"
    assert run.outcome.message == "more than spec.budget.failedTrials=2 have failed"
    assert run.outcome.counts == Counts(total=30, completed=5, failed=3)


def test_search_without_time_starts_nothing() -> None:
    run = run_search(request_of(limits=lambda: Limits(10, seconds_left=0.0)))

    assert (run.outcome.stop, run.outcome.message) == ("duration", "spec.budget.duration is used up")
    assert run.outcome.counts == Counts(total=10)
    assert run.pool.started == []


class SilentPool(AnsweringPool):
    """Its works never end; time passes when it is waited for."""

    now = 0.0

    def poll(self, timeout_seconds: float) -> list[Done]:
        self.now += timeout_seconds
        return []


def test_seconds_left_follow_the_pace_once_there_is_one() -> None:
    run = run_search(request_of(trials=7), capacity=1)

    assert [state.seconds_left for state in run.states] == [None, None, None, 4.0, 3.0, 2.0, 1.0, 0.0]


def test_work_under_way_when_the_time_is_up_is_abandoned_and_run_again_with_more_time() -> None:
    record, store = MemoryRecord(), MemoryStore()
    pool = SilentPool(accuracy_of, store, capacity=2)

    request = request_of(limits=lambda: Limits(10, seconds_left=5.0 - pool.now))
    outcome = search(request, pool, record, store, lambda state: None)

    assert (outcome.stop, outcome.counts, outcome.baseline) == ("duration", Counts(total=10), None)
    assert len(pool.started) == 2
    pool.submit(pool.started[0])  # its workers are free
    rest = run_search(request_of(), record=MemoryRecord(record.batches), store=store)
    assert rest.outcome.counts == Counts(total=10, completed=10, retried=2)
    assert rest.outcome.baseline is not None


def test_request_to_stop_leaves_the_record_as_it_is() -> None:
    def stop_after(finished: int) -> Any:
        counted: Counter[str] = Counter()

        def answer(work: Work) -> Any:
            counted["ended"] += 1
            return accuracy_of(work)

        return answer, lambda: counted["ended"] >= finished

    answer, should_stop = stop_after(4)
    run = run_search(request_of(should_stop=should_stop), answer, capacity=1)

    assert run.outcome.stop == "interrupted"
    assert run.outcome.counts == Counts(total=10, completed=4)
    rest = run_search(request_of(), record=MemoryRecord(run.record.batches), store=run.store)
    assert rest.outcome.counts == Counts(total=10, completed=10)


def test_only_the_checkpoints_of_baseline_and_best_are_kept() -> None:
    run = run_search(request_of(trials=20))

    assert run.outcome.best is not None
    assert run.store.list("checkpoints") == sorted(["checkpoints/0/9.pt", run.outcome.best.checkpoint])


def test_study_log_is_left_in_the_store() -> None:
    run = run_search(request_of())

    assert run.store.get("study.log") == b"".join(run.record.batches)


def test_each_new_result_is_told_once() -> None:
    run = run_search(request_of(pruner={"asha": {"minEpochs": 1, "reduction": 3}}), capacity=2)

    told = [(trial.number, trial.state, trial.epoch) for state in run.states for trial in state.told]

    assert len(told) == len(set(told)) == len(run.pool.started)
    assert told[0][:2] == (0, "completed") or told[1][:2] == (0, "completed")
    assert {state for _, state, _ in told} == {"paused", "completed"}
