"""How long a job will take, and what it will cost, from what a few probes took. Pure.

    start     workers, the first look at the task, and what the first training takes longer than later ones
    search    pieces of training from rung to rung, as many as the pruner is expected to let go on
    export    the fp32 models of baseline and winner
    compress  each candidate as the probes made it; one that is pruned for its rounds of training on top
    measure   every model's quality on validation, then size and speed, one model after the other
    verify    quality on the test split: of the two references, and of one to three candidates

`low` takes the cheapest probe and no queueing. `high` takes the dearest, Graham's bound (1969) for works that
do not divide evenly among workers, and on each rung sqrt(n) promotions too many, about as many as
asynchronous halving makes in error (Li et al., 2020).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trimtab_api.combinations import PRUNED, chosen, pruned_ratio
from trimtab_api.fields import duration_seconds
from trimtab_api.job import JobSpec
from trimtab_api.plan import Plan
from trimtab_api.profile import ProfileSpec
from trimtab_api.rooms import pods_needed, pool_of
from trimtab_api.segments import Segment
from trimtab_jobs.guard import MOST_TRIED
from trimtab_jobs.search import ONLY_BASELINE
from trimtab_jobs.search.pace import expected_on
from trimtab_jobs.search.rungs import reduction_of, rungs_of

ONCE = (0.8, 1.25)
"""What was measured once is taken to vary so much."""
TEACHER = 1 / 3
"""What a teacher adds to an epoch: its forward pass, beside forward and backward, which take about three."""


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with what it may be at least and at most."""

    low: float = 0.0
    likely: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Range") -> "Range":
        """Return the sum, end by end."""
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def times(self, factor: float) -> "Range":
        """Return the multiple."""
        return Range(self.low * factor, self.likely * factor, self.high * factor)

    def at_most(self, limit: float) -> "Range":
        """Return the range cut at a limit."""
        return Range(min(self.low, limit), min(self.likely, limit), min(self.high, limit))

    @classmethod
    def once(cls, seconds: float) -> "Range":
        """Return the range of what was measured once."""
        return cls(seconds * ONCE[0], seconds, seconds * ONCE[1])


@dataclass(frozen=True, slots=True)
class ProbedTrial:
    """What training takes with one configuration."""

    params: Mapping[str, bool | int | float | str]
    overhead_seconds: float
    """Of a piece of any length: building, evaluating, keeping the state."""
    epoch_seconds: float

    def piece(self, epochs: int) -> float:
        """Return the time of a piece of so many epochs."""
        return self.overhead_seconds + self.epoch_seconds * epochs


@dataclass(frozen=True, slots=True)
class Facts:
    """What the probes took, in seconds of one worker but for the start."""

    epochs: int
    """Of a whole training."""
    workers: int
    """Trials at a time, as it fits on the machine of the probes."""
    start: float
    trials: tuple[ProbedTrial, ...]
    """The baseline first."""
    export: tuple[float, ...] = ()
    """Of each fp32 model; none where no model follows the search."""
    made: Mapping[str, float] = field(default_factory=dict)
    """Of each candidate, by its last step; the pruned one with one round of at most one epoch."""
    evaluate: float = 0.0
    """Of one model on validation."""
    measure: float = 0.0
    """Size and speed of one model, on all targets."""
    test_share: float = 1.0
    """Examples of test for each of validation."""


Stages = Mapping[str, Range]
"""Seconds of each stage of a plan's segments, in order, with `start` before them."""


def stages_of(plan: Plan, facts: Facts, workers: int, later: int) -> dict[str, Range]:
    """The seconds of each stage with so many workers in the search, and so many after it."""
    spec = plan.spec
    start = Range.once(facts.start)
    search = _search(spec, facts, workers)
    if spec.budget and spec.budget.duration:
        search = search.at_most(max(0.0, duration_seconds(spec.budget.duration) - facts.start))
    found = {"start": start, "search": search}
    if not facts.export:
        return found
    models = len(facts.export) + len(candidates_of(spec))
    tries = min(MOST_TRIED, max(1, len(candidates_of(spec))))
    on_test = facts.evaluate * facts.test_share
    measured = on_workers([facts.evaluate] * models, later) + Range.once(facts.measure * models)
    verified = on_workers([on_test] * 2, later) + Range(on_test, on_test, on_test * tries)
    return found | {
        "export": _varying(on_workers(facts.export, later)),
        "compress": _varying(_compress(spec, facts, later)),
        "measure": measured,
        "verify": verified,
    }


def total(stages: Stages) -> Range:
    """The sum of all stages."""
    return sum(stages.values(), Range())


def on_workers(seconds: Sequence[float], workers: int) -> Range:
    """The time of works on so many workers: at best evenly spread, at worst the longest begins last."""
    if not seconds:
        return Range()
    even, longest = sum(seconds) / workers, max(seconds)
    low, high = max(even, longest), even + longest * (1 - 1 / workers)
    return Range(low, (low + high) / 2, high)


def pieces_of(spec: JobSpec, epochs: int) -> list[tuple[int, Range]]:
    """The epochs of a piece that ends on each rung, and how many such pieces the search takes.

    The baseline is left out: it trains to the top in one piece.
    """
    search = spec.search or ONLY_BASELINE
    rungs, reduction = rungs_of(search.pruner, epochs), reduction_of(search.pruner)
    expected = expected_on(len(rungs), reduction, search.trials - 1)
    most = [float(search.trials - 1)]
    while len(most) < len(rungs):
        most.append(min(most[-1], most[-1] / reduction + math.sqrt(most[-1])))
    lengths = [after - before for before, after in zip((0, *rungs), rungs, strict=False)]
    return [
        (length, Range(math.floor(count), count, max(count, upper)))
        for length, count, upper in zip(lengths, expected, most, strict=True)
    ]


def candidates_of(spec: JobSpec) -> tuple[tuple[str, ...], ...]:
    """The steps of each candidate."""
    return chosen(spec.compress) if spec.compress else ()


def _search(spec: JobSpec, facts: Facts, workers: int) -> Range:
    """The time of all pieces: the baseline's, and for each rung as many as are expected to get there."""
    baseline = facts.trials[0].piece(facts.epochs)
    work, longest = Range(baseline, baseline, baseline), baseline
    for epochs, count in pieces_of(spec, facts.epochs):
        each = _over([trial.piece(epochs) for trial in facts.trials])
        work += Range(count.low * each.low, count.likely * each.likely, count.high * each.high)
        longest = max(longest, each.high if count.high else 0.0)
    even, spare = work.times(1 / workers), longest * (1 - 1 / workers)
    return Range(max(even.low, baseline), max(even.likely + spare / 2, baseline), even.high + spare)


def _compress(spec: JobSpec, facts: Facts, workers: int) -> Range:
    """The time of all candidates, made in levels: a parent before what is made from it."""
    found = Range()
    steps = candidates_of(spec)
    for level in sorted({len(each) for each in steps}):
        each = [_made(spec, facts, one[-1]) for one in steps if len(one) == level]
        low, likely, high = (
            on_workers(ends, workers)
            for ends in zip(*((one.low, one.likely, one.high) for one in each), strict=True)
        )
        found += Range(low.low, likely.likely, high.high)
    return found


def _made(spec: JobSpec, facts: Facts, step: str) -> Range:
    """The time that the last step of a candidate takes."""
    ratio = pruned_ratio(step)
    if ratio is None:
        return _constant(facts.made.get(step, 0.0))
    assert spec.compress is not None
    assert spec.compress.prune is not None
    assert spec.compress.prune.structured is not None
    structured = spec.compress.prune.structured
    epochs = structured.steps * structured.finetune_epochs - min(1, structured.finetune_epochs)
    epoch = _over([trial.epoch_seconds for trial in facts.trials])
    share = kept_work(ratio, structured.steps)
    teacher = TEACHER if spec.compress.distill else 0.0
    training = Range(
        epoch.low * (share + teacher),
        epoch.likely * ((1 + share) / 2 + teacher),
        epoch.high * (1 + teacher),
    )
    return _constant(facts.made.get(PRUNED, 0.0)) + training.times(epochs)


def kept_work(ratio: float, steps: int) -> float:
    """The share of a layer's work that is left, on average over the rounds in which its channels go.

    Of a layer with fewer channels both in and out the square of their share is left. What of an epoch is no
    layer's work stays, so that this is the least.
    """
    return sum((1 - ratio * step / steps) ** 2 for step in range(1, steps + 1)) / steps


def _over(values: Sequence[float]) -> Range:
    return Range(min(values), sum(values) / len(values), max(values))


def _constant(value: float) -> Range:
    return Range(value, value, value)


def _varying(figure: Range) -> Range:
    return Range(figure.low * ONCE[0], figure.likely, figure.high * ONCE[1])


@dataclass(frozen=True, slots=True)
class Bill:
    """What a job takes on the pools of a profile; None where no pool says."""

    cost: Range | None = None
    energy_kwh: Range | None = None
    carbon_kg: Range | None = None
    gpu_hours: Range | None = None


def bill_of(segments: Sequence[Segment], profile: ProfileSpec, stages: Stages) -> Bill:
    """What the pods of each segment take while it lasts; each segment starts its own."""
    power, carbon = (profile.carbon.pue if profile.carbon else 1.0) / 1000, profile.carbon
    cost = energy = gpus = None
    for segment in segments:
        hours = (stages["start"] + total(_within(segment, stages))).times(1 / 3600)
        for group in segment.groups:
            pool = pool_of(group, profile)
            pods = pods_needed(group, pool)
            if pool is None:
                continue
            cost = _added(cost, hours, pool.hourly_price, pods)
            energy = _added(energy, hours, pool.watts, pods * power)
            gpus = _added(gpus, hours, pool.resources.gpu if group.gpu else None, pods)
    kilograms = energy.times(carbon.intensity / 1000) if energy and carbon else None
    return Bill(cost, energy, kilograms, gpus)


def _added(sum_: Range | None, hours: Range, rate: float | None, pods: float) -> Range | None:
    """The sum with what so many pods take at an hourly rate; as it was where the pool states none."""
    return sum_ if rate is None else (sum_ or Range()) + hours.times(rate * pods)


def _within(segment: Segment, stages: Stages) -> Stages:
    """The stages of a segment; the guardrail's and the publication's are one here."""
    names = {"verify" if name in ("guard", "publish") else name for name in segment.stages}
    return {name: seconds for name, seconds in stages.items() if name in names}
