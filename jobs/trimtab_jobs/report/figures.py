"""Figures of a report as people read them: the rows of before and after, and numbers as text.

Pure, and the only place where a number of the report becomes text: the terminal and the page show the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trimtab_api.metrics import MINIMIZED, RATIOS
from trimtab_api.report import Candidate, Final, GuardrailVerdict, Measured, Ratios, Report

MISSING = "–"  # noqa: RUF001  an en dash, as in printed tables
LONGEST_VALUE = 60
"""Characters of a parameter's value that are shown."""
MINUS = "−"  # noqa: RUF001  the sign of a number, as wide as the plus


@dataclass(frozen=True, slots=True)
class Efficiency:
    """How a built-in metric reads: its label and unit, and the words for better and worse."""

    label: str
    unit: str
    better: str
    worse: str
    noise: float = 1.015
    """A ratio below this says nothing: the figure would differ as much on another try."""


EFFICIENCY: dict[str, Efficiency] = {
    "sizeMB": Efficiency("size", "MB", "smaller", "larger"),
    "latencyMs": Efficiency("latency p50", "ms", "faster", "slower"),
    "latencyP95Ms": Efficiency("latency p95", "ms", "faster", "slower", noise=1.25),
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
    if factor < words.noise:
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
    """The limit as a person says it: "accuracy: at most 0.020 worse than uncompressed"."""
    place = f" on {verdict.target}" if verdict.target else f" where {verdict.slice}" if verdict.slice else ""
    kind, value = next(iter(verdict.limit.items()), ("max", None))
    text = MISSING if value is None else with_unit(verdict.metric, value)
    if kind == "maxDrop":
        bound = f"at most {text} worse than {verdict.against or 'uncompressed'}"
    else:
        bound = f"at {'least' if kind == 'min' else 'most'} {text}"
    return f"{label(verdict.metric)}{place}: {bound}"


def finding(verdict: GuardrailVerdict) -> str:
    """What was found: "0.002 worse, at most 0.008 worse with 95 % confidence, on 540 test rows"."""
    if verdict.measured is None:
        return verdict.message or "not measured"
    parts = [measured(verdict), bound(verdict)]
    if verdict.n is not None:
        parts.append(f"on {verdict.n:,} test rows")
    if verdict.indicative:
        parts.append("indicative: not measured on its target")
    return ", ".join(part for part in parts if part)


def measured(verdict: GuardrailVerdict) -> str:
    """The figure that a limit is about, or how far it moved: "0.002 worse", "0.004 better"."""
    if verdict.measured is None:
        return "not measured"
    if "maxDrop" in verdict.limit:
        return _moved(verdict.metric, verdict.measured) if verdict.measured else "no worse"
    return f"measured {with_unit(verdict.metric, verdict.measured)}"


def bound(verdict: GuardrailVerdict) -> str:
    """The bound that was compared with the limit, and how sure it is; empty where the figure itself was."""
    sure = f" with {verdict.confidence * 100:.3g} % confidence" if verdict.confidence else ""
    if verdict.upper is not None and "maxDrop" in verdict.limit:
        side = "at least" if verdict.upper < 0 else "at most"
        return f"{side} {_moved(verdict.metric, verdict.upper)}{sure}"
    if verdict.upper is not None:
        return f"at most {with_unit(verdict.metric, verdict.upper)}{sure}"
    if verdict.lower is not None:
        return f"at least {with_unit(verdict.metric, verdict.lower)}{sure}"
    return ""


def _moved(metric: str, drop: float) -> str:
    """A drop in words that hold for metrics of which less is better as well."""
    return f"{with_unit(metric, abs(drop))} {'better' if drop < 0 else 'worse'}"


def parameters(params: Mapping[str, object]) -> str:
    """Parameters on one line: "lr 0.00312, width 48, optimizer sgd"."""
    return ", ".join(f"{name} {value_text(value)}" for name, value in params.items())


def value_text(value: object) -> str:
    """A parameter's value; a float to four significant digits, a long text shortened."""
    return f"{value:.4g}" if isinstance(value, float) else brief(str(value), LONGEST_VALUE)


def brief(text: str, longest: int) -> str:
    """The text on one line of at most so many characters."""
    line = " ".join(text[: 4 * longest].split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def counted(count: int, what: str) -> str:
    """So many of something: "1 trial", "1,000 trials"."""
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def share(part: float) -> str:
    """A share in whole percent: "42 %", "<1 %"."""
    return "<1 %" if 0 < part < 0.005 else f"{100 * part:.0f} %"


def duration(seconds: float) -> str:
    """A span of time: "8 s", "3m 20s", "2h 05m"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"
