"""What the guard is told about a model, and what its figures mean. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trimtab_api.job import Objective
from trimtab_api.search import Direction
from trimtab_jobs.guard.bounds import Array

EFFICIENCY: Final[Mapping[str, Direction]] = {
    "latencyMs": "minimize",
    "latencyP95Ms": "minimize",
    "throughput": "maximize",
    "sizeMB": "minimize",
    "memoryMB": "minimize",
}
"""Figures of a model's efficiency, and which way is better."""
LOWER_IS_BETTER = frozenset({"loss", "error", "mae", "mse", "rmse", "mape", "perplexity", "nll", "brier"})
"""Names of metrics that get better as they fall, unless an objective says otherwise."""
NO_TARGET: Final = ""
"""Key of the figures of a job without targets."""


@dataclass(frozen=True, slots=True)
class Quality:
    """A model's evaluation on one split, as trimtab_jobs.measure.quality:evaluate returns it."""

    metrics: Mapping[str, float]
    values: Mapping[str, Array]
    """By metric, one number per independent unit, in one order for all models: their mean is the metric."""
    n: int
    """Examples of the split."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that was made and measured."""

    id: str
    quality: Quality
    speed: Mapping[str, Mapping[str, Any]]
    """By target (or NO_TARGET) its figures, as trimtab_jobs.measure.efficiency:measure returns them."""
    parent: "Candidate | None" = None
    """What it was made from."""
    nothing: bool = False
    """Whether the step that made it changed nothing."""
    measured_on: Mapping[str, str] = field(default_factory=dict)
    """By target the pool that it was measured on; absent: here, so that its figures are a hint only."""


def direction_of(metric: str, objectives: Sequence[Objective]) -> Direction:
    """Return which way the metric is better: as an objective says, else by its name, else more."""
    for objective in objectives:
        if objective.metric == metric:
            return objective.direction
    if metric in EFFICIENCY:
        return EFFICIENCY[metric]
    return "minimize" if metric.lower() in LOWER_IS_BETTER else "maximize"


def figure_of(candidate: Candidate, metric: str, target: str | None = None) -> float:
    """Return one figure: of the target, or of the worst one when none is named; KeyError if not measured."""
    if metric not in EFFICIENCY:
        return candidate.quality.metrics[metric]
    return float(candidate.speed[deciding_target(candidate, metric, target)][metric])


def deciding_target(candidate: Candidate, metric: str, target: str | None) -> str:
    """Return the key under which the figure lies that decides."""
    if target is not None:
        return target
    worst = max if EFFICIENCY[metric] == "minimize" else min
    return worst(candidate.speed, key=lambda name: candidate.speed[name][metric])
