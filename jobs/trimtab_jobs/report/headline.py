"""The first screen of the page: the verdict, what came out, what to beware of, the headline figures. Pure."""

from collections.abc import Sequence

from trimtab_api.metrics import MINIMIZED
from trimtab_api.report import Report
from trimtab_jobs.report import figures
from trimtab_jobs.report.bars import bars
from trimtab_jobs.report.figures import EFFICIENCY, MINUS, MISSING, Row
from trimtab_jobs.report.markup import Html, element
from trimtab_jobs.report.outcome import outcome

CARDS = ("sizeMB", "latencyMs", "throughput", "memoryMB", "energyJ")
WATCHED = ("sizeMB", "latencyMs")
"""Efficiencies that nobody wants to get worse: the headline warns where one did."""
JOULES_PER_KWH = 3.6e6


def header(report: Report) -> Html:
    """The job's name, its verdict, and what came out in one sentence."""
    verdict = outcome(report)
    told, _, details = verdict.message.partition("\n")
    came_out = sentence(report)
    if report.final is not None and verdict.tone == "good" and told.startswith(report.final.id):
        told = ""  # the title says it
    content = element(
        "div",
        element("p", "Trimtab report", class_="eyebrow"),
        element("h1", report.name),
        element("p", element("span", verdict.title, class_=f"verdict {verdict.tone}")),
        element("p", came_out or told, class_="lead") if came_out or told else None,
        *(element("p", element("strong", "Beware: "), each, class_="beware") for each in warnings(report)),
        element("p", told, class_="note") if came_out and told else None,
        element("p", facts(report), class_="note") if facts(report) else None,
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
    return " ".join([first, *(_quality(report, row) for row in _ranking(report, list(rows.values())))])


def warnings(report: Report) -> list[str]:
    """What got larger or slower than it was, and limits that were judged elsewhere than on their target."""
    if report.final is None:
        return []
    found = []
    for name, model in (("uncompressed fp32 model", report.uncompressed), ("baseline", report.baseline)):
        for metric in WATCHED:
            before, after = (model.metrics.get(metric) if model else None), report.final.metrics.get(metric)
            if before and after and after > before * EFFICIENCY[metric].noise:
                changed = figures.change(metric, before, after)
                shown = f"{figures.with_unit(metric, after)} after {figures.with_unit(metric, before)}"
                found.append(f"the published model is {changed} than the {name} ({shown}).")
    named = sorted({verdict.target for verdict in report.guardrail if verdict.indicative and verdict.target})
    if named:
        found.append(f"limits on {', '.join(named)} were judged on another machine, and are a hint only.")
    return found


def facts(report: Report) -> str:
    """When the run ended and what it took, on one line; empty when nothing of it is known."""
    ended = next((each for each in report.conditions if each.type == "Succeeded"), None)
    moment = ended.last_transition_time if ended and ended.status != "Unknown" else None
    cost = report.cost
    parts = [
        f"ended {moment:%d %B %Y, %H:%M} UTC" if moment else "",
        f"took {figures.duration(cost.seconds)}" if cost.seconds is not None else "",
        f"cost {figures.number(cost.amount)} at the profile's prices" if cost.amount is not None else "",
        f"{figures.number(cost.energy_kwh)} kWh{f' by {cost.method}' if cost.method else ''}"
        if cost.energy_kwh is not None
        else "",
        f"on {report.environment.cpu}" if report.environment.cpu else "",
    ]
    text = ", ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _ranking(report: Report, rows: Sequence[Row]) -> list[Row]:
    """The row of the quality that ranks: the first objective that is one, else the task's first metric."""
    named = [objective.metric for objective in report.objectives if objective.metric not in EFFICIENCY]
    qualities = [row for row in rows if row.metric not in EFFICIENCY and row.final != MISSING]
    return sorted(qualities, key=lambda row: row.metric not in named[:1])[:1]


def _quality(report: Report, row: Row) -> str:
    bounds = f" ({row.interval})" if row.interval else ""
    return f"Its {row.metric} is {row.final}{bounds}{_moved(report, row)}."


def _moved(report: Report, row: Row) -> str:
    """How the quality stands to the baseline's: "0.022 better", where it is known which way is better."""
    if row.against_baseline == MISSING:
        return ""
    direction = next((each.direction for each in report.objectives if each.metric == row.metric), None)
    size = row.against_baseline.lstrip(f"+{MINUS}")
    if direction is None or size == row.against_baseline:
        return f", {row.against_baseline} against the baseline"
    is_better = row.against_baseline.startswith("+") == (direction == "maximize")
    return f", {size} {'better' if is_better else 'worse'} than the baseline"


def cards(report: Report) -> Html | None:
    """One card for each headline figure that is known before and after; nothing when no model came out."""
    if report.final is None or report.baseline is None:
        return None
    rows = figures.rows(report)
    shown = [*_ranking(report, rows), *(row for name in CARDS for row in rows if row.metric == name)]
    made = [card for row in shown if (card := _card(report, row))] + _per_million(report)
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
    worse = ratio and (before < after) == (row.metric in MINIMIZED) and row.against_baseline != "as before"
    return element(
        "li",
        element("span", figures.brief(figures.label(row.metric), figures.LONGEST_VALUE), class_="what"),
        _big(row.against_baseline if ratio else row.final, worse),
        element("span", f"{row.baseline} → {row.final}{unit}", class_="from"),
        bars(before, after) if ratio and before >= 0 and after >= 0 else None,
        element("span", f"95 % interval {row.interval}", class_="from") if row.interval else None,
        element("span", against, class_="from") if against else None,
        class_="card",
    )


def _per_million(report: Report) -> list[Html]:
    """What a million inferences cost less, in money and energy, where the report knows it."""
    saved, joules = report.savings, _joules(report)
    texts = [
        ("cost per million inferences", _saved(saved.cost_per_million, "at the profile's prices")),
        (
            "energy per million inferences",
            joules or _saved(saved.energy_kwh_per_million, "kWh"),
        ),
    ]
    return [
        element(
            "li",
            element("span", name, class_="what"),
            element("strong", text[0], class_="big"),
            element("span", text[1], class_="from"),
            class_="card",
        )
        for name, text in texts
        if text is not None
    ]


def _saved(amount: float | None, unit: str) -> tuple[str, str] | None:
    if amount is None:
        return None
    return figures.number(abs(amount)), f"{unit}, {'saved' if amount >= 0 else 'more'} against the baseline"


def _joules(report: Report) -> tuple[str, str] | None:
    """Energy before and after from what one inference was measured to take."""
    found = [model.metrics.get("energyJ") for model in (report.baseline, report.final) if model]
    per_million = [joules * 1e6 / JOULES_PER_KWH for joules in found if joules is not None]
    if len(per_million) < 2:
        return None
    before, after = map(figures.number, per_million)
    return f"{after} kWh", f"{before} → {after} kWh"


def _big(text: str, worse: bool) -> Html:
    """The figure large, the word after it small: "3.9 times smaller"."""
    times, space, word = text.partition(" ")
    small = element("span", space + word) if word else None
    return element("strong", times, small, class_="big warning" if worse else "big")
