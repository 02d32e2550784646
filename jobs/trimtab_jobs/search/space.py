"""The search space: the manifest's parameters as Optuna distributions, drawn in order, some conditionally."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from optuna import Trial
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from trimtab_api.defaults import default_of
from trimtab_api.job import FloatRange, IntRange, Parameter
from trimtab_api.manifest import read_scalar
from trimtab_jobs.search.trial import Params, Scalar

Distribution = FloatDistribution | IntDistribution | CategoricalDistribution


@dataclass(frozen=True, slots=True)
class Condition:
    """A dimension counts only where `parent` has one of `values`."""

    parent: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One parameter: what it is drawn from, its value in the baseline, and when it counts at all."""

    name: str
    distribution: Distribution
    default: Scalar
    when: Condition | None = None

    def applies(self, params: Params) -> bool:
        """Whether it counts beside what was drawn so far."""
        return self.when is None or params.get(self.when.parent) in self.when.values


@dataclass(frozen=True, slots=True)
class Space:
    """All dimensions, a parent before those that depend on it."""

    dimensions: tuple[Dimension, ...]

    def draw(self, trial: Trial) -> dict[str, Scalar]:
        """The trial's configuration, asked of Optuna one by one: the space is defined by running."""
        params: dict[str, Scalar] = {}
        for dimension in self.dimensions:
            if dimension.applies(params):
                params[dimension.name] = _suggest(trial, dimension)
        return params

    def defaults(self) -> dict[str, Scalar]:
        """The baseline's configuration."""
        params: dict[str, Scalar] = {}
        for dimension in self.dimensions:
            if dimension.applies(params):
                params[dimension.name] = dimension.default
        return params


def space_of(parameters: Iterable[Parameter]) -> Space:
    """The space that the manifest's parameters span; they are taken to be valid."""
    dimensions: dict[str, Dimension] = {}
    for parameter in parameters:
        when = None
        if parameter.when is not None:
            when = Condition(parameter.when.parameter, tuple(map(_choice, parameter.when.in_)))
        dimensions[parameter.name] = _dimension_of(parameter, when)
    return Space(tuple(dimensions.values()))


def configuration_key(params: Params) -> str:
    """The same text for the same configuration, in whatever order it was drawn."""
    return json.dumps(params, sort_keys=True)


def _dimension_of(parameter: Parameter, when: Condition | None) -> Dimension:
    default = default_of(parameter)
    if parameter.float_ is not None:
        values = _float_distribution(parameter.float_)
        within = min(float(default), values.high)  # Optuna lowers high to a whole number of binary steps
        return Dimension(parameter.name, values, within, when)
    if parameter.int_ is not None:
        return Dimension(parameter.name, _int_distribution(parameter.int_), int(default), when)
    items = parameter.categorical or ()
    choices = tuple(map(_choice, items))
    first = [str(item) for item in items].index(default)
    return Dimension(parameter.name, CategoricalDistribution(choices), choices[first], when)


def _choice(item: int | str) -> Scalar:
    """An item of a list in which all but integers are quoted."""
    value = read_scalar(item) if isinstance(item, str) else item
    return str(item) if value is None else value  # a choice of nothing stays a word


def _float_distribution(values: FloatRange) -> FloatDistribution:
    high = values.high
    if values.step is not None:  # the last step below `high`, in decimals: Optuna warns and does the same
        low, step = Decimal(str(values.low)), Decimal(str(values.step))
        high = float((Decimal(str(high)) - low) // step * step + low)
    return FloatDistribution(values.low, high, log=values.log, step=values.step)


def _int_distribution(values: IntRange) -> IntDistribution:
    step = values.step or 1
    high = values.low + (values.high - values.low) // step * step
    return IntDistribution(values.low, high, log=values.log, step=step)


def _suggest(trial: Trial, dimension: Dimension) -> Scalar:
    match dimension.distribution:
        case FloatDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_float(dimension.name, low, high, step=step, log=log)
        case IntDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_int(dimension.name, low, high, step=step, log=log)
        case CategoricalDistribution(choices=choices):
            chosen: Scalar = trial.suggest_categorical(dimension.name, choices)  # type: ignore[assignment]  # never None: read_scalar gives none
            return chosen
