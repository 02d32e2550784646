"""Whether a compressed model still is its parent's, where no limit says how much of it may be lost. Pure.

This is not a limit that a person would write, but the least that any model has to hold: conversions go wrong
without an error, and what comes out is small and fast.
"""

from trimtab_jobs.guard.measured import Candidate, Quality, known_direction
from trimtab_jobs.guard.verdicts import Rules

LEAST_AGREEMENT = 0.9
"""Share of rows that keep the class with the highest score."""
CLOSE_DB = 20.0
"""Signal to noise of scores that differ by a tenth: if closer, classes change where two were as good."""
LEAST_DB = 10.0
"""The same for outputs that are no class scores."""
LARGEST_LOSS = 0.1
"""Share of its parent's figure by which a metric of which more is better may fall."""
LARGEST_GROWTH = 2.0
"""Times its parent's figure to which a metric of which less is better may grow."""


def collapses(rules: Rules, candidate: Candidate) -> list[str]:
    """Return how far it is from its parent, if too far; empty where a limit on quality decides instead."""
    parent = candidate.parent
    limited = any(limit.metric in candidate.quality.metrics for limit in rules.limits)
    if parent is None or limited:
        return []
    return [*_of_answers(candidate), *_of_metric(rules, candidate.quality, _first(parent).quality)]


def _first(candidate: Candidate) -> Candidate:
    """The model that all steps began with: small losses add up over several."""
    return _first(candidate.parent) if candidate.parent else candidate


def _of_answers(candidate: Candidate) -> list[str]:
    """By the outputs for each row of the validation split."""
    decibels = candidate.parity.get("sqnrDb")
    agreement = candidate.parity.get("top1Agreement")
    if decibels is None:
        return []
    if agreement is None:
        far = not decibels >= LEAST_DB  # a figure that is no number is far, too
        return [f"outputs at {decibels:.3g} dB signal to noise < {LEAST_DB:g}"] if far else []
    far = agreement < LEAST_AGREEMENT and not decibels >= CLOSE_DB
    return [f"top-1 agreement {agreement:.3g} < {LEAST_AGREEMENT:g}"] if far else []


def _of_metric(rules: Rules, found: Quality, before: Quality) -> list[str]:
    """By the metric that ranks: the first objective of quality, else the task's first."""
    named = [each.metric for each in rules.objectives if each.metric in before.metrics]
    metric = (named or list(before.metrics))[0]
    value, reference = found.metrics[metric], before.metrics[metric]
    direction = known_direction(metric, rules.objectives)
    if direction is None:
        return []
    if direction == "maximize":
        bound = reference - LARGEST_LOSS * abs(reference)
        return [] if value >= bound else [f"{metric} {value:.4g} < {bound:.4g}"]
    bound = reference + (LARGEST_GROWTH - 1) * abs(reference)
    return [] if value <= bound else [f"{metric} {value:.4g} > {bound:.4g}"]
