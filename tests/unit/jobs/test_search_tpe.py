"""TPE with densities by array: it proposes what Optuna's own sampler would, and finds the same densities."""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler

from trimtab_jobs.search.tpe import Densities, Tpe

DISTRIBUTIONS: dict[str, BaseDistribution] = {
    "float": FloatDistribution(-2.0, 3.0),
    "float-log": FloatDistribution(1e-6, 1.0, log=True),
    "float-step": FloatDistribution(0.0, 1.0, step=0.05),
    "int": IntDistribution(-5, 40, step=5),
    "int-log": IntDistribution(1, 4096, log=True),
    "categorical": CategoricalDistribution(("relu", "gelu", "silu")),
}


def mixed(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    width = trial.suggest_int("width", 8, 256, log=True)
    drop = trial.suggest_float("drop", 0.0, 0.5, step=0.1)
    return abs(math.log10(rate) + 3) + abs(width - 64) / 64 + drop


def conditional(trial: optuna.Trial) -> float:
    if trial.suggest_categorical("optimizer", ["sgd", "adamw"]) == "sgd":
        return abs(trial.suggest_float("momentum", 0.0, 0.99) - 0.9)
    return 0.1 + abs(trial.suggest_int("warmup", 0, 20) - 7) / 10


def two_objectives(trial: optuna.Trial) -> tuple[float, float]:
    depth, width = trial.suggest_int("depth", 1, 12), trial.suggest_float("width", 0.1, 2.0)
    return depth * width**2, 1 / (depth * width)


class Original(Tpe):
    """Seeded like ours, and otherwise Optuna's."""

    def __init__(self) -> None:
        super().__init__()
        self._parzen_estimator_cls = TPESampler()._parzen_estimator_cls


@pytest.mark.parametrize(
    ("objective", "directions"),
    [
        pytest.param(mixed, ["minimize"], id="every-kind"),
        pytest.param(conditional, ["minimize"], id="conditional"),
        pytest.param(two_objectives, ["minimize", "minimize"], id="two-objectives"),
    ],
)
def test_proposals_are_those_of_optunas_own_sampler(
    objective: Callable[[optuna.Trial], Any], directions: list[Literal["minimize", "maximize"]]
) -> None:
    def proposed(sampler: Tpe) -> list[dict[str, Any]]:
        study = optuna.create_study(sampler=sampler, directions=directions)
        for index in range(40):
            sampler.seed(index)
            trial = study.ask()
            study.tell(trial, objective(trial))
        return [trial.params for trial in study.trials]

    assert proposed(Tpe()) == proposed(Original())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("trials", [0, 1, 2, 90])
def test_densities_are_those_of_optunas_own_estimator(name: str, trials: int) -> None:
    space, sampler = {name: DISTRIBUTIONS[name]}, TPESampler()
    drawn = np.random.RandomState(3)
    prior = Densities({name: np.empty(0)}, space, sampler._parzen_estimator_parameters)
    observed, asked = prior.sample(drawn, trials), prior.sample(drawn, 200)

    ours = Densities(observed, space, sampler._parzen_estimator_parameters)
    original = sampler._parzen_estimator_cls(observed, space, sampler._parzen_estimator_parameters)

    np.testing.assert_allclose(ours.log_pdf(asked), original.log_pdf(asked), rtol=1e-9, atol=1e-12)
