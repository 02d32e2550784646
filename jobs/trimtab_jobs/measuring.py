"""Measurements: the figures of all models, taken side by side in the workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trimtab_api.combinations import UNCOMPRESSED
from trimtab_api.job import JobSpec
from trimtab_api.metrics import MEASURED
from trimtab_api.plan import Plan
from trimtab_jobs.candidates import BASELINE, Made, Workshop
from trimtab_jobs.errors import JobError
from trimtab_jobs.gather import gather
from trimtab_jobs.guard import NO_TARGET, Candidate, Quality, deciding_target, ranking_figure
from trimtab_jobs.pool import Done, Failure, Work

EVALUATE = "trimtab_jobs.measure.quality:evaluate"
EFFICIENCY = "trimtab_jobs.measure.efficiency:measure"
ROUNDS = 11
"""Interleaved rounds of timing; an odd number has a median of its own."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """All models that were made, and the figures of those that could be made."""

    models: tuple[Made, ...]
    candidates: Mapping[str, Candidate]
    """By id, baseline and uncompressed among them; their quality is that on validation."""

    @property
    def baseline(self) -> Candidate:
        """What the user has today."""
        return self.candidates[BASELINE]

    @property
    def uncompressed(self) -> Candidate:
        """The search's winner."""
        return self.candidates[UNCOMPRESSED]

    @property
    def contenders(self) -> tuple[Candidate, ...]:
        """What may be published: all that was compressed; the winner itself where nothing was to be."""
        compressed = any(made.steps for made in self.models)
        if not compressed:
            return (self.uncompressed,)
        return tuple(self.candidates[made.id] for made in self.models if made.steps and not made.failure)


def measure_all(workshop: Workshop, plan: Plan, models: Sequence[Made]) -> Measurements:
    """Measure every model's quality on validation, then, with all other workers idle, size and speed."""
    evaluated = evaluate_each(workshop, [made.id for made in models if made.failure is None], "validation")
    models = [_judged(made, evaluated.get(made.id)) for made in models]
    quality = {name: found for name, found in evaluated.items() if isinstance(found, Quality)}
    there = [made for made in models if made.failure is None]
    speed = {
        target: _efficiency(workshop, [made.id for made in there], target, threads, batch)
        for target, threads, batch in _settings(plan)
    }
    parents: dict[str, Candidate] = {}
    for made in there:
        parents[made.id] = Candidate(
            id=made.id,
            quality=quality[made.id],
            speed={target: figures[made.id] for target, figures in speed.items()},
            # one whose parent cannot be evaluated is compared with what both came from
            parent=parents.get(made.parent, parents[UNCOMPRESSED]) if made.steps else None,
            nothing=made.nothing,
            remark=made.remark,
            parity=made.parity,
            measured_on=workshop.pools,
        )
    return Measurements(tuple(models), parents)


def evaluate_all(workshop: Workshop, candidates: Sequence[str], split: str) -> dict[str, Quality]:
    """Quality of each candidate on a split; JobError when one cannot be evaluated."""
    found = evaluate_each(workshop, candidates, split)
    for name, quality in found.items():
        if isinstance(quality, Failure):
            raise JobError.of(f"evaluating {name}", quality)
    return {name: quality for name, quality in found.items() if isinstance(quality, Quality)}


def evaluate_each(workshop: Workshop, candidates: Sequence[str], split: str) -> dict[str, Quality | Failure]:
    """Quality of each candidate on a split, or why it has none there."""
    works = [Work(each, EVALUATE, {"candidate": each, "split": split}) for each in candidates]
    ended = gather(workshop.pool, works, workshop.should_stop)
    return {each: done.failure or Quality(**done.value) for each, done in ended.items()}


def trial_figures(spec: JobSpec) -> dict[str, Any]:
    """What a trial is told of objectives that are measured during the search: nothing where there are none.

    Each as its target will call the model that `export` describes; without a target row by row, with the
    threads that the worker has.
    """
    targets = {target.name: (target.threads, target.batch) for target in spec.targets}
    calls = {
        each.metric: targets[each.target] if each.target else (None, 1)
        for each in spec.objectives
        if each.metric in MEASURED
    }
    export = {"opset": spec.export.opset, "batch": spec.export.batch}
    return {"figures": export | {"calls": calls}} if calls else {}


def serving_threads(plan: Plan, final: Candidate) -> int:
    """Threads of the target that decided: the one whose figure ranked the candidates, else the slowest."""
    _, named = ranking_figure(plan.spec.objectives)
    deciding = deciding_target(final, "latencyMs", named)
    return next((target.threads for target in plan.spec.targets if target.name == deciding), 1)


def _judged(made: Made, quality: Quality | Failure | None) -> Made:
    """The model, failed if its evaluation did; JobError for baseline and uncompressed, the references."""
    if not isinstance(quality, Failure):
        return made
    if not made.steps:
        raise JobError.of(f"evaluating {made.id}", quality)
    return replace(made, failure=quality)


def _settings(plan: Plan) -> list[tuple[str, int, int]]:
    """Name, threads and batch of each target; one of one thread and one row where there is none."""
    named = [(target.name, target.threads, target.batch) for target in plan.spec.targets]
    return named or [(NO_TARGET, 1, 1)]


def _efficiency(workshop: Workshop, candidates: Sequence[str], target: str, threads: int, batch: int) -> Any:
    """Size and speed of each candidate: on the workers that stand for the target, where there are some."""
    payload = {"candidates": list(candidates), "threads": threads, "batch": batch, "rounds": ROUNDS}
    group = target if target in workshop.pools else None
    ended = gather(workshop.pool, [Work("measure", EFFICIENCY, payload, group=group)], workshop.should_stop)
    return _value("measuring size and speed", ended["measure"])


def _value(what: str, done: Done) -> Any:
    if done.failure is not None:
        raise JobError.of(what, done.failure)
    return done.value
