"""The search with ASHA: pieces from rung to rung, from checkpoint to checkpoint."""

from collections import defaultdict
from typing import Any

import pytest

from tests.support.search import ACCURACY, LOSS, Run, accuracy_of, request_of, run_search
from trimtab_jobs.pool import Failure, Work
from trimtab_jobs.search import Counts

ASHA = {"asha": {"minEpochs": 1, "reduction": 3}}


def pieces_of(run: Run) -> dict[int, list[tuple[int, str | None]]]:
    """By trial: last epoch and checkpoint of each piece that was run."""
    pieces = defaultdict(list)
    for work in run.pool.started:
        payload = work.payload
        pieces[payload["trial"]].append((payload["last_epoch"], payload["resume"]))
    return pieces


def test_baseline_trains_to_its_end_and_others_rung_by_rung() -> None:
    run = run_search(request_of(trials=12, pruner=ASHA))

    pieces = pieces_of(run)
    assert pieces.pop(0) == [(9, None)]
    for trial, (first, *later) in pieces.items():
        whole = [(3, f"checkpoints/{trial}/1.pt"), (9, f"checkpoints/{trial}/3.pt")]
        assert first == (1, None)
        assert later == whole[: len(later)]


def test_trials_that_nothing_promotes_are_pruned_at_the_end() -> None:
    run = run_search(request_of(trials=30, pruner=ASHA))

    counts = run.outcome.counts
    assert counts == Counts(total=30, completed=counts.completed, pruned=30 - counts.completed)
    assert 1 < counts.completed < 12
    assert {trial.epoch for trial in run.outcome.trials if trial.state == "pruned"} <= {1, 3}
    assert {trial.epoch for trial in run.outcome.trials if trial.state == "completed"} == {9}


def test_waiting_trials_count_as_pruned_while_the_search_goes_on() -> None:
    run = run_search(request_of(trials=30, pruner=ASHA))

    assert max(state.counts.pruned for state in run.states) > 10
    assert all(state.counts.completed + state.counts.pruned <= 30 for state in run.states)


def test_leader_is_carried_to_the_top_when_there_are_too_few_trials_to_promote_any() -> None:
    run = run_search(request_of(trials=3, pruner=ASHA))

    assert run.outcome.counts == Counts(total=3, completed=2, pruned=1)
    assert [len(pieces) for pieces in pieces_of(run).values()].count(3) == 1


def test_log_of_each_piece_has_its_own_key() -> None:
    run = run_search(request_of(trials=3, pruner=ASHA))

    logs = [work.log for work in run.pool.started if len(pieces_of(run)[work.payload["trial"]]) == 3]
    number = logs[0].removeprefix("logs/").removesuffix(".log")
    assert logs == [f"logs/{number}.log", f"logs/{number}-3.log", f"logs/{number}-9.log"]


@pytest.mark.parametrize(
    "objectives", [pytest.param([ACCURACY], id="one"), pytest.param([ACCURACY, LOSS], id="two objectives")]
)
def test_tpe_learns_from_trials_that_wait_on_a_rung(objectives: list[Any]) -> None:
    def late_accuracy(sampler: str) -> float:
        request = request_of(trials=40, sampler={sampler: {}}, pruner=ASHA, objectives=objectives)
        trials = run_search(request).outcome.trials[20:]
        return sum(trial.metrics["accuracy"] for trial in trials) / len(trials)

    assert late_accuracy("tpe") > late_accuracy("random")


def test_minimized_objective_promotes_the_smallest() -> None:
    run = run_search(request_of(trials=20, objectives=[LOSS], pruner=ASHA))

    promoted = [trial for trial in run.outcome.trials if trial.epoch > 1 and trial.number > 0]
    waiting = [trial for trial in run.outcome.trials if trial.epoch == 1]
    assert min(trial.metrics["loss"] for trial in promoted) < min(trial.metrics["loss"] for trial in waiting)


def test_promoted_trial_that_loses_its_worker_goes_on_from_its_checkpoint() -> None:
    lost: list[int] = []

    def answer(work: Work) -> Any:
        if work.payload["resume"] and not lost:
            lost.append(work.payload["trial"])
            return Failure("infrastructure", "lost")
        return accuracy_of(work)

    run = run_search(request_of(trials=12, pruner=ASHA), answer)

    pieces = pieces_of(run)[lost[0]]
    assert pieces[:3] == [(1, None), *[(3, f"checkpoints/{lost[0]}/1.pt")] * 2]
    assert run.outcome.counts.retried == 1


def test_trial_that_fails_on_a_rung_leaves_it() -> None:
    def answer(work: Work) -> Any:
        return Failure("configuration", "NaN") if work.payload["resume"] else accuracy_of(work)

    run = run_search(request_of(trials=12, pruner=ASHA), answer)

    assert run.outcome.counts.completed == 1
    assert run.outcome.counts.failed > 0
    assert all(len(pieces) <= 2 for pieces in pieces_of(run).values())


def test_task_without_checkpoints_trains_each_piece_from_the_start() -> None:
    def answer(work: Work) -> Any:
        return {"metrics": accuracy_of(work)["metrics"]}

    run = run_search(request_of(trials=12, pruner=ASHA), answer)

    pieces = [piece for pieces in pieces_of(run).values() for piece in pieces]
    assert set(pieces) == {(1, None), (3, None), (9, None)}


def test_curve_over_epochs_is_recorded_thinned_and_without_what_is_no_number() -> None:
    curve = [[epoch, {"accuracy": epoch / 1000}] for epoch in range(1, 251)]

    def answer(work: Work) -> Any:
        return accuracy_of(work) | {"history": [*curve, [251, {"accuracy": float("nan")}], [252, {}]]}

    run = run_search(request_of(trials=1), answer)

    lines = b"".join(run.record.batches).splitlines()
    assert sum(b'"step"' in line for line in lines) == 84
