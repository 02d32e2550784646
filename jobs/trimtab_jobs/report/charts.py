"""The page's charts as hand-written SVG; every colour comes from the page's style. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from trimtab_jobs.report.figures import heading
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.scale import Axis, axis

WIDTH, HEIGHT = 640.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 16.0, 16.0, 46.0
CHARACTER = 7.5  # pixels of one character of a label, on the safe side for the larger type of a phone
POINTS = 1200  # most points that a chart draws


@dataclass(frozen=True, slots=True)
class Point:
    """A model in the scatter: its two figures, the bounds of the second, and what it is."""

    name: str
    x: float
    y: float
    bounds: tuple[float, float] | None
    kind: str
    tip: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A trial in the course of the search; without a value it has failed."""

    number: int
    value: float | None
    state: str


def scatter(points: Sequence[Point], x_metric: str, y_metric: str) -> Html:
    """Models by an efficiency (x) and a quality (y), those on the front joined by a line."""
    bounds = [bound for point in points for bound in point.bounds or ()]
    across = axis([point.x for point in points], LEFT, WIDTH - RIGHT, 7)
    up = axis([*(point.y for point in points), *bounds], HEIGHT - BOTTOM, TOP)
    front = sorted((point for point in points if "front" in point.kind), key=lambda point: point.x)
    path = " ".join(f"{across.at(point.x):g},{up.at(point.y):g}" for point in front)
    return _chart(
        f"{heading(y_metric)} by {heading(x_metric)}",
        _grid(across, up, (x_metric, y_metric)),
        element("polyline", points=path, class_="front-line") if len(front) > 1 else None,
        *(_mark(point, across, up) for point in points),
        *_names(points, across, up),
    )


def course(dots: Sequence[Dot], metric: str, maximize: bool, baseline: float | None) -> Html:
    """The objective by trial, with the best so far as a line and the baseline dashed."""
    shown = _thin(dots)
    values = [dot.value for dot in shown if dot.value is not None]
    across = axis([0, max(dot.number for dot in dots)], LEFT, WIDTH - RIGHT)
    up = axis([*values, *([] if baseline is None else [baseline])], HEIGHT - BOTTOM, TOP)
    return _chart(
        f"{heading(metric)} by trial",
        _grid(across, up, ("trial", metric)),
        element("path", d=_steps(_leaders(dots, maximize), across, up), class_="best-line"),
        *(_dot(dot, across, up) for dot in shown),
        _level(baseline, up, below=maximize),
    )


def bars(before: float, after: float) -> Html:
    """Two bars, one above the other: a figure before and after."""
    longest = max(before, after) or 1.0
    shapes = (
        element("rect", x=0, y=y, width=round(100 * value / longest, 1), height=5, rx=1.5, class_=name)
        for value, y, name in ((before, 0, "before"), (after, 8, "after"))
    )
    return element(
        "svg", *shapes, viewBox="0 0 100 13", preserveAspectRatio="none", class_="bars", aria_hidden="true"
    )


def _chart(title: str, *shapes: Html | None) -> Html:
    return element(
        "svg",
        *shapes,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        aria_label=f"Chart: {title}; the table below holds the same figures",
    )


def _grid(across: Axis, up: Axis, metrics: tuple[str, str]) -> Html:
    x_metric, y_metric = metrics
    lines: list[Html] = []
    for tick in up.ticks:
        y = up.at(tick)
        lines += (
            element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"),
            element("text", _tick(tick, up), x=LEFT - 8, y=y + 4, text_anchor="end"),
        )
    for tick in across.ticks:
        x = across.at(tick)
        lines.append(element("text", _tick(tick, across), x=x, y=HEIGHT - BOTTOM + 18, text_anchor="middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return join(
        [
            *lines,
            element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM, class_="axis"),
            element("text", heading(x_metric), x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, class_="title"),
            element(
                "text",
                heading(y_metric),
                x=14,
                y=middle,
                class_="title",
                transform=f"rotate(-90 14 {middle:g})",
            ),
        ]
    )


def _tick(value: float, along: Axis) -> str:
    """The number at a tick, with as many decimals as tell neighbours apart."""
    step = along.ticks[1] - along.ticks[0] if len(along.ticks) > 1 else 1.0
    decimals = next((count for count in range(7) if abs(round(step, count) - step) < step * 1e-6), 7)
    return f"{value:,.{decimals}f}"


def _mark(point: Point, across: Axis, up: Axis) -> Html:
    x, y = across.at(point.x), up.at(point.y)
    title = element("title", point.tip)
    whisker = None
    if point.bounds:
        whisker = element(
            "line", x1=x, x2=x, y1=up.at(point.bounds[0]), y2=up.at(point.bounds[1]), class_="whisker"
        )
    ring = element("circle", cx=x, cy=y, r=11, class_="ring") if "final" in point.kind else None
    shape = element("circle", title, cx=x, cy=y, r=6, class_=f"mark {point.kind}", data_tip=point.tip)
    return join([whisker, ring, shape])


def _names(points: Sequence[Point], across: Axis, up: Axis) -> Iterator[Html]:
    """Names beside their points, the final one first; one that finds no free place is left to the table."""
    taken = [(across.at(point.x) - 6, up.at(point.y) - 6, 12.0, 12.0) for point in points]
    for point in sorted(points, key=lambda point: ("final" not in point.kind, "front" not in point.kind)):
        text = point.name if len(point.name) <= 28 else f"{point.name[:27]}…"
        wide = len(text) * CHARACTER
        x, y = across.at(point.x), up.at(point.y)
        gap = 16 if "final" in point.kind else 11
        beside = ((x + gap, y - 7), (x - gap - wide, y - 7))
        over_and_under = ((left, top) for left in (x - wide / 2, x + 4) for top in (y - 26, y + 12))
        for left, top in (*beside, *over_and_under):
            box = (left, top, wide, 14.0)
            if (
                left > LEFT
                and left + wide < WIDTH
                and top > 0
                and not any(_overlap(box, other) for other in taken)
            ):
                taken.append(box)
                yield element(
                    "text", text, x=round(left, 1), y=round(top + 11, 1), class_=f"name {point.kind}"
                )
                break


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    apart_across = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
    apart_down = one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1]
    return not (apart_across or apart_down)


def _thin(dots: Sequence[Dot]) -> Sequence[Dot]:
    """Every so-manieth trial where there are more than a chart can show."""
    return dots[:: -(-len(dots) // POINTS)] if len(dots) > POINTS else dots


def _leaders(dots: Sequence[Dot], maximize: bool) -> list[tuple[int, float]]:
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


def _steps(leaders: Sequence[tuple[int, float]], across: Axis, up: Axis) -> str:
    """The path of a line that goes right, then up, and never slopes."""
    return " ".join(
        f"M{across.at(number):g} {up.at(value):g}"
        if index == 0
        else f"H{across.at(number):g}V{up.at(value):g}"
        for index, (number, value) in enumerate(leaders)
    )


def _level(baseline: float | None, up: Axis, below: bool) -> Html | None:
    """The baseline, with its name on the side where the best so far is not."""
    if baseline is None:
        return None
    y = up.at(baseline)
    return join(
        [
            element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="baseline"),
            element(
                "text",
                "baseline",
                x=WIDTH - RIGHT,
                y=y + (15 if below else -6),
                text_anchor="end",
                class_="name baseline",
            ),
        ]
    )


def _dot(dot: Dot, across: Axis, up: Axis) -> Html:
    x = across.at(dot.number)
    if dot.value is None:
        y = HEIGHT - BOTTOM - 5
        return element("path", d=f"M{x - 3:g} {y - 3:g}l6 6m0-6l-6 6", class_="failed", data_trial=dot.number)
    return element("circle", cx=x, cy=up.at(dot.value), r=4, class_=f"dot {dot.state}", data_trial=dot.number)
