"""Figures of a report as people read them: the rows of before and after, and numbers as text.

Pure, and the only place where a number of the report becomes text: the terminal and the page show the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trimtab_api.metrics import MINIMIZED, RATIOS
from trimtab_api.report import Candidate, Final, GuardrailVerdict, Measured, Ratios, Report

MISSING = "–"  # noqa: RUF001  an en dash, as in printed tables
MINUS = "−"  # noqa: RUF001  the sign of a number, as wide as the plus


@dataclass(frozen=True, slots=True)
class Efficiency:
    """How a built-in metric reads: its label and unit, and the words for better and worse."""

    label: str
    unit: str
    better: str
    worse: str


EFFICIENCY: dict[str, Efficiency] = {
    "sizeMB": Efficiency("size", "MB", "smaller", "larger"),
    "latencyMs": Efficiency("latency p50", "ms", "faster", "slower"),
    "latencyP95Ms": Efficiency("latency p95", "ms", "faster", "slower"),
    "throughput": Efficiency("throughput", "rows/s", "more", "less"),
    "memoryMB": Efficiency("memory", "MB", "less", "more"),
    "energyJ": Efficiency("energy", "J", "less", "more"),
}
"""The built-in metrics in the order in which they are shown; any other metric is one of quality."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of before and after; a change is a ratio of an efficiency, or a difference of a quality."""

    metric: str
    label: str
    baseline: str
    uncompressed: str
    final: str
    interval: str
    against_baseline: str
    against_uncompressed: str


def number(value: float) -> str:
    """Three significant digits without an exponent where a person would write none: 0.0412, 5.10, 12,300."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e9 or size < 1e-4:
        return f"{value:.2e}".replace("-", MINUS)
    digits_before_point = math.floor(math.log10(float(f"{size:.2e}"))) + 1
    return f"{value:,.{max(0, 3 - digits_before_point)}f}".replace("-", MINUS)


def score(value: float) -> str:
    """A figure of quality: three decimals up to 10, else as any number."""
    if 0 < abs(value) < 0.001 or abs(value) >= 10:
        return number(value)
    return f"{value:.3f}".replace("-", MINUS)


def figure(metric: str, value: float | None) -> str:
    """The text of one figure without its unit."""
    if value is None:
        return MISSING
    return number(value) if metric in EFFICIENCY else score(value)


def with_unit(metric: str, value: float) -> str:
    """The text of one figure with its unit: "0.0412 ms"."""
    return f"{figure(metric, value)} {EFFICIENCY[metric].unit}" if metric in EFFICIENCY else score(value)


def label(metric: str) -> str:
    """How the metric is called: latencyMs is "latency p50"; a metric of the user keeps its name."""
    return EFFICIENCY[metric].label if metric in EFFICIENCY else metric


def heading(metric: str) -> str:
    """The label with its unit: "latency p50 (ms)"."""
    return f"{label(metric)} ({EFFICIENCY[metric].unit})" if metric in EFFICIENCY else metric


def interval(metric: str, bounds: tuple[float, float] | None) -> str:
    """Bounds of a figure, as "0.965 to 0.990"; empty when there are none."""
    return f"{figure(metric, bounds[0])} to {figure(metric, bounds[1])}" if bounds else ""


def ratio(metric: str, times: float) -> str:
    """How many times better a figure got, in words: "3.9 times smaller" or "slower", or "as before"."""
    words = EFFICIENCY[metric]
    factor, word = (times, words.better) if times >= 1 else (1 / times, words.worse)
    if factor < 1.015:
        return "as before"
    text = f"{factor:.0f}" if factor >= 99.5 else f"{factor:.1f}" if factor >= 1.95 else f"{factor:.2f}"
    return f"{text}× {word}"  # noqa: RUF001  the sign for times


def change(metric: str, before: float | None, after: float | None) -> str:
    """How far a figure moved: in times for an efficiency, as a signed difference for a quality."""
    if before is None or after is None:
        return MISSING
    if metric not in EFFICIENCY:
        moved = score(after - before)
        return moved if after < before or moved == "0.000" else f"+{moved}"
    if before <= 0 or after <= 0:
        return MISSING
    return ratio(metric, before / after if metric in MINIMIZED else after / before)


def metrics_of(*models: Measured | Final | Candidate | None) -> list[str]:
    """Every metric that the models have: quality in the order of the task, then the built-in ones."""
    names = dict.fromkeys(name for model in models if model for name in model.metrics)
    return [name for name in names if name not in EFFICIENCY] + [name for name in EFFICIENCY if name in names]


def rows(report: Report) -> tuple[Row, ...]:
    """Before and after: a row for each metric of baseline, uncompressed and final."""
    models = (report.baseline, report.uncompressed, report.final)
    return tuple(_row(metric, report) for metric in metrics_of(*models))


def _row(metric: str, report: Report) -> Row:
    before, between, after = (
        model.metrics.get(metric) if model else None
        for model in (report.baseline, report.uncompressed, report.final)
    )
    bounds = report.final.interval.get(metric) if report.final else None
    return Row(
        metric=metric,
        label=heading(metric),
        baseline=figure(metric, before),
        uncompressed=figure(metric, between),
        final=figure(metric, after),
        interval=interval(metric, bounds),
        against_baseline=_change(metric, before, after, report.savings.baseline),
        against_uncompressed=_change(metric, between, after, report.savings.uncompressed),
    )


def _change(metric: str, before: float | None, after: float | None, saved: Ratios) -> str:
    """The change that the report states itself, where it does; else the one its figures show."""
    name = RATIOS.get(metric)
    stated: float | None = getattr(saved, name) if name else None
    return ratio(metric, stated) if stated and after is not None else change(metric, before, after)


def limit(verdict: GuardrailVerdict) -> str:
    """The limit as a person says it: "accuracy: drop of at most 0.020 against uncompressed"."""
    place = f" on {verdict.target}" if verdict.target else f" where {verdict.slice}" if verdict.slice else ""
    words = {"maxDrop": "drop of at most", "min": "at least", "max": "at most"}
    kind, value = next(iter(verdict.limit.items()), ("max", None))
    against = f" against {verdict.against}" if verdict.against and kind == "maxDrop" else ""
    text = MISSING if value is None else with_unit(verdict.metric, value)
    return f"{label(verdict.metric)}{place}: {words[kind]} {text}{against}"


def finding(verdict: GuardrailVerdict) -> str:
    """What was found: "drop of 0.002, at most 0.008 with 95 % confidence, on 540 test rows"."""
    if verdict.measured is None:
        return verdict.message or "not measured"
    what = "drop of" if "maxDrop" in verdict.limit else "measured"
    parts = [f"{what} {with_unit(verdict.metric, verdict.measured)}"]
    for word, bound in (("at most", verdict.upper), ("at least", verdict.lower)):
        if bound is not None:
            sure = f" with {verdict.confidence * 100:.3g} % confidence" if verdict.confidence else ""
            parts.append(f"{word} {with_unit(verdict.metric, bound)}{sure}")
    if verdict.n is not None:
        parts.append(f"on {verdict.n:,} test rows")
    if verdict.indicative:
        parts.append("indicative: not measured on its target")
    return ", ".join(parts)


def parameters(params: Mapping[str, object]) -> str:
    """Parameters on one line: "lr 0.00312, width 48, optimizer sgd"."""
    return ", ".join(f"{name} {value_text(value)}" for name, value in params.items())


def value_text(value: object) -> str:
    """A parameter's value; a float to four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """A span of time: "8 s", "3m 20s", "2h 05m"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"
