"""What the page's charts share: frame, grid and ticks, and marks so many that each group is one path. Pure.

Every colour comes from the page's style. A mark of a trial is a line of no length with round ends: a path of
a thousand of them takes a tenth of what a thousand circles would. `data-n` names the trials of a path in
order, for the page's script to tell them apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trimtab_jobs.report.figures import heading
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.scale import Axis

WIDTH, HEIGHT = 600.0, 350.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 18.0, 30.0, 48.0
DOT, CROSS, TRIANGLE = "h0", "m-3-3l6 6m0-6l-6 6", "m-4-3h8l-4 6z"
"""Shapes about the point where a mark lies, as commands of a path."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A trial in a chart: its number, and where it lies in pixels."""

    number: int
    x: float
    y: float


def chart(title: str, *shapes: Html | None, height: float = HEIGHT) -> Html:
    """The drawing with its name for screen readers."""
    return element(
        "svg",
        *shapes,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label=f"Chart: {title}. The table in this section holds the same figures.",
    )


def grid(across: Axis, up: Axis, metrics: tuple[str, str]) -> Html:
    """Both axes with their ticks and titles."""
    x_metric, y_metric = metrics
    lines: list[Html] = []
    for tick in up.ticks:
        y = up.at(tick)
        lines += (
            element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"),
            element("text", up.text(tick), x=LEFT - 8, y=y + 4, text_anchor="end"),
        )
    for tick in across.ticks:
        text = across.text(tick)
        lines.append(element("text", text, x=across.at(tick), y=HEIGHT - BOTTOM + 18, text_anchor="middle"))
    return join(
        [
            *lines,
            element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM, class_="axis"),
            element(
                "text", titled(x_metric, across), x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 8, class_="title"
            ),
            element("text", titled(y_metric, up), x=6, y=15, class_="title start"),
        ]
    )


def titled(metric: str, along: Axis) -> str:
    """The title of an axis."""
    return f"{heading(metric)}, logarithmic" if along.logarithmic else heading(metric)


def marks(kind: str, found: Sequence[Mark], shape: str = DOT) -> Html | None:
    """Marks of one kind as one path; None when there is none."""
    if not found:
        return None
    return element(
        "path", class_=kind, d=path(found, shape), data_n=" ".join(str(mark.number) for mark in found)
    )


def hollow_marks(found: Sequence[Mark]) -> Html | None:
    """Marks of trials that are not among the first as rings; None when there is none."""
    if not found:
        return None
    return join([marks("dots early", found), element("path", class_="dots inner", d=path(found))])


def captioned(drawing: Html, caption: str, key: Html | None = None) -> Html:
    """A chart with what there is to say of it below, after the key of its marks."""
    return element("figure", drawing, key, element("figcaption", caption), class_="chart")


def path(found: Iterable[Mark], shape: str = DOT) -> str:
    """The shape at each place."""
    return "".join(f"M{mark.x:g} {mark.y:g}{shape}" for mark in found)


def thinned(items: Sequence[Mark], most: int) -> Sequence[Mark]:
    """Every so-manieth where there are more than a chart can show."""
    return items[:: -(-len(items) // most)] if len(items) > most else items
