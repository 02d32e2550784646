"""The candidates on the page: a scatter of speed and quality, the ladder, a table with each verdict. Pure."""

from collections.abc import Iterator, Sequence

from trimtab_api.metrics import MINIMIZED
from trimtab_api.report import Candidate, Report
from trimtab_jobs.report import figures, plot
from trimtab_jobs.report.figures import EFFICIENCY
from trimtab_jobs.report.ladder import ladder
from trimtab_jobs.report.listing import fitting
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.models import Model, is_final, is_rejected, references, verdict_of
from trimtab_jobs.report.scatter import Point, scatter
from trimtab_jobs.report.tables import Cell, metric_head, table
from trimtab_jobs.report.trials import Trial

TABLE_BYTES, TABLE_METRICS = 110_000, 12
LONGEST_NAME, LONGEST_VERDICT, LONGEST_TIP = 40, 240, 120
KEY = (
    ("final", "published"),
    ("front", "on the front: none is better in every figure"),
    ("plain", "dominated: another is better in every figure"),
    ("rejected", "rejected"),
    ("uncompressed", "uncompressed"),
    ("baseline", "baseline"),
)


def candidates(report: Report, trials: Sequence[Trial]) -> Html | None:
    """The section of candidates; nothing when none was made."""
    if not report.candidates:
        return None
    across, up = axes_of(report)
    note = "Each was made from the uncompressed model, and all figures here are of validation data."
    rungs = ladder(report, trials, up)
    return element(
        "section",
        element("h2", "Candidates"),
        element("p", note, class_="note"),
        _figure(report, trials, across, up) if across and up else None,
        rungs,
        _table(report, is_folded=rungs is not None),
    )


def axes_of(report: Report) -> tuple[str | None, str | None]:
    """The efficiency and the quality that the scatter shows: what was optimized, else what there is."""
    known = figures.metrics_of(*report.candidates)
    wanted = [objective.metric for objective in report.objectives]
    names = [name for name in wanted if name in known] + known
    efficiencies = [*(name for name in wanted if name in MINIMIZED), "latencyMs", "sizeMB"]
    across = next((name for name in efficiencies if name in known), None)
    return across, next((name for name in names if name not in EFFICIENCY), None)


def _figure(report: Report, trials: Sequence[Trial], across: str, up: str) -> Html | None:
    points = list(_points(report, trials, across, up))
    if len(points) < 2:
        return None
    minimized = any(each.metric == up and each.direction == "minimize" for each in report.objectives)
    caption = f"Better is to the left and {'down' if minimized else 'up'}."
    if any(point.bounds for point in points):
        caption += " Vertical lines are 95 % intervals."
    kinds = {word for point in points for word in point.kind.split()}
    drawing = scatter(points, across, up, maximize=not minimized)
    return plot.captioned(drawing, caption, _key(kinds))


def _points(report: Report, trials: Sequence[Trial], across: str, up: str) -> Iterator[Point]:
    """Baseline, uncompressed and candidates that have both figures; the published one last, on top."""
    models: list[Model] = [*references(report, trials), *report.candidates]
    models.sort(key=lambda model: (is_final(report, model), isinstance(model, Candidate) and model.pareto))
    for model in models:
        if across in model.metrics and up in model.metrics:
            x, y = model.metrics[across], model.metrics[up]
            tip = figures.brief(f"{model.id}: {_named(up, y)}, {_named(across, x)}", LONGEST_TIP)
            yield Point(model.id, x, y, model.interval.get(up), _kind(report, model), tip)


def _named(metric: str, value: float) -> str:
    return f"{figures.label(metric)} {figures.with_unit(metric, value)}"


def _kind(report: Report, model: Model) -> str:
    """The words that style a point; several may apply."""
    words = [
        ("final", is_final(report, model)),
        ("baseline", report.baseline is not None and model.id == report.baseline.id),
        ("uncompressed", report.uncompressed is not None and model.id == report.uncompressed.id),
        ("front", isinstance(model, Candidate) and model.pareto),
        ("rejected", is_rejected(model)),
    ]
    return " ".join(word for word, holds in words if holds) or "plain"


def _key(kinds: set[str]) -> Html:
    items = (
        element("li", element("svg", *_sample(kind), viewBox="0 0 14 14", aria_hidden="true"), text)
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


def _table(report: Report, is_folded: bool) -> Html:
    every = report.candidates
    names = figures.metrics_of(*every)[:TABLE_METRICS]
    heads = [Cell("candidate"), *(metric_head(name) for name in names), Cell("verdict")]
    best_first = sorted(every, key=lambda each: (not is_final(report, each), not each.pareto))
    kept = {each.id for each in fitting(best_first, lambda each: _bytes(each, names), TABLE_BYTES)}
    shown = [each for each in every if each.id in kept]
    chosen = next((index for index, each in enumerate(shown) if is_final(report, each)), None)
    caption = "All candidates" if len(shown) == len(every) else f"{len(shown)} of {len(every)} candidates"
    caption += "; the published one is set off." if chosen is not None else "."
    lines = [_line(report, candidate, names) for candidate in shown]
    content = table(caption, heads, lines, sortable=True, chosen=chosen)
    summary = element("summary", f"Table of {figures.counted(len(shown), 'candidate')}, with every figure")
    return element("details", summary, content, open=None if is_folded else "")


def _line(report: Report, candidate: Candidate, names: Sequence[str]) -> list[Cell]:
    cells = [
        Cell(
            figures.figure(name, candidate.metrics.get(name)),
            small=figures.interval(name, candidate.interval.get(name)),
            value=candidate.metrics.get(name),
            number=True,
        )
        for name in names
    ]
    verdict, tone = verdict_of(report, candidate, LONGEST_VERDICT)
    note = "on the front" if candidate.pareto else ""
    name = figures.brief(candidate.id, LONGEST_NAME)
    return [Cell(name, head=True, small=note, tone="name"), *cells, Cell(verdict, wide=True, tone=tone)]


def _bytes(candidate: Candidate, names: Sequence[str]) -> int:
    """About how much of the page its line takes."""
    texts = len(candidate.id.encode(errors="replace")) + len(
        candidate.verdict[:LONGEST_VERDICT].encode(errors="replace")
    )
    return 130 + texts + 62 * len(names) + 32 * len(candidate.interval)
