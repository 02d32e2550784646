"""How the best parameters and architecture are looked for."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from trimtab_api.cel import cel_list, or_list
from trimtab_api.fields import Count, DataUri, Label, MetricName, Subdomain, Unique
from trimtab_api.metrics import MINIMIZED, Direction, target_matters
from trimtab_api.model import Broken, Model, exactly_one, rule
from trimtab_api.space import Parameter


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

    _target_matters = target_matters()

    @rule(
        "direction",
        f"!(self.metric in {cel_list(MINIMIZED)}) || self.direction == 'minimize'",
        f"must be minimize for {or_list(MINIMIZED)}",
    )
    def _less_is_better(self) -> bool:
        return self.metric not in MINIMIZED or self.direction == "minimize"

    @rule(
        "direction",
        "self.metric != 'throughput' || self.direction == 'maximize'",
        "must be maximize for throughput",
    )
    def _more_is_better(self) -> bool:
        return self.metric != "throughput" or self.direction == "maximize"


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

    _one_sampler = exactly_one("tpe", "random", "grid", "sobol", "cmaes", "gp", "nsga2")


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

    _one_pruner = exactly_one("asha", "hyperband", "median", "pbt", "none")


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

    _one_method = exactly_one("evolution", "reinforcement", "gradient", "oneShot")


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
    parameters: Annotated[tuple[Parameter, ...], Field(max_length=64), Unique("name")] = ()
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

    @rule(
        "parameters",
        "(has(self.parameters) && size(self.parameters) > 0) || has(self.architecture)",
        "must not be empty without architecture: there is nothing to search",
    )
    def _something_to_search(self) -> bool:
        return bool(self.parameters) or self.architecture is not None

    @rule(
        "mode",
        "!has(self.mode) || self.mode == 'joint' || has(self.architecture)",
        "must be joint without architecture",
    )
    def _then_needs_architecture(self) -> bool:
        return self.mode == "joint" or self.architecture is not None

    @rule(
        "parameters",
        "!has(self.parameters) || !has(self.sampler) || !has(self.sampler.grid)"
        " || self.parameters.all(each, !has(each.float) || has(each.float.step))",
        "a float needs a step for the grid sampler",
    )
    def _grid_is_finite(self) -> Iterator[Broken]:
        for index, each in enumerate(self.parameters if self.sampler.grid else ()):
            if each.float_ and each.float_.step is None:
                yield f"parameters[{index}].float"

    @rule(
        "parameters",
        "!has(self.parameters) || self.parameters.all(each, !has(each.when)"
        " || self.parameters.exists(parent, parent.name == each.when.parameter && has(parent.categorical)))",
        "when.parameter must be a categorical parameter",
    )
    def _conditions_on_choices(self) -> Iterator[Broken]:
        choices = {each.name for each in self.parameters if each.categorical is not None}
        for index, each in enumerate(self.parameters):
            if each.when and each.when.parameter not in choices:
                yield f"parameters[{index}].when.parameter"

    @rule(
        "parameters",
        "!has(self.parameters) || self.parameters.all(each, !has(each.when) || self.parameters.all(parent,"
        " parent.name != each.when.parameter || !has(parent.when) || self.parameters.all(top,"
        " top.name != parent.when.parameter || !has(top.when))))",
        "when must not be more than two deep, nor in a circle",
    )
    def _conditions_end(self) -> Iterator[Broken]:
        parents = {each.name: each.when.parameter for each in self.parameters if each.when}
        for index, each in enumerate(self.parameters):
            grandparent = parents.get(parents.get(each.name, ""), "")
            if grandparent in parents:
                yield f"parameters[{index}].when.parameter"

    @rule(
        "parameters",
        "!has(self.parameters) || self.parameters.all(each, !has(each.when) || self.parameters.all(parent,"
        " parent.name != each.when.parameter || !has(parent.categorical)"
        " || each.when.__in__.all(value, value in parent.categorical)))",
        "when.in must list choices of when.parameter",
    )
    def _conditions_can_hold(self) -> Iterator[Broken]:
        choices = {each.name: each.categorical for each in self.parameters}
        for index, each in enumerate(self.parameters):
            known = choices.get(each.when.parameter) if each.when else None
            for place, value in enumerate(each.when.in_ if each.when and known else ()):
                if value not in (known or ()):
                    yield f"parameters[{index}].when.in[{place}]"
