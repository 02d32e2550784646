"""The search on the page: course of the objective, best parameters, all trials, failures. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any

from trimtab_api.report import Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.charts import Dot, course
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.tables import Cell, metric_head, table

Trial = Mapping[str, Any]
"""{"number", "state", "params", "metrics", "seconds"}, and "error" of one that failed."""

FAILURES = 20
SUPERSEDED = frozenset({"lost", "duplicate"})
"""States of trials whose result is that of another one."""


def search(report: Report, trials: Sequence[Trial], listed: Sequence[Trial]) -> Html | None:
    """The section of the search, with a table of the `listed` trials; nothing when there was none."""
    if not trials:
        return None
    return element(
        "section",
        element("h2", "Search"),
        element("p", counts(report), class_="note"),
        _figure(report, trials),
        *_best(report),
        _table(report, listed, len(trials)),
    )


def failures(trials: Sequence[Trial]) -> Html | None:
    """The section of trials that failed, with the last line of each; nothing when none did."""
    failed = [trial for trial in trials if trial["state"] == "failed"]
    if not failed:
        return None
    heads = [Cell("trial", number=True), Cell("error"), Cell("parameters")]
    lines = [
        [
            Cell(str(trial["number"]), number=True, head=True),
            Cell(str(trial.get("error") or "see its log")[-600:], wide=True),
            Cell(figures.parameters(trial["params"]), wide=True),
        ]
        for trial in failed[:FAILURES]
    ]
    shown = "" if len(failed) <= FAILURES else f" The first {FAILURES} of {len(failed)}."
    caption = f"Trials that ended with an error. Each one's log lies in logs/.{shown}"
    return element("section", element("h2", "Failures"), table(caption, heads, lines))


def baseline_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial that ran the baseline: the first, or the one that took its place when its worker was lost."""
    alike = (trial for trial in trials if trial["params"] == trials[0]["params"])
    return next((trial for trial in alike if trial["state"] == "completed"), None)


def counts(report: Report) -> str:
    """How the trials ended, in words: "40 trials: 31 completed, 8 pruned early, 1 failed"."""
    each = report.trials
    parts = [f"{each.completed} completed"]
    for number, words in (
        (each.running, "running"),
        (each.pruned, "ended early"),
        (each.failed, "failed"),
        (each.retried, "run again"),
    ):
        parts += [f"{number} {words}"] if number else []
    seed = f" Seed {report.seed}." if report.seed is not None else ""
    return f"{each.total} trials: {', '.join(parts)}.{seed}"


def listed(report: Report, trials: Sequence[Trial], room: int) -> list[Trial]:
    """The trials that the page lists: all of them, or the best as far as `room` bytes of page last."""
    metric, maximize = _objective(report, trials)
    sign = -1 if maximize else 1
    ranked = sorted(trials, key=lambda trial: _rank(trial, metric, sign))
    filled = accumulate(_bytes(trial) for trial in ranked)
    best = [trial for trial, total in zip(ranked, filled, strict=True) if total <= room]
    return sorted(best, key=lambda trial: int(trial["number"]))


def embedded(trial: Trial) -> dict[str, Any]:
    """What the page's script knows of a trial, numbers shortened."""
    shown = {name: figures.value_text(value) for name, value in trial["params"].items()}
    metrics = {name: figures.figure(name, value) for name, value in trial["metrics"].items()}
    return {"number": trial["number"], "state": trial["state"], "params": shown, "metrics": metrics}


def _bytes(trial: Trial) -> int:
    """About how much of the page a trial takes: its line of the table, and its copy for the script."""
    cells = [*trial["params"].items(), *trial["metrics"].items()]
    texts = ((name, escape(figures.value_text(value))) for name, value in cells)
    return 180 + sum(35 + len(name.encode()) + 2 * len(text.encode()) for name, text in texts)


def _rank(trial: Trial, metric: str | None, sign: int) -> tuple[bool, float]:
    value = trial["metrics"].get(metric)
    return (True, 0.0) if value is None else (trial["state"] != "completed", sign * value)


def _objective(report: Report, trials: Sequence[Trial]) -> tuple[str | None, bool]:
    """The metric that ranks, and whether more of it is better."""
    if report.objectives:
        return report.objectives[0].metric, report.objectives[0].direction == "maximize"
    return next(iter(_names(trials, "metrics")), None), True


def _names(trials: Sequence[Trial], part: str) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name in trial[part]))


def _figure(report: Report, trials: Sequence[Trial]) -> Html | None:
    metric, maximize = _objective(report, trials)
    if metric is None:
        return None
    dots = [
        Dot(trial["number"], trial["metrics"].get(metric), trial["state"])
        for trial in trials
        if trial["state"] not in SUPERSEDED
    ]
    if not any(dot.value is not None for dot in dots):
        return None
    baseline = baseline_of(trials)
    start = baseline["metrics"].get(metric) if baseline else None
    caption = (
        "Filled: ran to its end. Hollow: ended early. Cross: failed. Line: best so far. Dashed: baseline."
    )
    return element("figure", course(dots, metric, maximize, start), element("figcaption", caption))


def _best(report: Report) -> list[Html]:
    if report.best is None:
        return []
    drawn = {**report.best.params, **report.best.architecture}
    pairs = (
        join([element("dt", name), element("dd", figures.value_text(value))]) for name, value in drawn.items()
    )
    return [element("h3", f"Best: trial {report.best.trial}"), element("dl", *pairs)]


def _table(report: Report, shown: Sequence[Trial], total: int) -> Html:
    params, metrics = _names(shown, "params"), _names(shown, "metrics")
    heads = [
        Cell("trial", number=True),
        Cell("state"),
        *(metric_head(name) for name in metrics),
        *(Cell(name, number=True) for name in params),
        Cell("seconds", number=True),
    ]
    best = report.best.trial if report.best else None
    chosen = next((index for index, trial in enumerate(shown) if trial["number"] == best), None)
    lines = [_line(trial, metrics, params) for trial in shown]
    caption = f"The best {len(shown):,} of {total:,} trials." if len(shown) < total else "All trials."
    content = table(caption, heads, lines, sortable=True, chosen=chosen)
    return element("details", element("summary", f"Table of {len(shown):,} trials"), content)


def _line(trial: Trial, metrics: list[str], params: list[str]) -> list[Cell]:
    return [
        Cell(str(trial["number"]), number=True, head=True),
        Cell(str(trial["state"]), tone="bad" if trial["state"] == "failed" else ""),
        *(Cell(figures.figure(name, trial["metrics"].get(name)), number=True) for name in metrics),
        *(_param(trial["params"].get(name)) for name in params),
        Cell("" if trial.get("seconds") is None else f"{trial['seconds']:.1f}", number=True),
    ]


def _param(value: object) -> Cell:
    return Cell("" if value is None else figures.value_text(value), number=True)
