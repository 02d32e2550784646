"""Trials by two objectives: those on the front, and those that they dominate. Pure."""

from collections.abc import Sequence

from trimtab_api.report import Report
from trimtab_jobs.report import plot
from trimtab_jobs.report.figures import heading
from trimtab_jobs.report.history import MOST
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Mark
from trimtab_jobs.report.scale import axis, is_wide, without_outliers
from trimtab_jobs.report.trials import Ranking, Trial


def tradeoff(report: Report, trials: Sequence[Trial]) -> Html | None:
    """The chart of the first two objectives; None with fewer of them, or fewer than two trials with both."""
    if len(report.objectives) < 2:
        return None
    first, second = (Ranking(each.metric, each.direction == "maximize") for each in report.objectives[:2])
    ended = [trial for trial in trials if trial["state"] == "completed"]
    found = [
        (trial["number"], x, y)
        for trial in ended
        if (x := second.of(trial)) is not None and (y := first.of(trial)) is not None
    ]
    if len(found) < 2:
        return None
    across_values = [x for _, x, _ in found]
    across = axis(across_values, LEFT, WIDTH - RIGHT, 6, logarithmic=is_wide(across_values))
    shown = without_outliers([y for _, _, y in found], maximize=first.maximize)
    up = axis(shown, HEIGHT - BOTTOM, TOP)
    on_front = front(found, first.maximize, second.maximize)
    marks = [Mark(number, across.at(x), up.at(y)) for number, x, y in found]
    best = sorted((mark for mark in marks if mark.number in on_front), key=lambda mark: mark.x)
    others = plot.thinned([mark for mark in marks if mark.number not in on_front], MOST)
    return plot.chart(
        f"{heading(first.metric)} by {heading(second.metric)} of each trial",
        plot.grid(across, up, (second.metric, first.metric)),
        plot.hollow_marks(others),
        element("polyline", points=" ".join(f"{mark.x:g},{mark.y:g}" for mark in best), class_="front-line"),
        plot.marks("dots completed", best),
    )


def front(found: Sequence[tuple[int, float, float]], up_is_better: bool, right_is_better: bool) -> set[int]:
    """Numbers of the trials that no other one beats in both figures."""
    turned = [(-y if up_is_better else y, -x if right_is_better else x, number) for number, x, y in found]
    kept, least = set(), float("inf")
    for _, across, number in sorted(turned):
        if across < least:
            kept.add(number)
            least = across
    return kept
