"""The report folded into the status: what was found is the driver's to say, all else the operator's. Pure."""

from datetime import datetime
from typing import Any

from trimtab_api.conditions import Condition, set_condition
from trimtab_api.plan import Plan, Segment
from trimtab_api.report import Candidate, Final, Phase, Report
from trimtab_api.status import JobStatus, Summary
from trimtab_operator.conditions import REASONS, REPORTED
from trimtab_operator.manifests import items_at, text_at
from trimtab_operator.texts import cut
from trimtab_operator.world import Manifest

FEW = 20
"""Candidates that a status shows."""
_TAKEN = (
    "seconds_left",
    "trials",
    "best",
    "front",
    "baseline",
    "uncompressed",
    "final",
    "speedup",
    "guardrail",
    "artifacts",
    "savings",
)
_FOUND = frozenset(
    JobStatus.model_fields[name].alias or name for name in (*_TAKEN, "stage", "candidates", "summary")
)
"""Fields of a status that a report brings, as JSON has them."""
_STAGE_BYTES = 96
_MESSAGE_BYTES = 400
_RUNNING: tuple[Phase, ...] = ("Searching", "Compressing", "Verifying")
_PHASES: dict[str, Phase] = {"search": "Searching", "export": "Compressing", "compress": "Compressing"}


def folded(status: JobStatus, report: Report, plan: Plan, now: datetime) -> JobStatus:
    """Return the status with what a report of the current run found.

    A driver that has only just started has found nothing yet: what an earlier one found stays.
    """
    told = {"stage": cut(report.stage, _STAGE_BYTES), "message": cut(report.message, _MESSAGE_BYTES)}
    if report.phase == "Starting" and not report.trials.total:
        return status.model_copy(update=told)
    taken: dict[str, Any] = {name: getattr(report, name) for name in _TAKEN}
    return status.model_copy(
        update={
            **taken,
            **told,
            "candidates": _few(report),
            "conditions": _reported(status, report, now),
            "summary": _summary(report, plan),
        }
    )


def unreported(before: Manifest, after: Manifest, why: str) -> dict[str, Any]:
    """Return a status, as JSON, in which what the driver found is as it was before: it cannot be kept."""
    found = {key: before[key] for key in _FOUND if key in before}
    conditions = (
        *(each for each in items_at(after, "conditions") if text_at(each, "type") not in REPORTED),
        *(each for each in items_at(before, "conditions") if text_at(each, "type") in REPORTED),
    )
    return {
        **{key: value for key, value in after.items() if key not in _FOUND},
        **found,
        "conditions": list(conditions),
        "message": cut(f"what the driver found cannot be shown: {why}", _MESSAGE_BYTES),
    }


def phase_of(report: Report | None, segment: Segment) -> Phase:
    """Return the phase of a run that is under way: no report ends it, whatever it claims."""
    if report is None or report.phase == "Starting":
        return "Starting"
    return report.phase if report.phase in _RUNNING else _PHASES.get(segment.stages[0], "Verifying")


def _few(report: Report) -> tuple[Candidate, ...]:
    """Return the candidates that a person wants to see: the final one, the front, those that held, others."""
    final = report.final.id if report.final else None
    ranked = sorted(
        report.candidates, key=lambda each: (each.id != final, not each.pareto, each.verdict != "ok")
    )
    chosen = {each.id for each in ranked[:FEW]}
    return tuple(each for each in report.candidates if each.id in chosen)[:FEW]


def _reported(status: JobStatus, report: Report, now: datetime) -> tuple[Condition, ...]:
    conditions = status.conditions
    for told in report.conditions:
        if told.type not in REPORTED:
            continue
        reason = told.reason if told.reason in REASONS[told.type] else "Reported"
        new = Condition(
            type=told.type, status=told.status, reason=reason, message=cut(told.message, _MESSAGE_BYTES)
        )
        conditions = set_condition(conditions, new, now)
    return conditions


def _summary(report: Report, plan: Plan) -> Summary:
    trials = report.trials
    ended = trials.completed + trials.pruned + trials.failed
    return Summary(
        trials=f"{ended}/{trials.total}" if trials.total else "",
        best=_best(report, plan),
        size=_size(report.final),
        speedup=f"{report.speedup:.3g}x" if report.speedup is not None else "",
    )


def _best(report: Report, plan: Plan) -> str:
    objectives = plan.spec.objectives or report.objectives
    if report.best is None or not objectives:
        return ""
    metric = objectives[0].metric
    value = report.best.metrics.get(metric)
    return "" if value is None else f"{metric} {value:.4g}"


def _size(final: Final | None) -> str:
    size = final.metrics.get("sizeMB") if final else None
    return "" if size is None else f"{size:.3g} MB"
