"""Who proposes the next configuration, and all seeds.

A sampler is seeded anew for each ask, by the study's seed and by how many configurations were asked before:
so neither a restart nor the order in which trials finish changes the draws.
"""

import hashlib
from collections.abc import Callable, Mapping

from optuna.samplers import RandomSampler

from trimtab_api.job import Sampler
from trimtab_jobs.search.tpe import Tpe

_SEED_BITS = 31  # torch, numpy and Python's random all take it


class _Random(RandomSampler):
    def seed(self, seed: int) -> None:
        self._rng.rng.seed(seed)


SeededSampler = _Random | Tpe
SAMPLERS: Mapping[str, Callable[[], SeededSampler]] = {"tpe": Tpe, "random": _Random}
"""The manifest's word to its sampler."""


def sampler_of(sampler: Sampler) -> SeededSampler:
    """The sampler that the manifest names; `seed` it before each ask."""
    return next(make() for name, make in SAMPLERS.items() if getattr(sampler, name) is not None)


def seed_of(study_seed: int, purpose: str, index: int) -> int:
    """A seed of its own for each purpose and index; close inputs give unrelated seeds."""
    digest = hashlib.sha256(f"{study_seed}/{purpose}/{index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> (64 - _SEED_BITS)
