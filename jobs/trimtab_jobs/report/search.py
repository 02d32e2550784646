"""The search on the page: its course, which parameters mattered and how, and all trials. Pure."""

from collections.abc import Iterator, Sequence

from trimtab_api.report import Report
from trimtab_jobs.report import figures, plot
from trimtab_jobs.report.bars import bar
from trimtab_jobs.report.coordinates import MOST_AXES, MOST_BEST, best_and_rest, coordinates
from trimtab_jobs.report.history import Dot, course
from trimtab_jobs.report.importance import LEAST_EXPLAINED, LEAST_TRIALS, Importance, importance
from trimtab_jobs.report.listing import listing
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.tables import Cell, table
from trimtab_jobs.report.tradeoff import tradeoff
from trimtab_jobs.report.trials import Ranking, Trial, baseline_of, names, own, ranking

MOST_NAMED = 15
"""Parameters whose importance is listed."""


def search(report: Report, trials: Sequence[Trial]) -> list[Html]:
    """The section of the search without its table of trials, in parts; empty when there was none."""
    if not trials:
        return []
    ranks, tried = ranking(report, trials), own(trials)
    found = importance(tried, ranks) if ranks else None
    return [
        element("h2", "Search"),
        element("p", f"{counts(report)}{_numbering(report, trials)}", class_="note"),
        *_best(report),
        *(_course(ranks, tried, trials) if ranks else ()),
        *(_tradeoff(report, tried)),
        *(_importance(found, tried, ranks) if ranks else ()),
        *(_coordinates(ranks, tried, found) if ranks else ()),
    ]


def section(parts: Sequence[Html], report: Report, shown: Sequence[Trial], total: int) -> Html | None:
    """The whole section, its table of the trials that are shown included; None when there was no search."""
    return element("section", *parts, listing(report, shown, total)) if parts else None


def counts(report: Report) -> str:
    """How the trials ended, in words: "40 trials: 31 completed, 8 ended early, 1 failed. Seed 7."."""
    each = report.trials
    parts = [f"{each.completed:,} completed"]
    for number, words in (
        (each.running, "running"),
        (each.pruned, "ended early"),
        (each.failed, "failed"),
        (each.retried, "run again"),
    ):
        parts += [f"{number:,} {words}"] if number else []
    seed = f" Seed {report.seed}." if report.seed is not None else ""
    return f"{figures.counted(each.total, 'trial')}: {', '.join(parts)}.{seed}"


def _numbering(report: Report, trials: Sequence[Trial]) -> str:
    """Why numbers of trials run past their count, where they do."""
    if trials[-1]["number"] < max(report.trials.total, 1):
        return ""
    repeats = len(trials) - len(own(trials))
    if not repeats:
        return ""
    last = trials[-1]["number"]
    return f" Numbers run up to {last}: {repeats} more only repeated others, and are not counted."


def _best(report: Report) -> Iterator[Html]:
    if report.best is None:
        return
    drawn = {**report.best.params, **report.best.architecture}
    pairs = (
        element("div", element("dt", figures.brief(name, 60)), element("dd", figures.value_text(value)))
        for name, value in drawn.items()
    )
    yield element("h3", f"Best: trial number {report.best.trial}")
    yield (
        element("dl", *pairs, class_="drawn")
        if drawn
        else element("p", "It has no parameters.", class_="note")
    )


def _course(ranks: Ranking, tried: Sequence[Trial], trials: Sequence[Trial]) -> Iterator[Html]:
    dots = [Dot(trial["number"], ranks.of(trial), trial["state"]) for trial in tried]
    if sum(dot.value is not None for dot in dots) < 2:
        return
    baseline = baseline_of(trials)
    start = ranks.of(baseline) if baseline else None
    better = "up" if ranks.maximize else "down"
    caption = (
        f"Better is {better}. Filled: ran to its end. Hollow: ended early. Cross: failed. Triangle: worse "
        "than the chart shows. Line: best so far of those that ran to their end. Dashed: baseline."
    )
    yield element("h3", "Course of the search")
    drawing = course(dots, ranks.metric, ranks.maximize, start)
    yield plot.captioned(drawing, caption)


def _tradeoff(report: Report, tried: Sequence[Trial]) -> Iterator[Html]:
    drawing = tradeoff(report, tried)
    if drawing is not None:
        yield element("h3", "Trade-off between objectives")
        caption = "Filled: on the front, no trial is better in every objective. Hollow: dominated."
        yield plot.captioned(drawing, caption)


def _importance(found: Importance | None, tried: Sequence[Trial], ranks: Ranking) -> Iterator[Html]:
    if not names(tried, "params"):
        return
    yield element("h3", "Which parameters mattered")
    if found is None or found.explained < LEAST_EXPLAINED:
        yield element(
            "p", _why_not(found, sum(ranks.of(trial) is not None for trial in tried)), class_="note"
        )
        return
    largest = next(iter(found.losses.values())) or 1.0
    shown = list(found.losses.items())[:MOST_NAMED]
    lines = [
        [
            Cell(figures.brief(name, 60), head=True),
            Cell("", bar=bar(loss, largest)),
            Cell(f"{loss:.2f}", number=True),
        ]
        for name, loss in shown
    ]
    caption = (
        f"Permutation importance: how much worse a random forest foretells the rank of {found.trials:,} "
        "trials when one parameter is shuffled, as loss of R². Unshuffled it explains "
        f"{figures.share(found.explained)} of the differences between trials that it has not seen. It says "
        "what mattered in this search, not why."
    )
    yield table(caption, [Cell("parameter"), Cell(""), Cell("loss of R²", number=True)], lines)


def _why_not(found: Importance | None, valued: int) -> str:
    if found is None:
        return (
            f"Too few trials to say: it takes {LEAST_TRIALS} with different figures and parameters, and "
            f"{valued} have a figure."
        )
    return (
        f"Nothing can be said: a random forest explains {figures.share(max(0.0, found.explained))} of the "
        f"differences between trials that it has not seen, and below {figures.share(LEAST_EXPLAINED)} it "
        "knows nothing."
    )


def _coordinates(ranks: Ranking, tried: Sequence[Trial], found: Importance | None) -> Iterator[Html]:
    drawing = coordinates(tried, ranks, list(found.losses) if found else [])
    if drawing is None:
        return
    valued = [trial for trial in tried if ranks.of(trial) is not None]
    top, rest = best_and_rest(valued, ranks)
    drawn = len(top) + len(rest)
    parts = [
        "Each line is a trial, from its objective through its parameters.",
        f"Dark: the best {min(len(top), MOST_BEST)}; thick: the very best.",
        f"The {MOST_AXES} most important parameters." if len(names(tried, "params")) > MOST_AXES else "",
        f"{drawn} of {len(valued):,} lines: the best, and an even sample of the others."
        if drawn < len(valued)
        else "",
    ]
    yield element("h3", "Parameters and objective")
    caption = " ".join(part for part in parts if part)
    yield plot.captioned(drawing, caption)
