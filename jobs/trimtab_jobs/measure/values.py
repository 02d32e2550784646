"""From a metric of rows to one number per independent unit, whose mean is the metric. Pure.

These numbers are all that the guardrail needs for a bound, so a user's metric never runs in the driver. Where
the metric is a mean they are its terms. Otherwise they are jackknife pseudo-values (Tukey 1958),
n·m(all) - (n-1)·m(all but i): for the area under the ROC curve their variance is DeLong's, and for a mean
they are its terms again, so that an accuracy written as any function is judged as the proportion it is.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
GROUP = "group"
"""Column of the rows that says which ones belong together and are left out together."""
MAX_UNITS = 2_000
"""More rows than this are left out in blocks drawn with a fixed seed: the cost is units times rows."""


def values_of(metric: Callable[[Mapping[str, Array]], float], rows: Mapping[str, Array]) -> Array:
    """Return the metric's values by row, by group, or by block of rows, in one order for every model."""
    column = getattr(metric, "column", None)
    if column is not None and GROUP not in rows:
        return np.asarray(rows[column], dtype=np.float64)
    units = _units(rows)
    count = int(units.max()) + 1
    whole = metric(rows)
    if count < 2:
        return np.array([whole], dtype=np.float64)
    left_out = [metric(_without(rows, units == unit)) for unit in range(count)]
    return count * whole - (count - 1) * np.asarray(left_out, dtype=np.float64)


def checked_rows(rows: Mapping[str, Array]) -> dict[str, Array]:
    """Return the rows as arrays; ValueError names a column whose first axis differs from the others."""
    columns = {name: np.asarray(column) for name, column in rows.items()}
    lengths = {name: len(column) if column.ndim else 0 for name, column in columns.items()}
    if not lengths or min(lengths.values()) == 0 or len(set(lengths.values())) > 1:
        raise ValueError(f"evaluate() must return columns of one length, at least 1; got {lengths}")
    return columns


def _units(rows: Mapping[str, Array]) -> Array:
    count = len(next(iter(rows.values())))
    units = np.unique(rows[GROUP], return_inverse=True)[1] if GROUP in rows else np.arange(count)
    if units.max() < MAX_UNITS:
        return np.asarray(units)
    blocks = np.random.default_rng(0).permutation(units.max() + 1) % MAX_UNITS
    return np.asarray(blocks[units])


def _without(rows: Mapping[str, Array], left_out: Array) -> dict[str, Array]:
    return {name: column[~left_out] for name, column in rows.items()}
