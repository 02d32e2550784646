"""Which candidates are tried on the test split, and in what order. Pure.

Decided on validation alone and written down before the test split is opened: what is looked at afterwards
cannot choose what is tested.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # type: ignore[import-untyped]  # ships no types

from trimtab_api.job import Objective
from trimtab_api.metrics import MEASURED
from trimtab_jobs.guard.measured import (
    Candidate,
    deciding_target,
    direction_of,
    figure_of,
)
from trimtab_jobs.guard.parity import collapses
from trimtab_jobs.guard.verdicts import References, Rules, shortfalls

MOST_TRIED = 3
"""Candidates that may be tried on test: each one more makes every test stricter."""
SAME_SPEED = 0.02
"""Relative difference of times below which two models are equally fast, however quiet the machine was."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """The candidates to try, best first, and a verdict on every one."""

    ids: tuple[str, ...]
    verdicts: Mapping[str, str]


def order(rules: Rules, candidates: Sequence[Candidate], references: References) -> Ordered:
    """Return up to MOST_TRIED candidates whose figures on validation meet all limits, the best first."""
    reasons = {candidate.id: _reasons(rules, candidate, references) for candidate in candidates}
    fit = [candidate for candidate in candidates if not reasons[candidate.id]]
    ranked = by_efficiency(fit, rules.objectives)
    verdicts = {name: f"rejected: {'; '.join(why)}" for name, why in reasons.items() if why}
    for place, candidate in enumerate(ranked):
        remark = remark_on(candidate)
        late = "" if place < MOST_TRIED else f"not tried: {MOST_TRIED} more efficient ones come first"
        verdicts[candidate.id] = "; ".join(["ok", *filter(None, [late, remark])])
    return Ordered(tuple(candidate.id for candidate in ranked[:MOST_TRIED]), verdicts)


def by_efficiency(candidates: Sequence[Candidate], objectives: Sequence[Objective]) -> list[Candidate]:
    """Return them by the first objective that is an efficiency, else latency; equally fast ones by size."""
    metric, target = ranking_figure(objectives)
    sign = 1 if MEASURED[metric] == "minimize" else -1
    left = sorted(candidates, key=lambda one: (sign * figure_of(one, metric, target), one.id))
    ranked: list[Candidate] = []
    while left:
        tied = [one for one in left if one is left[0] or _tied(left[0], one, metric, target)]
        ranked += sorted(tied, key=lambda one: figure_of(one, "sizeMB"))
        left = [one for one in left if one not in tied]
    return ranked


def ranking_figure(objectives: Sequence[Objective]) -> tuple[str, str | None]:
    """Return the figure, and its target, by which candidates that hold the limits are ordered."""
    for objective in objectives:
        if objective.metric in MEASURED:
            return objective.metric, objective.target
    return "latencyMs", None


def pareto(candidates: Sequence[Candidate], objectives: Sequence[Objective]) -> frozenset[str]:
    """Return the ids of those that no other beats in every objective, latency and size at once."""
    axes = {objective.metric: objective.target for objective in objectives}
    axes |= {metric: None for metric in ("latencyMs", "sizeMB") if metric not in axes}
    losses = {one.id: _losses(one, axes, objectives) for one in candidates}
    return frozenset(
        name
        for name, own in losses.items()
        if not any(bool(np.all(other <= own) and np.any(other < own)) for other in losses.values())
    )


def remark_on(candidate: Candidate) -> str:
    """Return what its step did not do well; empty when it made the model smaller and no slower, as asked."""
    parent = candidate.parent
    if parent is None:
        return ""
    remarks = [candidate.remark] if candidate.remark else []
    figure, before = figure_of(candidate, "latencyMs"), figure_of(parent, "latencyMs")
    if figure > before and not _tied(parent, candidate, "latencyMs", None):
        remarks.append(f"slower than {parent.id} ({figure:.3g} > {before:.3g} ms)")
    figure, before = figure_of(candidate, "sizeMB"), figure_of(parent, "sizeMB")
    if figure >= before:
        remarks.append(f"not smaller than {parent.id} ({figure:.3g} ≥ {before:.3g} MB)")
    return ", ".join(remarks)


def _reasons(rules: Rules, candidate: Candidate, references: References) -> list[str]:
    if candidate.nothing:
        made_from = candidate.parent.id if candidate.parent else "its parent"
        return [f"changed nothing of {made_from}"]
    on_validation = f"on validation (n={candidate.quality.n})"
    lost = [
        f"{loss} {on_validation}: limit a metric of quality to allow it"
        for loss in collapses(rules, candidate)
    ]
    return [*lost, *(f"{each} {on_validation}" for each in shortfalls(rules, candidate, references))]


def _tied(first: Candidate, second: Candidate, metric: str, target: str | None) -> bool:
    """Whether the figures are no further apart than they would be on another try."""
    figures = figure_of(first, metric, target), figure_of(second, metric, target)
    if metric == "sizeMB":
        return figures[0] == figures[1]
    apart = abs(math.log(figures[0] / figures[1]))
    return apart <= max(SAME_SPEED, _noise(first, second, metric, target))


def _noise(first: Candidate, second: Candidate, metric: str, target: str | None) -> float:
    """Half the 95 % interval of the log ratio of two models' latencies, from rounds measured side by side."""
    names = deciding_target(first, metric, target), deciding_target(second, metric, target)
    rounds = [one.speed[name].get("rounds", ()) for one, name in zip((first, second), names, strict=True)]
    if metric == "memoryMB" or len(rounds[0]) != len(rounds[1]) or len(rounds[0]) < 2:
        return 0.0
    ratios = np.log(np.asarray(rounds[0], dtype=np.float64) / np.asarray(rounds[1], dtype=np.float64))
    count = len(ratios)
    return float(stdtrit(count - 1, 0.975) * ratios.std(ddof=1) / math.sqrt(count))


def _losses(
    candidate: Candidate, axes: Mapping[str, str | None], objectives: Sequence[Objective]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Its figures, turned so that less is better."""
    signs = {metric: 1 if direction_of(metric, objectives) == "minimize" else -1 for metric in axes}
    return np.array([signs[metric] * figure_of(candidate, metric, target) for metric, target in axes.items()])
