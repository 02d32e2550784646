"""Configurations by which the cost of a search space is found out: the baseline, then ends of ranges."""

import math
from collections.abc import Callable
from random import Random

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from trimtab_jobs.search.space import Dimension, Space, configuration_key
from trimtab_jobs.search.trial import Params, Scalar

MIDDLE = 0.5


def probes_of(space: Space, count: int) -> tuple[Params, ...]:
    """Up to `count` different configurations, the baseline first.

    Then whole numbers and choices at their upper end (sizes, mostly, that make a trial dear), then at their
    lower end, then anywhere. Floats stay in the middle of their range at the ends: they seldom cost anything,
    and a learning rate at its upper end may diverge.
    """
    found = {configuration_key(defaults := space.defaults()): defaults}
    for place in (_at(1.0), _at(0.0), *map(_anywhere, range(count))):
        if len(found) < count:
            params = _drawn(space, place)
            found.setdefault(configuration_key(params), params)
    return tuple(found.values())[:count]


def _drawn(space: Space, place: Callable[[Dimension], float]) -> dict[str, Scalar]:
    params: dict[str, Scalar] = {}
    for dimension in space.dimensions:
        if dimension.applies(params):
            params[dimension.name] = value_at(dimension, place(dimension))
    return params


def value_at(dimension: Dimension, share: float) -> Scalar:
    """The value that lies so far (0 to 1) up the range of a dimension, by its scale and step."""
    match dimension.distribution:
        case CategoricalDistribution(choices=choices):
            chosen: Scalar = choices[round(share * (len(choices) - 1))]  # type: ignore[assignment]  # never None
            return chosen
        case FloatDistribution(low=low, high=high, step=step, log=log):
            value = _between(low, high, share, log)
            return value if step is None else min(high, low + round((value - low) / step) * step)
        case IntDistribution(low=low, high=high, step=step, log=log):
            return int(min(high, low + round((_between(low, high, share, log) - low) / step) * step))


def _between(low: float, high: float, share: float, log: bool) -> float:
    if log:
        return min(high, max(low, math.exp(math.log(low) + share * (math.log(high) - math.log(low)))))
    return low + share * (high - low)


def _at(end: float) -> Callable[[Dimension], float]:
    return lambda dimension: MIDDLE if isinstance(dimension.distribution, FloatDistribution) else end


def _anywhere(seed: int) -> Callable[[Dimension], float]:
    return lambda dimension: Random(f"{seed}/{dimension.name}").random()
