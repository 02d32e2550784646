"""All trials as a table, and once more for the page's script; both as short as HTML and JSON allow. Pure.

A thousand trials are most of the page, so a cell has no class and no end tag: what a column looks like, the
style knows from its place.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from itertools import accumulate
from typing import Any, TypeVar

from trimtab_api.report import Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.tables import boxed, head, metric_head
from trimtab_jobs.report.trials import Trial, names, ranking

FIXED_BYTES = 64
"""What a trial takes besides its parameters and metrics, in the table and in the copy for the script."""
UNFOLDED_IN_PRINT = 60
"""Trials up to which the table is printed although it is folded away."""
Item = TypeVar("Item")


def fitting(items: Iterable[Item], bytes_of: Callable[[Item], int], room: int) -> list[Item]:
    """The first items, as far as so many bytes last."""
    items = list(items)
    filled = accumulate(map(bytes_of, items))
    return [item for item, total in zip(items, filled, strict=True) if total <= room]


def listed(report: Report, trials: Sequence[Trial], room: int) -> list[Trial]:
    """The trials that the page lists: all of them, or the best as far as `room` bytes of page last."""
    ranks = ranking(report, trials)
    best_first = sorted(
        trials, key=lambda trial: (trial["state"] != "completed", ranks.loss(trial) if ranks else 0)
    )
    return sorted(fitting(best_first, _bytes, room), key=lambda trial: int(trial["number"]))


def embedded(trials: Sequence[Trial]) -> dict[str, Any]:
    """What the page's script knows of the trials, as rows of texts in the order of `params` and `metrics`."""
    params, metrics = names(trials, "params"), names(trials, "metrics")
    rows = [
        [
            trial["number"],
            trial["state"],
            *(
                figures.figure(name, trial["metrics"][name]) if name in trial["metrics"] else ""
                for name in metrics
            ),
            *(_param(trial, name) for name in params),
        ]
        for trial in trials
    ]
    return {"metrics": [figures.label(name) for name in metrics], "params": params, "rows": rows}


def listing(report: Report, shown: Sequence[Trial], total: int) -> Html:
    """The table, folded away; the leading trial is set off."""
    params, metrics = names(shown, "params"), names(shown, "metrics")
    heads = [
        element("th", "trial", scope="col"),
        element("th", "state", scope="col"),
        *(head(metric_head(name)) for name in metrics),
        *(element("th", figures.brief(name, figures.LONGEST_VALUE), scope="col") for name in params),
        element("th", "seconds", scope="col"),
    ]
    best = report.best.trial if report.best else None
    body = (_line(trial, metrics, params, trial["number"] == best) for trial in shown)
    caption = f"The best {len(shown):,} of {total:,} trials." if len(shown) < total else "All trials."
    content = element(
        "table",
        element("caption", element("span", caption)),
        element("thead", element("tr", *heads)),
        element("tbody", *body),
        class_="sortable trials",
    )
    folded = "long" if len(shown) > UNFOLDED_IN_PRINT else None
    summary = element("summary", f"Table of {figures.counted(len(shown), 'trial')}")
    return element("details", summary, boxed(content, caption), class_=folded)


def _line(trial: Trial, metrics: Sequence[str], params: Sequence[str], chosen: bool) -> Html:
    texts = [
        str(trial["state"]),
        *(figures.figure(name, trial["metrics"].get(name)) for name in metrics),
        *(_param(trial, name) for name in params),
        "" if trial.get("seconds") is None else f"{trial['seconds']:.1f}",
    ]
    cells = join(part for text in texts for part in (Html("<td>"), text))
    opening = Html('<tr class="chosen"><th scope=row>' if chosen else "<tr><th scope=row>")
    return join([opening, str(trial["number"]), cells])


def _param(trial: Trial, name: str) -> str:
    value = trial["params"].get(name)
    return "" if value is None else figures.value_text(value)


def _bytes(trial: Trial) -> int:
    """About how much of the page a trial takes: its line of the table, and its copy for the script."""
    texts = [figures.figure(name, value) for name, value in trial["metrics"].items()]
    texts += [figures.value_text(value) for value in trial["params"].values()]
    return FIXED_BYTES + sum(8 + 2 * len(escape(text).encode(errors="replace")) for text in texts)
