"""From what the driver found to the fields of its report. Pure."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from trimtab_api.job import Objective
from trimtab_api.metrics import MEASURED, RATIOS
from trimtab_api.report import (
    Artifact,
    Best,
    Candidate,
    Environment,
    Final,
    Measured,
    Ratios,
    Savings,
    TargetFigures,
    TrialCounts,
)
from trimtab_jobs import guard
from trimtab_jobs.measuring import Measurements
from trimtab_jobs.progress import shortened
from trimtab_jobs.proof import Proof
from trimtab_jobs.search import Counts, SearchOutcome, SearchState, Trial

Fields = dict[str, Any]
"""Fields of the report by attribute name."""
LONGEST_FRONT = 10


def search_progress(state: SearchState) -> Fields:
    """Where the search stands."""
    return found_by(state) | {"seconds_left": state.seconds_left}


def search_result(found: SearchOutcome) -> Fields:
    """What the search found."""
    return found_by(found) | {"seconds_left": None}


def found_by(search: SearchState | SearchOutcome) -> Fields:
    """What a search has found by now, or in the end."""
    return {
        "trials": counts(search.counts),
        "best": best(search.best),
        "front": front(search.front),
        "message": search.message,
    }


def counts(found: Counts) -> TrialCounts:
    """The counters of trials."""
    return TrialCounts(
        total=found.total,
        completed=found.completed,
        running=found.running,
        pruned=found.pruned,
        failed=found.failed,
        retried=found.retried,
    )


def best(trial: Trial | None) -> Best | None:
    """A trial as the report names it."""
    if trial is None:
        return None
    return Best(trial=trial.number, params=dict(trial.params), metrics=dict(trial.metrics))


def front(trials: Sequence[Trial]) -> tuple[Best, ...]:
    """The Pareto front of trials; with one objective it is the best alone, and left out."""
    if len(trials) < 2:
        return ()
    return tuple(found for trial in trials[:LONGEST_FRONT] if (found := best(trial)))


def nothing_found(found: SearchOutcome) -> str:
    """Why there is no trial to go on with."""
    what = "the baseline (trial 0, the defaults)" if found.best is not None else "no trial"
    failures = [trial for trial in found.trials if trial.failure is not None]
    why = (
        f"; trial {failures[-1].number}: {failures[-1].failure.error}"
        if failures and failures[-1].failure
        else ""
    )
    verb = "did not complete" if found.best is not None else "completed"
    return f"{what} {verb}: {found.message}{why}"


def trial_rows(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """The trials as the page lists them."""
    return [
        {
            "number": trial.number,
            "state": trial.state,
            "params": dict(trial.params),
            "metrics": dict(trial.metrics),
            "seconds": trial.seconds,
            **({"failure": asdict(trial.failure)} if trial.failure else {}),
        }
        for trial in trials
    ]


def environment(found: Mapping[str, Any], code_sha256: str | None) -> Environment:
    """Where the run takes place."""
    return Environment(versions=found["versions"], cpu=found["cpu"], code_sha256=code_sha256)


def measured(
    found: Measurements, objectives: Sequence[Objective], texts: Mapping[str, str] | None = None
) -> Fields:
    """All models with their figures on validation; `texts` are their verdicts, once there are any."""
    on_front = guard.pareto(found.contenders, objectives)
    return {
        "baseline": model("baseline", found.baseline, found.baseline.quality),
        "uncompressed": model("fp32", found.uncompressed, found.uncompressed.quality),
        "candidates": tuple(
            Candidate(
                id=made.id,
                steps=made.steps,
                metrics=metrics(found.candidates[made.id], found.candidates[made.id].quality),
                interval=guard.intervals(found.candidates[made.id].quality),
                pareto=made.id in on_front,
                verdict=shortened((texts or {}).get(made.id, "")),
            )
            if made.failure is None
            else Candidate(id=made.id, steps=made.steps, verdict=shortened(f"rejected: {made.failure.error}"))
            for made in found.models
            if made.steps
        ),
    }


def proven(found: Measurements, proof: Proof, objectives: Sequence[Objective]) -> Fields:
    """Verdicts on all candidates; baseline, uncompressed and the final model with their figures on test."""
    fields = measured(found, objectives, proof.texts) | {
        "baseline": model("baseline", found.baseline, proof.test[found.baseline.id]),
        "uncompressed": model("fp32", found.uncompressed, proof.test[found.uncompressed.id]),
        "guardrail": proof.verdicts,
    }
    if proof.final is None:
        return fields
    before, between, after = (
        metrics(one, one.quality) for one in (found.baseline, found.uncompressed, proof.final)
    )
    savings = Savings(baseline=ratios(before, after), uncompressed=ratios(between, after))
    return fields | {
        "final": Final(
            id=proof.final.id,
            metrics=after,
            interval=guard.intervals(proof.final.quality),
            targets={
                name: target(figures, proof.final.measured_on.get(name, "local"))
                for name, figures in proof.final.speed.items()
                if name
            },
        ),
        "savings": savings,
        "speedup": savings.baseline.latency,
    }


def model(name: str, candidate: guard.Candidate, quality: guard.Quality) -> Measured:
    """A model with its figures, quality on the split at hand."""
    return Measured(id=name, metrics=metrics(candidate, quality), interval=guard.intervals(quality))


def metrics(candidate: guard.Candidate, quality: guard.Quality) -> dict[str, float]:
    """Quality, then size and speed; where there are several targets the worst one's."""
    speed = {name: guard.figure_of(candidate, name) for name in MEASURED}
    finite = {name: value for name, value in quality.metrics.items() if math.isfinite(value)}
    return {**finite, **speed}


def ratios(before: Mapping[str, float], after: Mapping[str, float]) -> Ratios:
    """How many times better each figure of efficiency became."""
    times = {
        name: before[metric] / after[metric]
        if MEASURED[metric] == "minimize"
        else after[metric] / before[metric]
        for metric, name in RATIOS.items()
    }
    return Ratios(**times)


def target(figures: Mapping[str, Any], measured_on: str) -> TargetFigures:
    """What the final model takes on one target."""
    return TargetFigures(
        latency_ms=figures["latencyMs"],
        latency_p95_ms=figures["latencyP95Ms"],
        throughput=figures["throughput"],
        memory_mb=figures["memoryMB"],
        measured_on=measured_on,
    )


def artifacts(store_uri: str, files: Mapping[str, bytes], opset: int) -> tuple[Artifact, ...]:
    """The published files, from their bytes by key."""
    return tuple(
        Artifact(
            name=key.rsplit("/", 1)[-1],
            uri=f"{store_uri.rstrip('/')}/{key}",
            sha256=hashlib.sha256(body).hexdigest(),
            bytes=len(body),
            opset=opset if key.endswith(".onnx") else None,
        )
        for key, body in files.items()
    )
