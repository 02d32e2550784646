"""Parallel coordinates: an axis for the objective and one for each parameter, a line for each trial. Pure.

The axes lie one below the other rather than side by side: names of any length fit, on a phone as well.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from trimtab_jobs.report import plot
from trimtab_jobs.report.figures import brief, heading
from trimtab_jobs.report.importance import is_number
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.scale import Axis, axis, powers, ticks, without_outliers
from trimtab_jobs.report.trials import Ranking, Trial, names

LEFT, RIGHT, TOP = 26.0, 26.0, 34.0
UNSET = 44.0
"""Room on the left of an axis for trials to which its parameter does not apply."""
SPACING = 64.0
MOST_AXES, MOST_BEST, MOST_OTHERS = 10, 40, 120
MOST_LABELS, LONGEST_LABEL = 8, 14
TOP_SHARE = 0.1
SPREAD = 0.4
"""Share of a category's place over which its trials are spread, so that many look like many."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis of a parameter: a scale of numbers, or categories side by side."""

    name: str
    scale: Axis | None
    categories: tuple[str, ...] = ()
    has_unset: bool = False

    def at(self, trial: Trial) -> float:
        """The pixel of the trial on this axis."""
        value = trial["params"].get(self.name)
        if value is None:
            return round(LEFT + UNSET * (0.25 + _spread(trial["number"])), 1)
        if self.scale is not None:
            return self.scale.at(float(value))
        start, end = _span(self.has_unset)
        wide = (end - start) / len(self.categories)
        return round(self.place(str(value)) + _spread(trial["number"]) * wide, 1)

    def place(self, category: str) -> float:
        """The middle of a category."""
        start, end = _span(self.has_unset)
        return start + (end - start) * (self.categories.index(category) + 0.5) / len(self.categories)

    def labels(self) -> Iterator[tuple[float, str]]:
        """Texts along the axis and where they stand."""
        if self.has_unset:
            yield LEFT + UNSET / 4, "unset"
        if self.scale is not None:
            yield from ((self.scale.at(tick), self.scale.text(tick)) for tick in self.scale.ticks)
            return
        every = -(-len(self.categories) // MOST_LABELS)
        yield from ((self.place(each), brief(each, LONGEST_LABEL)) for each in self.categories[::every])


def coordinates(trials: Sequence[Trial], ranking: Ranking, order: Sequence[str]) -> Html | None:
    """The chart of trials with a figure; None when fewer than two have one, or no parameter varied.

    `order` are parameters, the most important first; those it does not name come after them.
    """
    valued = [trial for trial in trials if ranking.of(trial) is not None]
    shown = dimensions_of(valued, order)
    if len(valued) < 2 or not shown:
        return None
    top, rest = best_and_rest(valued, ranking)
    values = [value for trial in valued if (value := ranking.of(trial)) is not None]
    objective = axis(
        without_outliers(values, maximize=ranking.maximize), LEFT, plot.WIDTH - RIGHT, MOST_LABELS - 2
    )
    lines = [
        element("path", class_=kind, d=_lines(group, objective, ranking, shown), data_n=_numbers(group))
        for kind, group in (("line", rest), ("line top", top[1:]), ("line best", top[:1]))
        if group
    ]
    axes = [
        _axis(0, heading(ranking.metric), [(objective.at(t), objective.text(t)) for t in objective.ticks])
    ]
    axes += [_axis(row, each.name, list(each.labels())) for row, each in enumerate(shown, start=1)]
    title = f"{heading(ranking.metric)} and parameters, a line for each trial"
    return plot.chart(title, *lines, *axes, height=TOP + SPACING * len(shown) + 26)


def dimensions_of(trials: Sequence[Trial], order: Sequence[str]) -> list[Dimension]:
    """The axes of parameters that varied, in the order given, as many as fit."""
    found = names(trials, "params")
    ordered = dict.fromkeys([*(name for name in order if name in found), *found])
    varied = [name for name in ordered if len({repr(trial["params"].get(name)) for trial in trials}) > 1]
    return [_dimension(name, trials) for name in varied[:MOST_AXES]]


def best_and_rest(trials: Sequence[Trial], ranking: Ranking) -> tuple[list[Trial], list[Trial]]:
    """The best tenth, the best first, and the others; each thinned out where the chart would be too full.

    Only trials that ran to their end can be among the best.
    """
    ranked = sorted(trials, key=lambda trial: (trial["state"] != "completed", ranking.loss(trial)))
    count = max(1, round(TOP_SHARE * len(ranked)))
    rest = ranked[count:]
    step = -(-len(rest) // MOST_OTHERS)
    return ranked[: min(count, MOST_BEST)], rest[:: step or 1]


def _dimension(name: str, trials: Sequence[Trial]) -> Dimension:
    values = [value for trial in trials if (value := trial["params"].get(name)) is not None]
    has_unset = len(values) < len(trials)
    if all(map(is_number, values)):
        return Dimension(name, _scale([float(value) for value in values], has_unset), has_unset=has_unset)
    return Dimension(name, None, tuple(sorted({str(value) for value in values})), has_unset)


def _scale(values: Sequence[float], has_unset: bool) -> Axis:
    """The axis from the least to the largest value; logarithmic where most values lie at its low end."""
    start, end = _span(has_unset)
    low, high = min(values), max(values)
    if low == high:
        return Axis(low - 1, high + 1, start, end, (low,))
    if low > 0 and high > 20 * low and (median(values) - low) < 0.2 * (high - low):
        return Axis(low, high, start, end, powers(low, high, MOST_LABELS - 2), logarithmic=True)
    distinct = sorted(set(values))
    few = len(distinct) <= MOST_LABELS - 2 and all(value == int(value) for value in distinct)
    return Axis(low, high, start, end, tuple(distinct) if few else ticks(low, high, MOST_LABELS - 3))


def _span(has_unset: bool) -> tuple[float, float]:
    return LEFT + (UNSET if has_unset else 0.0), plot.WIDTH - RIGHT


def _spread(number: int) -> float:
    """A share about zero, the same for the same trial, far apart for neighbours."""
    return (math.modf(number * 0.618034)[0] - 0.5) * SPREAD


def _lines(trials: Sequence[Trial], objective: Axis, ranking: Ranking, shown: Sequence[Dimension]) -> str:
    return "".join(_line(trial, objective.at(ranking.of(trial) or 0.0), shown) for trial in trials)


def _line(trial: Trial, start: float, shown: Sequence[Dimension]) -> str:
    below = "".join(f"L{each.at(trial):g} {_y(row):g}" for row, each in enumerate(shown, start=1))
    return f"M{start:g} {_y(0):g}{below}"


def _numbers(trials: Sequence[Trial]) -> str:
    return " ".join(str(trial["number"]) for trial in trials)


def _y(row: int) -> float:
    return TOP + SPACING * row


def _axis(row: int, name: str, labels: Sequence[tuple[float, str]]) -> Html:
    y = _y(row)
    texts = (
        element("text", text, x=round(x, 1), y=y + 15, text_anchor="middle", class_="tick")
        for x, text in labels
    )
    ends = (
        element("line", x1=round(x, 1), x2=round(x, 1), y1=y - 3, y2=y + 3, class_="axis") for x, _ in labels
    )
    return join(
        [
            element("line", x1=LEFT, x2=plot.WIDTH - RIGHT, y1=y, y2=y, class_="axis"),
            *ends,
            element("text", brief(name, 60), x=LEFT - 12, y=y - 12, class_="name"),
            *texts,
        ]
    )
