"""One-sided confidence bounds that stay honest where nothing, or almost nothing, went wrong. Pure.

A bound that is made from the spread of the examples seen accepts anything when they have none: no image
flipped, so no interval. Every bound here therefore has a floor: n examples without a single harm leave a harm
possible that strikes a share 1 - level^(1/n) of all examples (the rule of three: about 3/n at 95 %).
"""

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq  # type: ignore[import-untyped]  # ships no types
from scipy.special import betaincinv, ndtri, stdtrit  # type: ignore[import-untyped]  # ships no types

Array = np.ndarray[Any, np.dtype[Any]]
CONTINUITY = 0.5
"""Half an example, added to what was lost, since examples come whole. Without it bounds accept up to 0.02 too
often at 90 %, as adding up all outcomes shows; with it never more often than the level says."""


def unseen_share(n: int, level: float) -> float:
    """Return the largest share of examples that could be harmed although n examples show no harm."""
    return float(-math.expm1(math.log(level) / n))


def needed_examples(max_drop: float, confidence: float, k: int = 1) -> int | None:
    """Return the fewest examples that prove the limit if none is lost, one of k; None if no number does."""
    if max_drop <= 0:
        return None
    if max_drop >= 1:
        return 1
    level = (1 - confidence) / k
    examples = math.ceil(math.log(level) / math.log1p(-max_drop))
    return examples + (unseen_share(examples, level) > max_drop)


def proportion_upper(hits: int, n: int, level: float) -> float:
    """Return the exact upper bound of a proportion (Clopper & Pearson 1934)."""
    return 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - level))


def paired_drop_upper(losses: int, gains: int, n: int, level: float) -> float:
    """Return the upper bound of P(loss) - P(gain) from n pairs: exact on losses, or the score's if smaller.

    Without gains it is the exact bound of P(loss). With gains, Tango's score (1998) lets them count: the
    difference stands against its deviation under the very drop that is tested, which does not vanish when
    there are few discordant pairs. Adding up all outcomes, the two accept no more often than the level.
    """
    exact = proportion_upper(losses, n, level)
    if gains == 0 or exact == 1:
        return exact
    floor, critical = unseen_share(n, level), -float(ndtri(level))

    def beyond(drop: float) -> float:
        return drop_score(losses, gains, n, drop) + critical

    if beyond(floor) <= 0:
        return floor
    if beyond(exact) >= 0:
        return exact
    return float(brentq(beyond, floor, exact, xtol=1e-12))


def drop_score(losses: int, gains: int, n: int, drop: float) -> float:
    """Return how many deviations the pairs lie above (positive) or below a true `drop` in (0, 1)."""
    share = _gains_under(losses, gains, n, drop)
    deviation = math.sqrt(n * (2 * share + drop * (1 - drop)))
    return (losses - gains + CONTINUITY - n * drop) / deviation


def _gains_under(losses: int, gains: int, n: int, drop: float) -> float:
    """The likeliest P(gain) when P(loss) = P(gain) + drop: the larger root of its likelihood equation."""
    linear = (losses + gains) * (1 - drop) - 2 * gains * drop - 2 * (n - losses - gains) * drop
    constant = gains * drop * (1 - drop)
    return (linear + math.sqrt(linear * linear + 8 * n * constant)) / (4 * n)


def mean_upper(values: Array, level: float) -> float:
    """Return the upper bound of the mean of independent values, as far as their spread tells.

    The larger of Student's bound and Hall's (1992: its transformation corrects for skew, rare large harms),
    with half an example more of the kind farthest from the mean. Infinite where nothing can be said.
    """
    n = len(values)
    if n < 2 or not np.all(np.isfinite(values)):
        return math.inf
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    error, quantile = deviation / math.sqrt(n), float(stdtrit(n - 1, 1 - level))
    half_example = CONTINUITY * float(np.abs(values - mean).max()) / n
    return mean + error * max(quantile, -_hall(values, -quantile)) + half_example


def unseen_harm(values: Array, n: int, level: float) -> float:
    """Return what harms that n examples did not show can cost on average, each as large as the values' span.

    Infinite when all values are the same: then nothing is known about how large a harm can be.
    """
    span = float(values.max() - values.min())
    return span * unseen_share(n, level) if span > 0 else math.inf


def _hall(values: Array, quantile: float) -> float:
    """The t statistic whose skew-corrected transform is the quantile."""
    centred, root = values - values.mean(), math.sqrt(len(values))
    variance = float(np.mean(centred**2))
    skew = float(np.mean(centred**3)) / variance**1.5 if variance > 0 else 0.0
    if abs(skew) < 1e-9:
        return quantile
    return 3 * root / skew * (float(np.cbrt(1 + skew / root * (quantile - skew / (6 * root)))) - 1)


def is_binary(values: Array) -> bool:
    """Whether every value is 0 or 1, so that counts say all."""
    return bool(np.all(np.minimum(np.abs(values), np.abs(values - 1)) < 1e-6))


def drop_upper(reference: Array, candidate: Array, level: float) -> float:
    """Return the upper bound of mean(reference) - mean(candidate) from values paired by example.

    ValueError when they are not pairs.
    """
    if reference.shape != candidate.shape:
        raise ValueError(f"{reference.shape} and {candidate.shape} values are not pairs")
    if is_binary(reference) and is_binary(candidate):
        worse = np.rint(reference - candidate)
        return paired_drop_upper(int((worse > 0).sum()), int((worse < 0).sum()), len(worse), level)
    floor = unseen_harm(np.concatenate([reference, candidate]), len(reference), level)
    return max(mean_upper(reference - candidate, level), floor)


def value_upper(values: Array, level: float) -> float:
    """Return the upper bound of the values' mean."""
    if is_binary(values):
        return proportion_upper(int(np.rint(values).sum()), len(values), level)
    return max(mean_upper(values, level), float(values.mean()) + unseen_harm(values, len(values), level))


def value_lower(values: Array, level: float) -> float:
    """Return the lower bound of the values' mean."""
    return 1 - value_upper(1 - values, level) if is_binary(values) else -value_upper(-values, level)
