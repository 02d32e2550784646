"""The guardrail on the page: each limit, what was found, the bound, and on how many examples. Pure."""

from trimtab_api.report import GuardrailVerdict, Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.tables import Cell, table


def guardrail(report: Report) -> Html | None:
    """The section with each limit and what was found; nothing when there are no limits."""
    if not report.guardrail:
        return None
    whom = "The published model" if report.final else "The last candidate that was tried"
    held = sum(verdict.met for verdict in report.guardrail)
    heads = [
        Cell("limit"),
        Cell("verdict"),
        Cell("measured", number=True),
        Cell("bound", number=True),
        Cell("test rows", number=True),
    ]
    return element(
        "section",
        element("h2", "Guardrail"),
        table(
            f"{whom} holds {held} of {len(report.guardrail)} limits. Quality is judged on test data that "
            "nothing else has seen, by the bound where there is one.",
            heads,
            [_line(verdict) for verdict in report.guardrail],
        ),
    )


def _line(verdict: GuardrailVerdict) -> list[Cell]:
    why = [] if verdict.met or not verdict.message else [verdict.message]
    if verdict.indicative:
        why.append("indicative: not measured on its target")
    word, tone = ("✓ held", "good") if verdict.met else ("✗ not held", "bad")
    return [
        Cell(figures.limit(verdict), head=True),
        Cell(word, small="; ".join(why), wide=bool(why), tone=tone),
        Cell(figures.measured(verdict).removeprefix("measured "), number=True),
        Cell(*_bound(verdict), number=True),
        Cell("" if verdict.n is None else f"{verdict.n:,}", number=True),
    ]


def _bound(verdict: GuardrailVerdict) -> tuple[str, str]:
    """The bound, and under it how sure it is."""
    text, _, sure = figures.bound(verdict).partition(" with ")
    return (text, sure) if text else (figures.MISSING, "the figure itself")
