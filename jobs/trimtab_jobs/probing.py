"""Probes: a few trials and one of each later step, run for their time alone. The store is thrown away."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trimtab_api.combinations import PRUNED, pruned_ratio
from trimtab_api.plan import Plan
from trimtab_jobs.candidates import Made, Material, Workshop, make_candidates, make_references
from trimtab_jobs.driver import DESCRIBE, Task, task_of
from trimtab_jobs.errors import JobError
from trimtab_jobs.forecast import Facts, ProbedTrial
from trimtab_jobs.gather import gather
from trimtab_jobs.measuring import EFFICIENCY, EVALUATE, measure_all, trial_figures
from trimtab_jobs.pool import Done, TrialPool, Work
from trimtab_jobs.search import ONLY_BASELINE, Counts, SearchOutcome, SearchRequest, Trial
from trimtab_jobs.search.checkpoints import checkpoint_key
from trimtab_jobs.search.flights import work_of
from trimtab_jobs.search.probes import probes_of
from trimtab_jobs.search.space import space_of
from trimtab_jobs.store import Store

LONG_SECONDS = 60.0
"""A first epoch above it is not tried again: what only the first training takes hardly counts beside it."""
SHORT_SECONDS = 10.0
"""Beside an epoch above it, what a piece of training takes besides hardly counts."""
MEASURED_SECONDS = 3.0
"""Training by which a short epoch is measured, in at least two epochs where there are so many."""
Timed = Sequence[tuple[Trial, float]]
"""Trials with the seconds that their training took."""


@dataclass(frozen=True, slots=True)
class Probing:
    """What probes work with."""

    plan: Plan
    store: Store
    pool: "TimedPool"
    should_stop: Callable[[], bool]
    say: Callable[[str], object]
    """Told what is done now, and which probe was left out."""


class TimedPool:
    """A pool that keeps how long each of its works took."""

    def __init__(self, pool: TrialPool) -> None:
        self.capacity = pool.capacity
        self.taken: list[tuple[str, str, float]] = []
        """Function, id and seconds of each work that has ended."""
        self._pool = pool
        self._functions: dict[str, str] = {}

    def submit(self, work: Work) -> None:
        """Start the work."""
        self._functions[work.id] = work.function
        self._pool.submit(work)

    def poll(self, timeout_seconds: float) -> list[Done]:
        """All works that have ended."""
        ended = self._pool.poll(timeout_seconds)
        self.taken += [(self._functions[done.id], done.id, done.seconds) for done in ended]
        return ended

    def abandon(self) -> None:
        """Drop all works under way."""
        self._pool.abandon()

    def close(self) -> None:
        """Let the workers go."""
        self._pool.close()


def probed(job: Probing, begun: float, count: int) -> Facts:
    """What `count` trials of the plan and one of each later step take.

    `begun` is when the workers were asked for, by time.perf_counter. JobError when the run itself would end
    so: the task cannot be used, the baseline or its export fails.
    """
    job.say("looking at the task")
    told = _first_look(job)
    start = time.perf_counter() - begun
    task = task_of(job.plan, told)
    search = job.plan.spec.search or ONLY_BASELINE
    params = probes_of(space_of(search.parameters), count)
    first = _timed(job, task, [Trial(index, index, each, search.seed) for index, each in enumerate(params)])
    trained = _measured(job, task, first)
    later = {trial.number: figures.piece(1) for trial, figures in trained}
    start += max(0.0, *(seconds - later.get(trial.number, seconds) for trial, seconds in first))
    facts = Facts(task.epochs, job.pool.capacity, start, tuple(figures for _, figures in trained))
    if task.search_only:
        return facts
    return _with_models(job, task, [trial for trial, _ in trained], replace(facts, test_share=_share(told)))


def _first_look(job: Probing) -> Mapping[str, Any]:
    """What the task tells of itself; every worker looks, so that all have loaded what they need."""
    works = [Work(f"task-{worker}", DESCRIBE, {}) for worker in range(job.pool.capacity)]
    done = gather(job.pool, works, job.should_stop)["task-0"]
    if done.failure is not None:
        raise JobError.of(f"spec.task.entrypoint {job.plan.spec.task.entrypoint}", done.failure)
    value: Mapping[str, Any] = done.value
    return value


def _measured(job: Probing, task: Task, first: Timed) -> list[tuple[Trial, ProbedTrial]]:
    """Each trial with what its training takes, from a training that is not the first of its worker."""
    if _longest(first) >= LONG_SECONDS:
        return [(trial, ProbedTrial(trial.params, 0.0, seconds)) for trial, seconds in first]
    once = _timed(job, task, [trial for trial, _ in first])
    if _longest(once) >= SHORT_SECONDS or task.epochs == 1 or task.kind != "module":
        return [(trial, ProbedTrial(trial.params, 0.0, seconds)) for trial, seconds in once]
    more = min(task.epochs - 1, max(2, round(MEASURED_SECONDS / max(0.001, _longest(once)))))
    longer = _timed(job, task, [trial for trial, _ in once], 1 + more)
    short = {trial.number: seconds for trial, seconds in once}
    return [(trial, fitted(trial.params, short[trial.number], seconds, more)) for trial, seconds in longer]


def fitted(params: Mapping[str, Any], once: float, longer: float, more: int) -> ProbedTrial:
    """What an epoch takes, and a piece besides, from the times of one epoch and of `more` epochs more."""
    epoch = (longer - once) / more
    if epoch <= 0:  # so short that it is lost in what varies
        return ProbedTrial(params, 0.0, longer / (1 + more))
    return ProbedTrial(params, max(0.0, once - epoch), epoch)


def _timed(job: Probing, task: Task, trials: Sequence[Trial], epochs: int = 1) -> Timed:
    """Train the trials anew, side by side as the search would; those that fail are left out, as is said."""
    job.say(f"training {len(trials)} probe{'s'[: len(trials) - 1]} for {epochs} epoch{'s'[: epochs - 1]}")
    spec = job.plan.spec
    request = SearchRequest(
        name=job.plan.name,
        objectives=task.rules.objectives,
        epochs=task.epochs,
        search=spec.search or ONLY_BASELINE,
        payload=trial_figures(spec),
    )
    works = {f"trial-{trial.number}": work_of(trial, epochs, request) for trial in trials}
    ended = gather(job.pool, list(works.values()), job.should_stop)
    found = []
    for trial in trials:
        done = ended[f"trial-{trial.number}"]
        if done.failure is None:
            kept = replace(trial, state="completed", epoch=epochs, checkpoint=checkpoint_key(trial, epochs))
            found.append((replace(kept, metrics=done.value["metrics"]), done.seconds))
        elif trial.index == 0:
            raise JobError.of("the baseline (trial 0, the parameters' defaults)", done.failure)
        else:
            job.say(f"left out the probe {dict(trial.params)}: {done.failure.error}")
    return found


def _with_models(job: Probing, task: Task, trials: Sequence[Trial], facts: Facts) -> Facts:
    """The facts with what it takes to export, compress and measure the probes' models."""
    job.say("exporting, compressing and measuring the probes' models")
    plan = one_round(job.plan)
    found = SearchOutcome(tuple(trials), trials[-1], trials[0], (), Counts(), "trials", "")
    material = Material(plan, found, kind=task.kind)
    workshop = Workshop(job.store, job.pool, job.should_stop, fence=lambda: None)
    exported = make_references(workshop, material)
    models = (*exported, *make_candidates(workshop, material, exported[-1]))
    measure_all(workshop, plan, models)
    measured = [made for made in models if made.failure is None]
    return replace(
        facts,
        export=tuple(_seconds_of(job.pool, [made.id])[0] for made in exported),
        made={_key(made): _seconds_of(job.pool, [made.id])[0] for made in models if made.steps},
        evaluate=_mean(_seconds_of(job.pool, function=EVALUATE)),
        measure=sum(_seconds_of(job.pool, function=EFFICIENCY)) / len(measured),
    )


def one_round(plan: Plan) -> Plan:
    """The plan with each number format once, and at most one pruned model, of one round and one epoch."""
    compress = plan.spec.compress
    if compress is None or compress.prune is None or compress.prune.structured is None:
        return plan
    structured = compress.prune.structured
    once = structured.model_copy(
        update={
            "ratios": structured.ratios[:1],
            "steps": 1,
            "finetune_epochs": min(1, structured.finetune_epochs),
        }
    )
    prune = compress.prune.model_copy(update={"structured": once})
    candidates = min(compress.budget.candidates, len(compress.quantize) + 1)
    budget = compress.budget.model_copy(update={"candidates": candidates})
    smaller = compress.model_copy(update={"prune": prune, "budget": budget})
    return plan.model_copy(update={"spec": plan.spec.model_copy(update={"compress": smaller})})


def _key(made: Made) -> str:
    return made.steps[-1] if pruned_ratio(made.steps[-1]) is None else PRUNED


def _seconds_of(pool: TimedPool, ids: Sequence[str] = (), function: str = "") -> list[float]:
    """The seconds of works by their ids, the first of each, or by their function."""
    return [seconds for called, id_, seconds in pool.taken if (id_ in ids if ids else called == function)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _longest(trained: Timed) -> float:
    return max(seconds for _, seconds in trained)


def _share(told: Mapping[str, Any]) -> float:
    """Examples of test for each of validation; 1 where their numbers are not known."""
    validation, test = told["splits"].get("validation"), told["splits"].get("test")
    return test / validation if validation and test else 1.0
