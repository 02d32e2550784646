"""How the best parameters and architecture are looked for."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab_api.fields import (
    Count,
    DataUri,
    Identifier,
    IntOrScalar,
    Label,
    MetricName,
    Scalar,
    Subdomain,
    WholeNumber,
)
from trimtab_api.model import Model

Direction = Literal["maximize", "minimize"]


class Objective(Model):
    """A metric to optimize; the first one ranks, two or more give a Pareto front."""

    metric: MetricName
    """Metric of the task, or sizeMB latencyMs latencyP95Ms throughput memoryMB energyJ."""
    direction: Direction
    """Whether more or less of it is better."""
    goal: float | None = None
    """Value at which the search may stop."""
    target: Label | None = None
    """Entry of targets where it is measured; omitted: on the search worker."""


class FloatRange(Model):
    """Real numbers from low to high."""

    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    log: bool = False
    """Draw on a logarithmic scale; low must be above 0."""
    step: Annotated[float, Field(gt=0)] | None = None
    """Distance between values; omitted: any value."""


class IntRange(Model):
    """Whole numbers from low to high."""

    low: WholeNumber
    """Smallest value."""
    high: WholeNumber
    """Largest value."""
    log: bool = False
    """Draw on a logarithmic scale; low must be above 0."""
    step: Annotated[WholeNumber, Field(ge=1)] | None = None
    """Distance between values; omitted: 1."""


class When(Model):
    """The condition under which a parameter is drawn at all."""

    parameter: Identifier
    """A categorical parameter declared above this one."""
    in_: Annotated[tuple[IntOrScalar, ...], Field(alias="in", min_length=1, max_length=16)]
    """Its values for which this parameter applies."""


class Parameter(Model):
    """A parameter of the search space: exactly one of float, int, categorical."""

    name: Identifier
    """Name by which the code reads it from params."""
    float_: Annotated[FloatRange | None, Field(alias="float")] = None
    """Real numbers in a range."""
    int_: Annotated[IntRange | None, Field(alias="int")] = None
    """Whole numbers in a range."""
    categorical: Annotated[tuple[IntOrScalar, ...], Field(min_length=1, max_length=64)] | None = None
    """Choices: integers or strings; other values quoted, and read as YAML scalars."""
    default: Scalar | None = None
    """Value of the baseline, quoted; omitted: the middle of the range, or the first choice."""
    when: When | None = None
    """Draw it only under this condition."""


class NoOptions(Model):
    """Chosen by its presence; it has no options."""


class Sampler(Model):
    """What proposes the next trial: exactly one of the seven."""

    tpe: NoOptions | None = None
    """Tree-structured Parzen estimator."""
    random: NoOptions | None = None
    """Independent random draws."""
    grid: NoOptions | None = None
    """Every combination of discrete values."""
    sobol: NoOptions | None = None
    """Low-discrepancy draws (scrambled Sobol sequence)."""
    cmaes: NoOptions | None = None
    """Covariance matrix adaptation evolution strategy."""
    gp: NoOptions | None = None
    """Gaussian process with expected improvement."""
    nsga2: NoOptions | None = None
    """Multi-objective genetic algorithm."""


class Asha(Model):
    """Asynchronous successive halving: only the best part of each rung trains on."""

    min_epochs: Count = 1
    """Epochs of the lowest rung."""
    reduction: Annotated[int, Field(ge=2, le=16)] = 3
    """Each rung keeps one in this many, and trains them this many times longer."""


class Median(Model):
    """Stops a trial that is worse than the median of earlier ones at the same epoch."""

    min_epochs: Count = 1
    """Epochs before a trial may be stopped."""
    startup_trials: Count = 5
    """Trials that run to the end first."""


class Pbt(Model):
    """Population-based training: the worst copy and perturb the best."""

    every_epochs: Count = 1
    """Epochs between two exchanges."""


class Pruner(Model):
    """What ends unpromising trials early: exactly one of the five."""

    asha: Asha | None = None
    """Asynchronous successive halving."""
    hyperband: Asha | None = None
    """Successive halving with several lowest rungs."""
    median: Median | None = None
    """Median stopping rule."""
    pbt: Pbt | None = None
    """Population-based training."""
    none: NoOptions | None = None
    """Every trial trains to its end."""


class Evolution(Model):
    """Regularized evolution of architectures."""

    population: Annotated[int, Field(ge=2, le=1_000)] = 16
    """Architectures alive at a time."""
    evaluations: Count = 60
    """Architectures trained; they count within trials."""


class Reinforcement(Model):
    """A controller trained by REINFORCE proposes architectures."""

    evaluations: Count = 60
    """Architectures trained; they count within trials."""


class Gradient(Model):
    """Differentiable search: choices are weighted and trained along."""

    epochs: Count = 30
    """Epochs of the search itself."""
    memory_light: bool = False
    """Hold two paths in memory at a time rather than all."""


class OneShot(Model):
    """One network of shared weights, trained along single paths, then searched."""

    epochs: Count = 30
    """Epochs of training the shared weights."""
    evaluations: Count = 100
    """Paths scored with the shared weights; the best are trained anew."""


class Architecture(Model):
    """How the Choice modules of the model are decided: exactly one of the four."""

    evolution: Evolution | None = None
    """Regularized evolution."""
    reinforcement: Reinforcement | None = None
    """Controller trained by REINFORCE."""
    gradient: Gradient | None = None
    """Differentiable search."""
    one_shot: OneShot | None = None
    """Weight sharing along single paths."""


class Plateau(Model):
    """Stop when the best value no longer gets better."""

    trials: Count
    """Trials in a row without improvement."""
    min_improvement: Annotated[float, Field(ge=0)] = 0.0
    """Smallest gain that counts as improvement."""


class Stop(Model):
    """Reasons to end the search before its last trial."""

    plateau: Plateau
    """Stop when the best value no longer gets better."""


class WarmStart(Model):
    """Begin with what another job found."""

    from_: Annotated[DataUri, Field(alias="from")]
    """Output of the other job, whose best trials are proposed first."""


class Postgres(Model):
    """A PostgreSQL database that holds the study."""

    secret_ref: Subdomain
    """Secret of the job's namespace, whose key url is the database's address."""


class Storage(Model):
    """Where the study is kept besides the store."""

    postgres: Postgres
    """Keep the study in PostgreSQL."""


class SearchSpec(Model):
    """The search: its space, its sampler, its size."""

    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the study; each trial has its own, derived from it."""
    trials: Count = 20
    """Trials in all, the baseline included; editable while the job runs."""
    parallelism: Annotated[int, Field(ge=1, le=256)] | None = None
    """Trials at a time; omitted: the profile's default, else 1; editable while the job runs."""
    mode: Literal["joint", "then"] = "joint"
    """With an architecture: joint is one study; then is architecture first, parameters after."""
    parameters: Annotated[tuple[Parameter, ...], Field(max_length=64)] = ()
    """The search space."""
    sampler: Sampler = Sampler(tpe=NoOptions())
    """What proposes the next trial; omitted: tpe."""
    pruner: Pruner = Pruner(none=NoOptions())
    """What ends unpromising trials early; omitted: none."""
    architecture: Architecture | None = None
    """How the Choice modules of the model are decided."""
    stop: Stop | None = None
    """Reasons to end the search before its last trial."""
    warm_start: WarmStart | None = None
    """Begin with what another job found."""
    storage: Storage | None = None
    """Where the study is kept; omitted: the journal in the store."""
