"""The scatter: models by an efficiency and a quality, those on the front joined by a line. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trimtab_jobs.report import plot
from trimtab_jobs.report.figures import brief, heading
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from trimtab_jobs.report.scale import Axis, axis, is_wide, without_outliers

CHARACTER = 6.9
"""Pixels of one character of a label, on the safe side."""
LONGEST_NAME = 28
CROWDED = 40
"""Points above which those that do not stand out have neither a name nor an interval."""
Box = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(frozen=True, slots=True)
class Point:
    """A model in the scatter: its two figures, the bounds of the second, and what it is."""

    name: str
    x: float
    y: float
    bounds: tuple[float, float] | None
    kind: str
    tip: str


def scatter(points: Sequence[Point], x_metric: str, y_metric: str, *, maximize: bool = True) -> Html:
    """The chart; a model far worse than the others lies at its edge, as a triangle."""
    across, up = scatter_axes(points, maximize=maximize)
    front = sorted((point for point in points if "front" in point.kind), key=lambda point: point.x)
    line = " ".join(f"{across.at(point.x):g},{up.at(point.y):g}" for point in front)
    return plot.chart(
        f"{heading(y_metric)} by {heading(x_metric)}",
        plot.grid(across, up, (x_metric, y_metric)),
        *(_whisker(point, across, up) for point in points if len(points) <= CROWDED or _stands_out(point)),
        element("polyline", points=line, class_="front-line") if len(front) > 1 else None,
        *(_mark(point, across, up) for point in points),
        *_names(points, across, up),
    )


def scatter_axes(points: Sequence[Point], *, maximize: bool) -> tuple[Axis, Axis]:
    """Both axes: the quality to scale but for outliers, the efficiency logarithmic where it has to be."""
    widths = [point.x for point in points]
    shown = without_outliers([point.y for point in points], maximize=maximize)
    bounds = [bound for point in points if point.y in shown for bound in point.bounds or ()]
    across = axis(widths, LEFT, WIDTH - RIGHT, 6, logarithmic=is_wide(widths))
    return across, axis([*shown, *bounds], HEIGHT - BOTTOM, TOP)


def _whisker(point: Point, across: Axis, up: Axis) -> Html | None:
    if point.bounds is None or not up.holds(point.y):
        return None
    x = across.at(point.x)
    low, high = (up.at(bound) for bound in point.bounds)
    return element("line", x1=x, x2=x, y1=low, y2=high, class_="whisker")


def _mark(point: Point, across: Axis, up: Axis) -> Html:
    x, y = across.at(point.x), up.at(point.y)
    title = element("title", point.tip)
    ring = element("circle", cx=x, cy=y, r=11, class_="ring") if "final" in point.kind else None
    if not up.holds(point.y):
        beyond = f"M{x:g} {y:g}{plot.TRIANGLE}"
        return join([ring, element("path", title, d=beyond, class_=f"mark {point.kind}")])
    return join([ring, element("circle", title, cx=x, cy=y, r=6, class_=f"mark {point.kind}")])


def _names(points: Sequence[Point], across: Axis, up: Axis) -> Iterator[Html]:
    """Names beside their points, the final one first; one that finds no free place is left to the table."""
    taken = [(across.at(point.x) - 6, up.at(point.y) - 6, 12.0, 12.0) for point in points]
    named = points if len(points) <= CROWDED else [point for point in points if _stands_out(point)]
    for point in sorted(named, key=_rank):
        text = brief(point.name, LONGEST_NAME)
        for box in _places(point, len(text) * CHARACTER, across.at(point.x), up.at(point.y)):
            if _is_free(box, taken):
                taken.append(box)
                yield _name(text, box, across.at(point.x), point.kind)
                break


def _name(text: str, box: Box, x: float, kind: str) -> Html:
    """The name in its box, held at the side towards its point: a phone's larger type grows away from it."""
    left, right = box[0], box[0] + box[2]
    at, anchor = (
        (right, "end") if right <= x else (left, "start") if left >= x else ((left + right) / 2, "middle")
    )
    y = round(box[1] + 11, 1)
    return element("text", text, x=round(at, 1), y=y, text_anchor=anchor, class_=f"name {kind}")


def _stands_out(point: Point) -> bool:
    return bool({"final", "front", "baseline", "uncompressed"} & set(point.kind.split()))


def _rank(point: Point) -> tuple[bool, bool, bool]:
    reference = "baseline" in point.kind or "uncompressed" in point.kind
    return "final" not in point.kind, not reference, "front" not in point.kind


def _places(point: Point, wide: float, x: float, y: float) -> Iterator[Box]:
    """Where the name may stand, the best place first: to the right, to the left, above, below."""
    gap = 16 if "final" in point.kind else 11
    yield x + gap, y - 7, wide, 14.0
    yield x - gap - wide, y - 7, wide, 14.0
    for left in (x - wide / 2, x + 4, x - wide - 4):
        yield left, y - gap - 15, wide, 14.0
        yield left, y + gap + 1, wide, 14.0


def _is_free(box: Box, taken: Sequence[Box]) -> bool:
    left, top, wide, high = box
    inside = left > LEFT and left + wide < WIDTH and top > TOP - 8 and top + high < HEIGHT - BOTTOM
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    apart_across = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
    apart_down = one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1]
    return not (apart_across or apart_down)
