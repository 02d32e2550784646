"""Whose fault a trial's failure is: judged from what it returned, and from those that failed before it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trimtab_api.job import Objective
from trimtab_jobs.pool import Failure
from trimtab_jobs.pool.base import CRASHES
from trimtab_jobs.search.trial import Trial

OPENING_TRIALS = 3
"""So many trials that fail alike before any succeeds mean that the code is wrong, not the parameters."""
WORKER_LOSSES = 3
"""So often a trial is started again after a lost worker; less often when it was the trial that ended it."""


class FatalFailure(Exception):  # noqa: N818 - named as the kind of failure it stands for
    """The code is wrong, or the baseline has failed: the search ends at once, what it has recorded stays."""

    trials: tuple[Trial, ...] = ()
    """All trials by then."""

    def __init__(self, trial: Trial, failure: Failure) -> None:
        super().__init__(failure.error)
        self.trial = trial
        self.failure = failure


def judged(value: Any, objectives: Sequence[Objective], params: Mapping[str, Any]) -> Failure | None:
    """What is wrong with a trial's result: an objective that is not there, or not a number."""
    metrics = value["metrics"]
    for objective in objectives:
        name = objective.metric
        if name not in metrics:
            reported = ", ".join(sorted(metrics)) or "nothing"
            return Failure("code", f"objective {name!r} was not reported; the task reports: {reported}")
        if not math.isfinite(metrics[name]):
            return Failure(
                "configuration", f"objective {name!r} is {metrics[name]} with parameters {dict(params)}"
            )
    return None


def retries_of(failure: Failure) -> int:
    """How often a trial with this failure is started again."""
    if failure.kind != "infrastructure":
        return 0
    return CRASHES - 1 if failure.cause == "crash" else WORKER_LOSSES


def exhausted(failure: Failure) -> Failure:
    """The failure of a trial that lost its worker once too often: its parameters may be why."""
    told = f"{retries_of(failure) + 1} times in a row: {failure.error}"
    return replace(failure, kind="configuration", error=told)


def may_be_the_codes(failure: Failure, is_lost_baseline: bool) -> bool:
    """Whether a failure for good may be the code's fault: too little memory is not, nor are lost machines."""
    return failure.cause == "crash" or not (failure.cause == "memory" or is_lost_baseline)


def signature(failure: Failure) -> str:
    """The error without its figures, which may differ from trial to trial."""
    return re.sub(r"\{.*\}|[-+]?[0-9]*\.?[0-9]+(e[-+]?[0-9]+)?", "#", failure.error)


def is_opening_streak(failures: Sequence[Failure], limit: int) -> bool:
    """Whether these, the only results so far, say that the code is wrong. `limit` is all trials there are."""
    alike = {signature(failure) for failure in failures}
    return len(failures) >= min(OPENING_TRIALS, limit) and len(alike) == 1
