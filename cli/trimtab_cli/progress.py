"""What a run in progress looks like in words, for the live display and for plain lines alike. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab_api.plan import Plan
from trimtab_api.report import Candidate, Report
from trimtab_jobs.report import figures

ACTIVE = ("Starting", "Searching", "Compressing", "Verifying")
"""The phases of a run at work, in order; before them it waits, after them it has ended."""


@dataclass(frozen=True, slots=True)
class Step:
    """One of the steps of a run, and how far it is."""

    name: str
    state: Literal["done", "now", "todo", "failed"]


def steps(plan: Plan, phase: str, reached: str) -> tuple[Step, ...]:
    """The steps of the plan when the run is in `phase`; `reached` is the last active phase it was in."""
    names = (
        "start",
        "search" if plan.spec.search else "train",
        "compress" if plan.spec.compress else "export",
    )
    at = ACTIVE.index(reached) if reached in ACTIVE else 0
    return tuple(Step(name, _state(index, at, phase)) for index, name in enumerate((*names, "verify")))


def _state(index: int, at: int, phase: str) -> Literal["done", "now", "todo", "failed"]:
    if phase == "Succeeded" or index < at:
        return "done"
    if index > at:
        return "todo"
    return "failed" if phase == "Failed" else "now"


def reached(before: str, phase: str) -> str:
    """The last active phase, once the run is in `phase`."""
    return phase if phase in ACTIVE else before


def ended_trials(report: Report) -> int:
    """Trials that will not run any more."""
    return report.trials.completed + report.trials.pruned + report.trials.failed


def trial_counts(report: Report) -> str:
    """How the trials stand, without those that ended well: "2 running, 5 ended early, 1 failed"."""
    each = report.trials
    counted = (
        (each.running, "running"),
        (each.pruned, "ended early"),
        (each.failed, "failed"),
        (each.retried, "run again"),
    )
    return ", ".join(f"{number} {words}" for number, words in counted if number)


def best(report: Report) -> str:
    """The leading trial and how far it is from the baseline; empty before the first result.

    Once the test split is open, the baseline's figures are of that split: not to be compared with a trial's.
    """
    if report.best is None:
        return ""
    metric = ranking_metric(report)
    value = report.best.metrics.get(metric)
    name = trial_name(report)
    if value is None:
        return name
    text = f"{name}, {metric} {figures.figure(metric, value)}"
    is_on_test = bool(report.final or report.guardrail)
    before = report.baseline.metrics.get(metric) if report.baseline and not is_on_test else None
    if before is None:
        return text
    return f"{text} (baseline {figures.figure(metric, before)}, {figures.change(metric, before, value)})"


def trial_name(report: Report) -> str:
    """The best trial by its number, which may be above their count: repeats have numbers too."""
    assert report.best is not None
    number = report.best.trial
    is_beyond = number >= report.trials.total > 0
    return f"trial number {number} (repeats have numbers too)" if is_beyond else f"trial {number}"


def ranking_metric(report: Report) -> str:
    """The first objective; without objectives the first metric of the best trial."""
    if report.objectives:
        return report.objectives[0].metric
    return next(iter(report.best.metrics), "") if report.best else ""


def candidate_columns(candidates: Sequence[Candidate]) -> list[str]:
    """Metrics worth a column while they come in: quality, size, latency."""
    return [
        name
        for name in figures.metrics_of(*candidates)
        if name not in {"latencyP95Ms", "throughput", "memoryMB"}
    ]


def candidate(one: Candidate) -> str:
    """A candidate on one line: "int8: accuracy 0.983, size 1.08 MB, latency p50 0.119 ms: ok"."""
    named = (
        f"{figures.label(name)} {figures.with_unit(name, one.metrics[name])}"
        for name in candidate_columns([one])
    )
    return ": ".join(part for part in (one.id, ", ".join(named), one.verdict) if part)
