"""The models that the page compares: baseline, uncompressed and candidates, on the same split. Pure."""

from collections.abc import Mapping, Sequence

from trimtab_api.metrics import EFFICIENCY
from trimtab_api.report import Candidate, Measured, Report
from trimtab_jobs.report.trials import Trial, baseline_of

REJECTED = "rejected"
Model = Measured | Candidate


def references(report: Report, trials: Sequence[Trial]) -> list[Measured]:
    """Baseline and uncompressed with the quality that their trials had on validation.

    Their own quality is that on the test split, which cannot be compared with the candidates'. Size and speed
    are those of the ONNX models, not what the search may have measured of the trials.
    """
    winner = next((trial for trial in trials if report.best and trial["number"] == report.best.trial), None)
    baseline = baseline_of(trials) if trials else None
    pairs = ((report.baseline, baseline), (report.uncompressed, winner))
    return [
        Measured(id=model.id, metrics={**model.metrics, **_quality(trial["metrics"])})
        for model, trial in pairs
        if model is not None and trial is not None
    ]


def _quality(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name not in EFFICIENCY}


def parent_of(candidate: Candidate, candidates: Sequence[Candidate]) -> str | None:
    """The id of the candidate that it was made from; None when that is the uncompressed model."""
    before = candidate.steps[:-1]
    return next((each.id for each in candidates if before and each.steps == before), None)


def is_final(report: Report, model: Model) -> bool:
    """Whether it was published."""
    return report.final is not None and model.id == report.final.id


def is_rejected(model: Model) -> bool:
    """Whether a candidate was turned down."""
    return isinstance(model, Candidate) and model.verdict.startswith(REJECTED)


def verdict_of(report: Report, candidate: Candidate, longest: int) -> tuple[str, str]:
    """The verdict and its tone; the published one's says so."""
    text = candidate.verdict
    if is_final(report, candidate):
        return f"published{text.removeprefix('ok')}"[:longest], "good"
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text, "bad" if is_rejected(candidate) else "good" if text == "ok" else ""
