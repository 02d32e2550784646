"""The candidates on the page: a scatter of speed and quality, and a table with each verdict. Pure."""

from collections.abc import Iterator, Sequence

from trimtab_api.metrics import MINIMIZED
from trimtab_api.report import Candidate, Measured, Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.charts import Point, scatter
from trimtab_jobs.report.figures import EFFICIENCY
from trimtab_jobs.report.markup import Html, element, join
from trimtab_jobs.report.tables import Cell, metric_head, table
from trimtab_jobs.report.trials import Trial, baseline_of

KEY = (
    ("final", "published"),
    ("front", "on the front: nothing is better in every figure"),
    ("plain", "candidate"),
    ("rejected", "rejected"),
    ("uncompressed", "uncompressed"),
    ("baseline", "baseline"),
)


def candidates(report: Report, trials: Sequence[Trial]) -> Html | None:
    """The section of candidates; nothing when none was made."""
    if not report.candidates:
        return None
    return element(
        "section",
        element("h2", "Candidates"),
        element(
            "p", "Each was made from the uncompressed model and measured on validation data.", class_="note"
        ),
        _figure(report, trials),
        _table(report),
    )


def _figure(report: Report, trials: Sequence[Trial]) -> Html | None:
    across, up = _axes(report)
    if across is None or up is None:
        return None
    points = list(_points(report, trials, across, up))
    if len(points) < 2:
        return None
    caption = f"Better is {_corner(report, up)}. Vertical lines are 95 % intervals."
    kinds = {word for point in points for word in point.kind.split()}
    return element("figure", scatter(points, across, up), _key(kinds), element("figcaption", caption))


def _axes(report: Report) -> tuple[str | None, str | None]:
    """The efficiency and the quality that the scatter shows: what was optimized, else what there is."""
    known = figures.metrics_of(*report.candidates)
    wanted = [objective.metric for objective in report.objectives]
    names = [name for name in wanted if name in known] + known
    across = next((name for name in (*names[: len(wanted)], "latencyMs", "sizeMB") if _shrinks(name)), None)
    return across if across in known else None, next((name for name in names if name not in EFFICIENCY), None)


def _named(metric: str, value: float) -> str:
    return f"{figures.label(metric)} {figures.with_unit(metric, value)}"


def _shrinks(metric: str) -> bool:
    return metric in MINIMIZED


def _corner(report: Report, up: str) -> str:
    minimized = any(each.metric == up and each.direction == "minimize" for each in report.objectives)
    return "to the left and down" if minimized else "to the left and up"


def _points(report: Report, trials: Sequence[Trial], across: str, up: str) -> Iterator[Point]:
    """Baseline, uncompressed and candidates that have both figures; the published one last, on top."""
    models = [*_references(report, trials), *report.candidates]
    models.sort(key=lambda model: model.id == (report.final.id if report.final else None))
    for model in models:
        if across in model.metrics and up in model.metrics:
            x, y = model.metrics[across], model.metrics[up]
            tip = f"{model.id}: {_named(up, y)}, {_named(across, x)}"
            yield Point(model.id, x, y, model.interval.get(up), _kind(report, model), tip)


def _references(report: Report, trials: Sequence[Trial]) -> Iterator[Measured | Candidate]:
    """Baseline and uncompressed with the quality that their trials had on validation.

    Their own figures are of the test split, which cannot be compared with those of the candidates.
    """
    winner = next((trial for trial in trials if report.best and trial["number"] == report.best.trial), None)
    for model, trial in ((report.baseline, baseline_of(trials)), (report.uncompressed, winner)):
        if model is not None and trial is not None:
            yield Measured(id=model.id, metrics={**model.metrics, **trial["metrics"]})


def _kind(report: Report, model: Measured | Candidate) -> str:
    """The words that style a point; several may apply."""
    words = [
        ("final", report.final is not None and model.id == report.final.id),
        ("baseline", report.baseline is not None and model.id == report.baseline.id),
        ("uncompressed", report.uncompressed is not None and model.id == report.uncompressed.id),
        ("front", isinstance(model, Candidate) and model.pareto),
        ("rejected", isinstance(model, Candidate) and model.verdict.startswith("rejected")),
    ]
    return " ".join(word for word, holds in words if holds) or "plain"


def _key(kinds: set[str]) -> Html:
    items = (
        element(
            "li",
            element("svg", *_sample(kind), viewBox="0 0 14 14", aria_hidden="true"),
            text,
        )
        for kind, text in KEY
        if kind in kinds
    )
    return element("ul", *items, class_="key", aria_label="Key to the chart")


def _sample(kind: str) -> Iterator[Html]:
    if kind == "final":
        yield element("circle", cx=7, cy=7, r=6, class_="ring")
        yield element("circle", cx=7, cy=7, r=3, class_="mark front")
    else:
        yield element("circle", cx=7, cy=7, r=4.5, class_=f"mark {kind}")


def _table(report: Report) -> Html:
    names = figures.metrics_of(*report.candidates)
    heads = [
        Cell("candidate"),
        *(metric_head(name) for name in names),
        Cell("verdict"),
    ]
    final = report.final.id if report.final else None
    chosen = next((index for index, each in enumerate(report.candidates) if each.id == final), None)
    lines = [_line(candidate, names, candidate.id == final) for candidate in report.candidates]
    caption = "All candidates; the published one is set off." if chosen is not None else "All candidates."
    return join([table(caption, heads, lines, sortable=True, chosen=chosen)])


def _line(candidate: Candidate, names: list[str], final: bool) -> list[Cell]:
    cells = [
        Cell(
            figures.figure(name, candidate.metrics.get(name)),
            small=figures.interval(name, candidate.interval.get(name)),
            value=candidate.metrics.get(name),
            number=True,
        )
        for name in names
    ]
    verdict, tone = candidate.verdict, ""
    if verdict.startswith("rejected"):
        tone = "bad"
    elif final or verdict == "ok":
        tone = "good"
    if final:
        verdict = f"published{verdict.removeprefix('ok')}"
    note = "on the front" if candidate.pareto else ""
    return [Cell(candidate.id, head=True, small=note), *cells, Cell(verdict, wide=True, tone=tone)]
