"""Bars in running text: one figure against the largest, or before and after. Pure."""

from trimtab_jobs.report.markup import Html, element


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


def bar(value: float, largest: float) -> Html:
    """One bar as long as the value is of the largest."""
    width = max(0.5, round(100 * value / largest, 1)) if largest else 0.5
    return element(
        "svg",
        element("rect", x=0, y=0, width=100, height=6, class_="track"),
        element("rect", x=0, y=0, width=width, height=6, class_="after"),
        viewBox="0 0 100 6",
        preserveAspectRatio="none",
        class_="bar",
        aria_hidden="true",
    )
