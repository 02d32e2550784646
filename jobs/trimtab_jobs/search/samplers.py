"""Who proposes the next configuration, and all seeds.

A sampler lives for one ask. Its seed is a function of the study's seed and of how many configurations were
asked before, so that neither a restart nor the order in which trials finish changes what is drawn.
"""

import hashlib
from collections.abc import Callable, Mapping

from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from trimtab_api.job import Sampler

_SEED_BITS = 31  # torch, numpy and Python's random all take it

SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "random": lambda seed: RandomSampler(seed=seed),
}
"""The manifest's word to a sampler of that seed."""


def sampler_of(sampler: Sampler) -> Callable[[int], BaseSampler]:
    """Samplers of the kind that the manifest names, by seed."""
    return next(make for name, make in SAMPLERS.items() if getattr(sampler, name) is not None)


def seed_of(study_seed: int, purpose: str, index: int) -> int:
    """A seed of its own for each purpose and index; close inputs give unrelated seeds."""
    digest = hashlib.sha256(f"{study_seed}/{purpose}/{index}".encode()).digest()
    return int.from_bytes(digest[:8]) >> (64 - _SEED_BITS)
