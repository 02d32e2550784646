"""Which example goes into which split: drawn from a seed, whole groups together, classes alike. Pure.

Positions stand for splits: 0 train, 1 validation, 2 test.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def draw_rows(strata: Array, shares: Sequence[float], seed: int) -> Array:
    """Return the split of each row: of every stratum (a number per row) each split gets its share.

    A split has of a stratum what its share comes to, rounded up or down.
    """
    places = np.zeros(len(strata), np.int8)
    draw = np.random.default_rng(seed)
    for stratum in np.unique(strata):
        rows = draw.permutation(np.flatnonzero(strata == stratum))
        ends = np.cumsum(counts_of(len(rows), shares))[:-1]
        for place, part in enumerate(np.split(rows, ends)):
            places[part] = place
    return places


def counts_of(rows: int, shares: Sequence[float]) -> Array:
    """Return how many of the rows each share comes to: by largest remainder, earlier shares first."""
    exact = rows * np.asarray(shares, np.float64)
    counts = np.floor(exact).astype(np.int64)
    # remainders that differ by rounding alone are equal
    order = np.argsort(-np.round(exact - counts, 9), kind="stable")
    counts[order[: rows - counts.sum()]] += 1
    return counts


def draw_groups(groups: Array, strata: Array, shares: Sequence[float], seed: int) -> Array:
    """Return the split of each row, the same for all rows of a group (a number per row).

    Groups go one by one, large ones first, to the split that is furthest behind its share of what the group
    holds; with as many groups as splits or more, none is empty.
    """
    _, group = np.unique(groups, return_inverse=True)
    _, stratum = np.unique(strata, return_inverse=True)
    held = np.zeros((group.max() + 1, stratum.max() + 1))
    np.add.at(held, (group, stratum), 1)
    wanted = np.outer(shares, held.sum(0))
    filled = np.zeros_like(wanted)
    shuffled = np.random.default_rng(seed).permutation(len(held))
    place_of = np.zeros(len(held), np.int8)
    for each in shuffled[np.argsort(-held[shuffled].sum(1), kind="stable")]:
        behind = (1 - filled / wanted) @ held[each]
        empty = filled.sum(1) == 0
        place = int(np.argmax(np.where(empty, np.inf, behind) if empty.any() else behind))
        place_of[each] = place
        filled[place] += held[each]
    return place_of[group]
