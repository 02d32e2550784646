"""Before and after: every figure of baseline, uncompressed and final, and the final model by target. Pure."""

from trimtab_api.report import Final, Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.figures import EFFICIENCY, Row
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.tables import Cell, metric_head, table


def comparison(report: Report) -> Html | None:
    """The section with the table of before and after; nothing as long as nothing is measured."""
    rows = figures.rows(report)
    if not rows:
        return None
    heads = ["", "baseline", "uncompressed"]
    if report.final is not None:
        heads += [f"final: {figures.brief(report.final.id, 40)}", "against baseline", "against uncompressed"]
    lines = [[Cell(row.label), *_columns(row)][: len(heads)] for row in rows]
    return element(
        "section",
        element("h2", "Before and after"),
        table(
            _caption(report),
            [Cell(head, number=index > 0) for index, head in enumerate(heads)],
            lines,
        ),
        *_targets(report.final),
    )


def _caption(report: Report) -> str:
    split = "on test data" if report.guardrail else "on validation data"
    parts = [
        "baseline is what there was before: the given model, or the task at its parameters' defaults.",
        "uncompressed is the search's winner before it was made smaller.",
        f"Quality is {split}; under a figure: its 95 % interval.",
    ]
    measured = figures.metrics_of(report.baseline, report.uncompressed, report.final)
    if "latencyP95Ms" in measured:
        noise = EFFICIENCY["latencyP95Ms"].noise
        parts.append(f"A p95 moves by chance: a change below {100 * (noise - 1):.0f} % counts as none.")
    return " ".join(parts)


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
