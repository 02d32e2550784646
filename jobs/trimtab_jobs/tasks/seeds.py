"""Randomness that depends on the seed and the epoch alone, never on what ran in the process before."""

import random

import numpy as np
import torch


def seed_everything(seed: int, epoch: int = 0) -> int:
    """Return the seed of this epoch, with every generator set to it.

    Seeding each epoch anew makes a training resumed at a rung equal to one that ran through, whatever
    happened in between, and no generator's state has to travel with the checkpoint.
    """
    mixed = int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
    random.seed(mixed)
    np.random.seed(mixed)
    torch.manual_seed(mixed)
    return mixed


def make_deterministic(threads: int) -> None:
    """Choose deterministic kernels and a fixed number of threads: sums depend on their order.

    Operators without a deterministic kernel only warn: on a GPU there are common ones.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Filling fresh memory helps to debug and costs 1.6 % of a training; no kernel's result depends on it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property
    torch.set_num_threads(threads)
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = False
