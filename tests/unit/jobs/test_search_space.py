"""The search space: what the manifest's parameters become, what is drawn, and what the baseline is."""

from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler

from trimtab_api.job import Parameter
from trimtab_jobs.search.space import Space, configuration_key, space_of

OPTIMIZER = {"name": "optimizer", "categorical": ["sgd", "adamw"]}
MOMENTUM = {
    "name": "momentum",
    "float": {"low": 0, "high": 1},
    "when": {"parameter": "optimizer", "in": ["sgd"]},
}
NESTEROV = {"name": "nesterov", "categorical": ["true"], "when": {"parameter": "momentum", "in": [0]}}


def space(*parameters: dict[str, Any]) -> Space:
    return space_of([Parameter.model_validate(parameter) for parameter in parameters])


@pytest.mark.parametrize(
    ("parameter", "distribution", "default"),
    [
        pytest.param(
            {"float": {"low": 0.25, "high": 0.75}}, FloatDistribution(0.25, 0.75), 0.5, id="float: the middle"
        ),
        pytest.param(
            {"float": {"low": 0.25, "high": 1.0, "log": True}},
            FloatDistribution(0.25, 1.0, log=True),
            0.5,
            id="log float: the geometric middle",
        ),
        pytest.param(
            {"float": {"low": 0.0, "high": 1.1, "step": 0.25}},
            FloatDistribution(0.0, 1.0, step=0.25),
            0.5,
            id="float step: high is the last step below",
        ),
        pytest.param(
            {"float": {"low": 0.0, "high": 0.75, "step": 0.25}},
            FloatDistribution(0.0, 0.75, step=0.25),
            0.5,
            id="float step: the middle is on a step",
        ),
        pytest.param({"int": {"low": 1, "high": 4}}, IntDistribution(1, 4), 2, id="int: the middle, down"),
        pytest.param(
            {"int": {"low": 16, "high": 64, "step": 16}},
            IntDistribution(16, 64, step=16),
            32,
            id="int step: the middle, down to a step",
        ),
        pytest.param(
            {"int": {"low": 4, "high": 64, "log": True}},
            IntDistribution(4, 64, log=True),
            16,
            id="log int: the geometric middle",
        ),
        pytest.param(
            {"categorical": ["relu", 2, "0.5", "1e-4", "true", "'3'", "null"]},
            CategoricalDistribution(("relu", 2, 0.5, 0.0001, True, "3", "null")),
            "relu",
            id="categorical: YAML scalars; the first",
        ),
        pytest.param(
            {"float": {"low": 0.0, "high": 1.0}, "default": "1e-2"},
            FloatDistribution(0.0, 1.0),
            0.01,
            id="float default",
        ),
        pytest.param(
            {"int": {"low": 0, "high": 8}, "default": "0"}, IntDistribution(0, 8), 0, id="int default"
        ),
        pytest.param(
            {"categorical": [16, "0.5"], "default": "0.5"},
            CategoricalDistribution((16, 0.5)),
            0.5,
            id="categorical default",
        ),
    ],
)
def test_parameter_becomes_a_distribution_and_a_default(
    parameter: dict[str, Any], distribution: object, default: object
) -> None:
    (dimension,) = space({"name": "x"} | parameter).dimensions

    assert (dimension.distribution, dimension.default) == (distribution, default)
    assert type(dimension.default) is type(default)


@pytest.mark.parametrize(
    ("optimizer", "drawn"),
    [("sgd", {"optimizer", "momentum"}), ("adamw", {"optimizer"})],
)
def test_conditional_parameter_is_drawn_only_where_its_parent_has_the_value(
    optimizer: str, drawn: set[str]
) -> None:
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    study.enqueue_trial({"optimizer": optimizer})
    trial = study.ask()

    params = space(OPTIMIZER, MOMENTUM).draw(trial)

    assert set(params) == drawn
    assert params == trial.params


def test_defaults_leave_out_what_does_not_apply() -> None:
    sgd = space(OPTIMIZER, MOMENTUM, NESTEROV)
    adamw = space(OPTIMIZER | {"default": "adamw"}, MOMENTUM, NESTEROV)

    assert sgd.defaults() == {"optimizer": "sgd", "momentum": 0.5}
    assert adamw.defaults() == {"optimizer": "adamw"}


def test_configuration_key_ignores_order_but_not_type() -> None:
    assert configuration_key({"a": 1, "b": 0.5}) == configuration_key({"b": 0.5, "a": 1})
    assert configuration_key({"a": 1}) != configuration_key({"a": "1"})
    assert configuration_key({"a": 1}) != configuration_key({"a": True})
