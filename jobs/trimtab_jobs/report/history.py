"""The course of the search: the objective by trial, with the best so far as a line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from trimtab_jobs.report import plot
from trimtab_jobs.report.figures import heading
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.plot import BOTTOM, CROSS, HEIGHT, LEFT, RIGHT, TOP, TRIANGLE, WIDTH, Mark
from trimtab_jobs.report.scale import Axis, axis, ticks, without_outliers

MOST = 1200
"""Trials of one kind that the chart draws."""
LABEL = 58.0
"""Room on the right for the baseline's name."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A trial in the course of the search; without a value it has failed."""

    number: int
    value: float | None
    state: str


def course(dots: Sequence[Dot], metric: str, maximize: bool, baseline: float | None) -> Html:
    """The chart, with the baseline dashed; trials far worse than the others lie at its edge."""
    across, up = course_axes(dots, maximize, baseline)
    ended, early, beyond, failed = _grouped(dots, across, up)
    return plot.chart(
        f"{heading(metric)} by trial",
        plot.grid(across, up, ("trial", metric)),
        _level(baseline, up),
        plot.hollow_marks(early),
        plot.marks("dots completed", ended),
        plot.marks("beyond", beyond, TRIANGLE),
        plot.marks("failed", failed, CROSS),
        element("path", d=_steps(leaders(dots, maximize), across, up), class_="best-line"),
        _name(baseline, up, below=maximize),
    )


def course_axes(dots: Sequence[Dot], maximize: bool, baseline: float | None) -> tuple[Axis, Axis]:
    """Both axes: trials without gaps, the objective to scale but for outliers."""
    values = [dot.value for dot in dots if dot.value is not None]
    shown = without_outliers(values, maximize=maximize)
    last = max([1, *(dot.number for dot in dots)])
    end = WIDTH - RIGHT - (LABEL if baseline is not None else 0.0)
    across = Axis(0, last, LEFT + 6, end, tuple(tick for tick in ticks(0, last, 5) if tick == int(tick)))
    return across, axis([*shown, *([] if baseline is None else [baseline])], HEIGHT - BOTTOM, TOP)


def leaders(dots: Sequence[Dot], maximize: bool) -> list[tuple[int, float]]:
    """The trials at which the best value so far got better, and the last trial."""
    valued = [(dot.number, dot.value) for dot in dots if dot.value is not None and dot.state == "completed"]
    best = accumulate((value for _, value in valued), max if maximize else min)
    course = [(number, value) for (number, _), value in zip(valued, best, strict=True)]
    changed = [
        step
        for before, step in zip([None, *course], course, strict=False)
        if not before or before[1] != step[1]
    ]
    return [*changed, (dots[-1].number, course[-1][1])] if course else []


def _grouped(dots: Sequence[Dot], across: Axis, up: Axis) -> list[Sequence[Mark]]:
    """Marks of trials that ran to their end, ended early, are beyond the chart, or have failed."""
    groups: tuple[list[Mark], ...] = ([], [], [], [])
    for dot in dots:
        x = across.at(dot.number)
        if dot.value is None:
            groups[3].append(Mark(dot.number, x, HEIGHT - BOTTOM - 5))
        elif not up.holds(dot.value):
            inward = 6 if up.at(dot.value) < HEIGHT / 2 else -6
            groups[2].append(Mark(dot.number, x, up.at(dot.value) + inward))
        else:
            groups[dot.state != "completed"].append(Mark(dot.number, x, up.at(dot.value)))
    return [plot.thinned(group, MOST) for group in groups]


def _steps(leaders: Sequence[tuple[int, float]], across: Axis, up: Axis) -> str:
    """The path of a line that goes right, then up, and never slopes."""
    return " ".join(
        f"M{across.at(number):g} {up.at(value):g}"
        if index == 0
        else f"H{across.at(number):g}V{up.at(value):g}"
        for index, (number, value) in enumerate(leaders)
    )


def _level(baseline: float | None, up: Axis) -> Html | None:
    if baseline is None:
        return None
    y = up.at(baseline)
    return element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="baseline")


def _name(baseline: float | None, up: Axis, below: bool) -> Html | None:
    """The baseline's name at the right end, on the side where the best so far is not."""
    if baseline is None:
        return None
    y = up.at(baseline) + (15 if below else -6)
    return element("text", "baseline", x=WIDTH - RIGHT, y=y, text_anchor="end", class_="name baseline")
