"""Tables of the page: captioned, scrollable on a phone, sortable where that helps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab_jobs.report.figures import EFFICIENCY, label
from trimtab_jobs.report.markup import Html, element


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text, a smaller line under it, the value it sorts by, how it is set, and a bar."""

    text: str
    small: str = ""
    value: float | None = None
    number: bool = False
    wide: bool = False
    head: bool = False
    strong: bool = False
    tone: str = ""
    bar: Html | None = None


def table(
    caption: str,
    heads: Sequence[Cell],
    lines: Sequence[Sequence[Cell]],
    *,
    sortable: bool = False,
    chosen: int | None = None,
) -> Html:
    """The table in a box that scrolls sideways; `chosen` is the line that is set off."""
    content = element(
        "table",
        element("caption", element("span", caption)),
        element("thead", element("tr", *(head(cell) for cell in heads))),
        element("tbody", *(_line(line, index == chosen) for index, line in enumerate(lines))),
        class_="sortable" if sortable else None,
    )
    return boxed(content, caption)


def boxed(content: Html, caption: str) -> Html:
    """What is too wide for a phone, in a box that scrolls sideways, by keyboard as well."""
    return element("div", content, class_="scroll", role="region", tabindex=0, aria_label=caption)


def metric_head(metric: str) -> Cell:
    """The head of a column of figures: how the metric is called, its unit in a smaller line."""
    unit = EFFICIENCY[metric].unit if metric in EFFICIENCY else ""
    return Cell(label(metric), small=unit, number=True)


def head(cell: Cell) -> Html:
    """The head of a column; one without text is no head."""
    if not cell.text:
        return element("td")
    small = element("small", cell.small) if cell.small else None
    return element("th", cell.text, small, scope="col", class_="number" if cell.number else None)


def _line(cells: Sequence[Cell], chosen: bool) -> Html:
    marked = (_cell(cell, first=index == 0) for index, cell in enumerate(cells))
    return element("tr", *marked, class_="chosen" if chosen else None)


def _cell(cell: Cell, first: bool) -> Html:
    classes = " ".join(
        filter(None, ("number" if cell.number else "", "wide" if cell.wide else "", cell.tone))
    )
    text = element("strong", cell.text) if cell.strong else cell.text
    small = element("small", cell.small) if cell.small else None
    head = cell.head or (first and not cell.number)
    return element(
        "th" if head else "td",
        text,
        cell.bar,
        small,
        scope="row" if head else None,
        class_=classes or None,
        data_value=f"{cell.value:.6g}" if cell.value is not None else None,
    )
