"""Two-sided intervals of figures, for people; limits are judged by one-sided bounds. Pure."""

import math

from trimtab_jobs.guard.bounds import Array, value_lower, value_upper
from trimtab_jobs.guard.measured import Quality

CONFIDENCE = 0.95


def intervals(quality: Quality, confidence: float = CONFIDENCE) -> dict[str, tuple[float, float]]:
    """Return by metric the interval that holds its true value; without those of which nothing can be said."""
    level = (1 - confidence) / 2
    found = {
        name: (max(value_lower(values, level), _least(values)), value_upper(values, level))
        for name, values in quality.values.items()
    }
    return {name: pair for name, pair in found.items() if all(map(math.isfinite, pair))}


def _least(values: Array) -> float:
    """What the mean cannot lie below: 0 where no value does, such as of losses and errors."""
    return 0.0 if values.min() >= 0 else -math.inf
