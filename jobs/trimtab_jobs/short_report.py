"""A report as small as it has to be: what people can do without goes first, machines' part stays. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from trimtab_api.report import Best, Candidate, Environment, Report
from trimtab_jobs.progress import shortened

LIMIT_BYTES = 60 * 1024
"""The operator reads no ConfigMap above 64 KiB; the rest is for its other keys."""
FEW = 20
"""Candidates that the job's status shows."""
SHORT = 160
"""Characters of a sentence that is cut."""


def fitted(report: Report, limit_bytes: int = LIMIT_BYTES) -> str:
    """The report's JSON within the limit, whatever the report holds; the whole of it where it fits."""
    text = encoded(report)
    for shorten in STEPS:
        if len(text.encode()) <= limit_bytes:
            break
        report = shorten(report)
        text = encoded(report)
    return text


def encoded(report: Report) -> str:
    """The report in JSON, without what is not set."""
    return report.model_dump_json(by_alias=True, exclude_none=True)


def _few_candidates(report: Report) -> Report:
    """The first candidates, the final one among them, without intervals; their verdicts cut."""
    final = report.final.id if report.final else None
    chosen = [each for each in report.candidates if each.id == final]
    chosen += [each for each in report.candidates if each.id != final]
    return report.model_copy(update={"candidates": tuple(map(_short_candidate, chosen[:FEW]))})


def _short_candidate(candidate: Candidate) -> Candidate:
    return candidate.model_copy(update={"verdict": shortened(candidate.verdict, SHORT), "interval": {}})


def _without_front(report: Report) -> Report:
    return report.model_copy(update={"front": (), "environment": Environment()})


def _short_best(report: Report) -> Report:
    """The best trial with the start of each long parameter."""
    if report.best is None:
        return report
    best = report.best
    short = Best(trial=best.trial, params=_short_values(best.params), metrics=best.metrics)
    return report.model_copy(update={"best": short, "artifacts": ()})


def _short_values(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name[:SHORT]: shortened(value, SHORT) if isinstance(value, str) else value
        for name, value in params.items()
    }


def _without_candidates(report: Report) -> Report:
    return report.model_copy(update={"candidates": ()})


def _bare(report: Report) -> Report:
    """What the operator acts on: how far it is and how it ended."""
    kept = ("schema_version", "name", "plan_digest", "seed", "phase", "trials", "seconds_left", "speedup")
    return Report(
        **{name: getattr(report, name) for name in kept},
        stage=shortened(report.stage, SHORT),
        message=shortened(report.message, 4 * SHORT),
        conditions=tuple(
            each.model_copy(update={"message": shortened(each.message, SHORT)}) for each in report.conditions
        ),
    )


STEPS: tuple[Callable[[Report], Report], ...] = (
    _few_candidates,
    _without_front,
    _short_best,
    _without_candidates,
    _bare,
)
"""What is left out, one after the other, until the report fits."""
