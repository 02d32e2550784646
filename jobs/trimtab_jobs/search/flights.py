"""From a trial to the work that takes it to its next rung."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab_jobs.pool import Work
from trimtab_jobs.search.checkpoints import checkpoint_key
from trimtab_jobs.search.request import SearchRequest
from trimtab_jobs.search.rungs import RungTable
from trimtab_jobs.search.study import Study
from trimtab_jobs.search.trial import Trial


@dataclass(frozen=True, slots=True)
class Flight:
    """A trial on its way to a rung."""

    number: int
    """Of the trial."""
    rung: int
    """Index of the rung it will be judged on."""


def next_rung(trial: Trial, rungs: Sequence[int]) -> int:
    """Index of the rung the trial goes to: the baseline goes straight to the top, for it is never pruned."""
    if trial.index == 0:
        return len(rungs) - 1
    return next((rung for rung, epoch in enumerate(rungs) if epoch > trial.epoch), len(rungs) - 1)


def work_of(trial: Trial, last_epoch: int, request: SearchRequest) -> Work:
    """The work that trains the trial up to that epoch, from its checkpoint if it has one."""
    name = f"{trial.number}-{last_epoch}" if trial.epoch else f"{trial.number}"
    return Work(
        id=f"trial-{trial.number}",
        function=request.function,
        payload={
            "trial": trial.number,
            "baseline": trial.index == 0,
            "params": dict(trial.params),
            "seed": trial.seed,
            "last_epoch": last_epoch,
            "resume": trial.checkpoint,
            "checkpoint": checkpoint_key(trial, last_epoch),
            "objectives": [objective.metric for objective in request.objectives],
            **request.payload,
        },
        log=f"logs/{name}.log",
    )


def rebuild(table: RungTable, study: Study, rungs: Sequence[int]) -> None:
    """Fill an empty table with what is recorded: the same state as if the driver had never been lost."""
    for trial, values, promoted in study.waypoints():
        if trial.index == 0 or trial.state in ("lost", "duplicate"):
            continue
        for rung, epoch in enumerate(rungs[:-1]):
            if epoch in values and epoch <= trial.epoch:  # a task may have reported beyond its rung
                table.record(trial.number, rung, values[epoch])
            if promoted > epoch:
                table.promote(trial.number, rung + 1)
        if trial.state in ("completed", "pruned", "failed"):
            table.retire(trial.number)
