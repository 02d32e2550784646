"""Axes: from values to positions, with ticks at round numbers. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WIDE = 10.0
"""Positive values that differ by more than this factor are told apart on a logarithmic axis only."""
FENCE = 4.0
"""Times the distance from the best value to the median: what is worse than that is an outlier."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its values from `low` to `high` lie between pixels `start` and `end`."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The pixel at which a value lies; one beyond the axis lies at its end."""
        low, high, value = (math.log(each) if self.logarithmic else each for each in self._bounded(value))
        share = (value - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)

    def holds(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def text(self, tick: float) -> str:
        """The number at a tick, with as many decimals as tell neighbours apart."""
        if self.logarithmic:
            return f"{tick:,g}" if 1e-4 <= tick < 1e7 else f"{tick:.0e}"
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        if max(map(abs, self.ticks)) >= 1e7 or step < 1e-6:
            return f"{tick:.3g}"
        decimals = next((count for count in range(7) if abs(round(step, count) - step) < step * 1e-6), 7)
        return f"{tick:,.{decimals}f}"

    def _bounded(self, value: float) -> tuple[float, float, float]:
        return self.low, self.high, min(max(value, self.low), self.high)


def axis(
    values: Sequence[float], start: float, end: float, count: int = 5, *, logarithmic: bool = False
) -> Axis:
    """The axis that holds all values with a little room on both sides and about `count` ticks.

    Values that do not differ get room in proportion to their size. An axis of positive values does not go
    below zero. `logarithmic` needs positive values.
    """
    low, high = min(values), max(values)
    if logarithmic:
        room = min(10.0, (high / low) ** 0.08) if high > low else 2.0
        return Axis(low / room, high * room, start, end, powers(low / room, high * room, count), True)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    bottom = max(0.0, low - room) if low >= 0 else low - room
    top = high + room
    return Axis(bottom, top, start, end, ticks(bottom, top, count))


def is_wide(values: Sequence[float]) -> bool:
    """Whether the values need a logarithmic axis: all positive, and far apart."""
    return min(values) > 0 and max(values) > WIDE * min(values)


def without_outliers(values: Sequence[float], *, maximize: bool) -> list[float]:
    """The values that a chart shows to scale: without those far worse than the median is from the best."""
    best = max(values) if maximize else min(values)
    reach = FENCE * abs(best - median(values))
    return [value for value in values if reach == 0 or abs(best - value) <= reach]


def ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """Round numbers from low to high, about `count`: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    marks = (float(f"{index * step:.12g}") for index in range(first, last + 1))
    return tuple(dict.fromkeys(marks))


def powers(low: float, high: float, count: int) -> tuple[float, ...]:
    """Round numbers on a logarithmic axis: 1, 2 and 5 times powers of ten, or powers alone, or every so many.

    At least two, however close together the ends are.
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [factor * 10.0**power for power in exponents for factor in (1, 2, 5)]
    coarse = [10.0**power for power in exponents]
    for marks in (fine, coarse, coarse[:: max(1, len(coarse) // count)]):
        inside = [float(f"{mark:.12g}") for mark in marks if low <= mark <= high]
        if 2 <= len(inside) <= count + 1:
            return tuple(inside)
    return ticks(low, high, count)
