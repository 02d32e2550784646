"""What an estimate looks like: as text for a person, as plain values for JSON and YAML. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from trimtab_api.fields import duration_seconds
from trimtab_api.plan import Plan
from trimtab_cli.summary import aligned, wrapped
from trimtab_jobs.forecast import ONCE, Bill, Facts, Range, candidates_of, pieces_of, total
from trimtab_jobs.report import figures
from trimtab_jobs.search import ONLY_BASELINE


@dataclass(frozen=True, slots=True)
class Outlook:
    """An estimate of one job."""

    plan: Plan
    facts: Facts
    workers: int
    """Trials at a time."""
    stages: Mapping[str, Range]
    bill: Bill | None = None
    """None: without a profile nothing has a price."""
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> Range:
        """Time of the whole run."""
        return total(self.stages)


def as_json(outlook: Outlook) -> dict[str, Any]:
    """The estimate as plain values."""
    bill = outlook.bill or Bill()
    amounts = {
        "cost": bill.cost,
        "energyKWh": bill.energy_kwh,
        "carbonKg": bill.carbon_kg,
        "gpuHours": bill.gpu_hours,
    }
    return {
        "schemaVersion": 1,
        "name": outlook.plan.name,
        "profile": outlook.plan.profile,
        "workers": outlook.workers,
        "seconds": _ends(outlook.seconds),
        "stages": {name: _ends(seconds) for name, seconds in outlook.stages.items()},
        **{name: _ends(amount) for name, amount in amounts.items() if amount},
        "probes": [
            {
                "params": dict(trial.params),
                "overheadSeconds": _rounded(trial.overhead_seconds),
                "epochSeconds": _rounded(trial.epoch_seconds),
            }
            for trial in outlook.facts.trials
        ],
        "method": list(method(outlook)),
        "notes": [*remarks(outlook)],
    }


def text(outlook: Outlook, width: int | None = None) -> list[str]:
    """The estimate in lines, its sentences within `width` columns if given."""
    whole = outlook.seconds
    here = "here" if outlook.bill is None else f"under the profile {outlook.plan.profile}"
    trials = (outlook.plan.spec.search or ONLY_BASELINE).trials
    at_a_time = f", {outlook.workers} trials at a time" if trials > 1 and outlook.workers > 1 else ""
    rows = [["", "likely", "at least", "at most"]]
    rows += [[name, *map(figures.duration, _three(each))] for name, each in outlook.stages.items()]
    rows += [["in all", *map(figures.duration, _three(whole))]]
    bill = outlook.bill or Bill()
    for name, amount in (
        ("cost", bill.cost),
        ("energy (kWh)", bill.energy_kwh),
        ("CO2 (kg)", bill.carbon_kg),
        ("GPU hours", bill.gpu_hours),
    ):
        if amount:
            rows.append([name, *map(figures.number, _three(amount))])
    lines = [f"{outlook.plan.name} takes about {figures.duration(whole.likely)} {here}{at_a_time}", ""]
    sentences = [*method(outlook), *remarks(outlook)]
    if width is not None:
        sentences = [part for line in sentences for part in wrapped(line, width)]
    return [*lines, *aligned(rows, left={0}), "", *sentences]


def method(outlook: Outlook) -> Iterator[str]:
    """How the figures came about."""
    facts, spec = outlook.facts, outlook.plan.spec
    epochs = [trial.epoch_seconds for trial in facts.trials]
    spread = f"{min(epochs):.3g} s" if len(epochs) == 1 else f"{min(epochs):.3g} to {max(epochs):.3g} s"
    count = len(facts.trials)
    yield f"{count} probe{'s'[: count - 1]}: an epoch takes {spread}, a whole training has {facts.epochs}."
    pieces = pieces_of(spec, facts.epochs)
    if len(pieces) > 1:
        epochs_reached = accumulate(length for length, _ in pieces)
        steps = ", ".join(
            f"{round(count.likely)} to epoch {epoch}"
            for epoch, (_, count) in zip(epochs_reached, pieces, strict=True)
        )
        yield f"Of the trials after the baseline the pruner is expected to let train: {steps}."
    if candidates_of(spec):
        rule = ""
        if spec.compress and spec.compress.prune:
            teacher = ", and a third of one more under the teacher" if spec.compress.distill else ""
            rule = (
                "; a pruned one as one probe, its other epochs as those of a trial"
                f", less by half of what its channels take{teacher}"
            )
        yield f"{len(candidates_of(spec))} candidates: each number format as on the probe's model{rule}."
    yield (
        f"What was measured once may take {ONCE[0]:g} to {ONCE[1]:g} times as long; "
        "machines are taken to be as fast as this one."
    )


def remarks(outlook: Outlook) -> Iterator[str]:
    """What may make it otherwise, and which budgets it may go beyond."""
    spec = outlook.plan.spec
    yield from outlook.notes
    if any(each.goal is not None for each in spec.objectives):
        yield "A goal of spec.objectives may end the search earlier."
    budget, bill = spec.budget, outlook.bill or Bill()
    if budget is None:
        return
    if budget.duration and outlook.seconds.high >= duration_seconds(budget.duration):
        yield f"spec.budget.duration: {budget.duration} may end the search earlier."
    limits = (
        ("cost", budget.cost, bill.cost),
        ("energyKWh", budget.energy_kwh, bill.energy_kwh),
        ("gpuHours", budget.gpu_hours, bill.gpu_hours),
    )
    for name, limit, amount in limits:
        if limit is not None and amount and amount.high > limit:
            yield f"spec.budget.{name}: {limit:g} may end the search earlier."


def _ends(figure: Range) -> dict[str, float]:
    return {"low": _rounded(figure.low), "likely": _rounded(figure.likely), "high": _rounded(figure.high)}


def _three(figure: Range) -> tuple[float, float, float]:
    return figure.likely, figure.low, figure.high


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
