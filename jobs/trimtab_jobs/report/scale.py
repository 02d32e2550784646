"""Axes: from values to positions, with ticks at round numbers. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its values from `low` to `high` lie between pixels `start` and `end`."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """The pixel at which a value lies."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def axis(values: Sequence[float], start: float, end: float, count: int = 5) -> Axis:
    """The axis that holds all values with a little room on both sides and about `count` ticks.

    Values that do not differ get room in proportion to their size. An axis of positive values does not go
    below zero.
    """
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    bottom = max(0.0, low - room) if low >= 0 else low - room
    top = high + room
    return Axis(bottom, top, start, end, ticks(bottom, top, count))


def ticks(low: float, high: float, count: int) -> tuple[float, ...]:
    """Round numbers from low to high: multiples of 1, 2 or 5 times a power of ten, about `count` of them."""
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))
