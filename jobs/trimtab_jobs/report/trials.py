"""Trials as the page has them: what ranks them, and which of them stand for others. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab_api.report import Report

Trial = Mapping[str, Any]
"""{"number", "state", "params", "metrics", "seconds"}, and "failure" {"kind", "error", "tail"} of one that
failed."""
SUPERSEDED = frozenset({"lost", "duplicate"})
"""States of trials whose result is that of another one."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The metric that ranks trials, and whether more of it is better."""

    metric: str
    maximize: bool

    def of(self, trial: Trial) -> float | None:
        """The trial's figure; None when it has none that is a number."""
        value = trial["metrics"].get(self.metric)
        return value if value is not None and math.isfinite(value) else None

    def loss(self, trial: Trial) -> float:
        """The figure turned so that less is better; infinite when there is none."""
        value = self.of(trial)
        return math.inf if value is None else -value if self.maximize else value


def ranking(report: Report, trials: Sequence[Trial]) -> Ranking | None:
    """What ranks: the first objective, else the first metric of any trial; None when there is neither."""
    if report.objectives:
        return Ranking(report.objectives[0].metric, report.objectives[0].direction == "maximize")
    metric = next(iter(names(trials, "metrics")), None)
    return None if metric is None else Ranking(metric, True)


def names(trials: Sequence[Trial], part: str) -> list[str]:
    """The names of all parameters or metrics, in the order in which they first come up."""
    return list(dict.fromkeys(name for trial in trials for name in trial[part]))


def own(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that have a result, or a failure, of their own."""
    return [trial for trial in trials if trial["state"] not in SUPERSEDED]


def baseline_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial that ran the baseline: the first, or the one that took its place when its worker was lost."""
    alike = (trial for trial in trials if trial["params"] == trials[0]["params"])
    return next((trial for trial in alike if trial["state"] == "completed"), None)
