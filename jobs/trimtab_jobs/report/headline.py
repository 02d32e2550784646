"""The first screen of the page: the verdict, what got better, before and after, the guardrail. Pure."""

from collections.abc import Sequence

from trimtab_api.report import Final, GuardrailVerdict, Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.charts import bars
from trimtab_jobs.report.figures import EFFICIENCY, MISSING, Row
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.outcome import outcome
from trimtab_jobs.report.tables import Cell, metric_head, table

CARDS = ("sizeMB", "latencyMs", "throughput", "memoryMB")


def header(report: Report) -> Html:
    """The job's name, its verdict, and what came out in one sentence."""
    verdict = outcome(report)
    told, _, details = verdict.message.partition("\n")
    came_out = sentence(report)
    content = element(
        "div",
        element("p", "Trimtab report", class_="eyebrow"),
        element("h1", report.name),
        element("p", element("span", verdict.title, class_=f"verdict {verdict.tone}")),
        element("p", came_out or told, class_="lead") if came_out or told else None,
        element("p", told, class_="note") if came_out and told else None,
        element("pre", details) if details else None,
    )
    return element("header", content)


def sentence(report: Report) -> str:
    """What a person would tell a colleague: how much smaller and faster, how good; empty without a model."""
    if report.final is None:
        return ""
    rows = {row.metric: row for row in figures.rows(report)}
    gains = [
        rows[metric].against_baseline
        for metric in ("sizeMB", "latencyMs")
        if metric in rows and rows[metric].against_baseline not in {MISSING, "as before"}
    ]
    first = (
        f"The published model is {' and '.join(gains)} than the baseline."
        if gains
        else "A model was published."
    )
    return " ".join([first, *(_quality(row) for row in _ranking(report, list(rows.values())))])


def _ranking(report: Report, rows: Sequence[Row]) -> list[Row]:
    """The row of the quality that ranks: the first objective that is one, else the task's first metric."""
    named = [objective.metric for objective in report.objectives if objective.metric not in EFFICIENCY]
    qualities = [row for row in rows if row.metric not in EFFICIENCY and row.final != MISSING]
    return sorted(qualities, key=lambda row: row.metric not in named[:1])[:1]


def _quality(row: Row) -> str:
    bounds = f" ({row.interval})" if row.interval else ""
    moved = "" if row.against_baseline == MISSING else f", {row.against_baseline} against the baseline"
    return f"Its {row.metric} is {row.final}{bounds}{moved}."


def cards(report: Report) -> Html | None:
    """One card for each headline figure that is known before and after; nothing when no model came out."""
    if report.final is None or report.baseline is None:
        return None
    rows = figures.rows(report)
    shown = [*_ranking(report, rows), *(row for name in CARDS for row in rows if row.metric == name)]
    made = [card for row in shown if (card := _card(report, row))]
    return element("ul", *made, class_="cards", aria_label="Headline figures") if made else None


def _card(report: Report, row: Row) -> Html | None:
    if MISSING in (row.baseline, row.final) or report.baseline is None or report.final is None:
        return None
    before, after = report.baseline.metrics[row.metric], report.final.metrics[row.metric]
    ratio = row.metric in EFFICIENCY
    against = (
        "" if row.against_uncompressed == MISSING else f"{row.against_uncompressed} against uncompressed"
    )
    unit = f" {EFFICIENCY[row.metric].unit}" if ratio else ""
    return element(
        "li",
        element("span", figures.label(row.metric), class_="what"),
        _big(row.against_baseline if ratio else row.final),
        element("span", f"{row.baseline} → {row.final}{unit}", class_="from"),
        bars(before, after) if before >= 0 and after >= 0 else None,
        element("span", f"95 % interval {row.interval}", class_="from") if row.interval else None,
        element("span", against, class_="from") if against else None,
        class_="card",
    )


def _big(text: str) -> Html:
    """The figure large, the word after it small: "3.9 times smaller"."""
    times, space, word = text.partition(" ")
    return element("strong", times, element("span", space + word) if word else None, class_="big")


def comparison(report: Report) -> Html | None:
    """The section with the table of before and after; nothing as long as nothing is measured."""
    rows = figures.rows(report)
    if not rows:
        return None
    heads = [
        "",
        "baseline",
        "uncompressed",
        f"final{_named(report.final)}",
        "against baseline",
        "against uncompressed",
    ]
    lines = [[Cell(row.label), *_columns(row)] for row in rows]
    return element(
        "section",
        element("h2", "Before and after"),
        table(
            "baseline is what there was before: the task at its parameters' defaults. "
            "uncompressed is the search's winner before it was made smaller. "
            "Under a figure: its 95 % interval.",
            [Cell(head, number=index > 0) for index, head in enumerate(heads)],
            lines,
        ),
        *_targets(report.final),
    )


def _named(final: Final | None) -> str:
    return f": {final.id}" if final else ""


def _columns(row: Row) -> list[Cell]:
    texts = (row.baseline, row.uncompressed, row.final, row.against_baseline, row.against_uncompressed)
    cells = [Cell(text, number=True) for text in texts]
    cells[2] = Cell(row.final, number=True, small=row.interval, strong=True)
    return cells


def _targets(final: Final | None) -> list[Html]:
    """A table of the final model by target, with where it was really measured."""
    if final is None or not final.targets:
        return []
    measured = {
        name: taken.model_dump(by_alias=True, exclude_none=True, exclude={"measured_on"})
        for name, taken in final.targets.items()
    }
    names = [metric for metric in EFFICIENCY if any(metric in taken for taken in measured.values())]
    heads = [
        Cell("target"),
        Cell("measured on"),
        *(metric_head(name) for name in names),
    ]
    lines = [
        [
            Cell(name, head=True),
            Cell(final.targets[name].measured_on),
            *(Cell(figures.figure(metric, taken.get(metric)), number=True) for metric in names),
        ]
        for name, taken in measured.items()
    ]
    return [element("h3", "By target"), table("The final model where it will run.", heads, lines)]


def guardrail(report: Report) -> Html | None:
    """The section with each limit and what was found; nothing when there are no limits."""
    if not report.guardrail:
        return None
    return element(
        "section",
        element("h2", "Guardrail"),
        element(
            "p",
            "What the published model must hold, judged on test data that nothing else has seen.",
            class_="note",
        ),
        element("ul", *(_limit(verdict) for verdict in report.guardrail), class_="limits"),
    )


def _limit(verdict: GuardrailVerdict) -> Html:
    sign, tone, word = ("✓", "good", "held") if verdict.met else ("✗", "bad", "not held")
    more = verdict.message if verdict.message and verdict.measured is not None else None
    found = join([element("span", word, class_=tone), f": {figures.finding(verdict)}"])
    return element(
        "li",
        element("span", sign, class_=f"sign {tone}", aria_hidden="true"),
        element(
            "div",
            element("strong", figures.limit(verdict)),
            element("span", found, class_="found"),
            element("span", more, class_="found") if more else None,
        ),
    )
