"""What the guard is told about a model, and what its figures mean. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trimtab_api.job import Objective
from trimtab_api.metrics import MEASURED, Direction
from trimtab_jobs.guard.bounds import Array

LOWER_IS_BETTER = re.compile(
    r"loss|error|inacc|entropy|perplexity|deviance|(^|_)(mae|mse|rmse|rmsle|mape|nll|brier|wer|cer|ece|fid)(_|$)"
)
HIGHER_IS_BETTER = re.compile(
    r"acc|precision|recall|sensitivity|specificity|dice|ndcg|(^|_)(auc|auroc|auprc|f1|r2|iou|miou|map|bleu)(_|$)"
)
"""What names of metrics, in lower case, say of which way is better, unless an objective says it."""
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
    remark: str = ""
    """What a person should know of how it was made."""
    parity: Mapping[str, float] = field(default_factory=dict)
    """How its outputs differ from its parent's, as trimtab_jobs.measure.parity:parity_of returns it."""
    measured_on: Mapping[str, str] = field(default_factory=dict)
    """By target the pool that it was measured on; absent: here, so that its figures are a hint only."""


def direction_of(metric: str, objectives: Sequence[Objective]) -> Direction:
    """Return which way the metric is better; ValueError when nothing says so (see `known_direction`)."""
    direction = known_direction(metric, objectives)
    if direction is None:
        raise ValueError(unknown_direction(metric))
    return direction


def known_direction(metric: str, objectives: Sequence[Objective] = ()) -> Direction | None:
    """Return which way the metric is better: as an objective says, else by its name; None: neither does.

    Never a guess: a wrong one would publish the worst model as the best.
    """
    for objective in objectives:
        if objective.metric == metric:
            return objective.direction
    if metric in MEASURED:
        return MEASURED[metric]
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", metric).lower()
    if LOWER_IS_BETTER.search(name):
        return "minimize"
    return "maximize" if HIGHER_IS_BETTER.search(name) else None


def unknown_direction(metric: str) -> str:
    """Return what to do about a metric of which nothing says which way is better."""
    return (
        f"whether more or less of {metric!r} is better is not known; "
        f"add {{metric: {metric}, direction: maximize}} (or minimize) to spec.objectives"
    )


def figure_of(candidate: Candidate, metric: str, target: str | None = None) -> float:
    """Return one figure: of the target, or of the worst one when none is named; KeyError if not measured."""
    if metric not in MEASURED:
        return candidate.quality.metrics[metric]
    return float(candidate.speed[deciding_target(candidate, metric, target)][metric])


def deciding_target(candidate: Candidate, metric: str, target: str | None) -> str:
    """Return the key under which the figure lies that decides."""
    if target is not None:
        return target
    worst = max if MEASURED[metric] == "minimize" else min
    return worst(candidate.speed, key=lambda name: candidate.speed[name][metric])
