"""Seeds and samplers: the same draws whatever happened before, for the same index."""

import optuna
import pytest

from trimtab_api.job import NoOptions, Sampler
from trimtab_jobs.search.samplers import SAMPLERS, sampler_of, seed_of

OF_MANIFEST = {"tpe": Sampler(tpe=NoOptions()), "random": Sampler(random=NoOptions())}


@pytest.mark.parametrize("name", SAMPLERS)
def test_manifest_names_the_sampler(name: str) -> None:
    assert type(sampler_of(OF_MANIFEST[name])) is SAMPLERS[name]


@pytest.mark.parametrize("name", SAMPLERS)
def test_seeded_sampler_forgets_what_it_drew_before(name: str) -> None:
    def draws(asks_before: int) -> list[float]:
        sampler = sampler_of(OF_MANIFEST[name])
        study = optuna.create_study(sampler=sampler)
        for _ in range(asks_before):
            study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
        sampler.seed(11)
        trial = study.ask()
        return [trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)]

    assert draws(asks_before=0) == draws(asks_before=3)


def test_seeds_differ_by_study_purpose_and_index_and_fit_31_bits() -> None:
    seeds = [
        seed_of(study, purpose, index)
        for study in (0, 1)
        for purpose in ("trial", "sampler")
        for index in range(500)
    ]

    assert len(set(seeds)) == 2000
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(7, "trial", 3) == 718_693_615
