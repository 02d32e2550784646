"""Which parameters made the difference: permutation importance of a random forest. Pure and deterministic.

A forest (Breiman, 2001) learns from a part of the trials to foretell the rank of the objective from the
parameters, and is asked about the trials that it has not seen. A parameter's importance is what the forest
loses of R², the share of the differences that it explains, when that parameter alone is shuffled among those
trials. Ranks, not values, so that one diverged trial does not decide. Trials that ended early count with the
figure that they had reached.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab_jobs.report.trials import Ranking, Trial, names

LEAST_TRIALS = 20
"""Fewer trials with a figure say nothing about parameters."""
LEAST_EXPLAINED = 0.1
"""A forest that explains less of the differences than this knows nothing about parameters."""
MOST_TRIALS = 600
"""Trials that the forest learns from, evenly spread over the search where there are more."""
FOLDS, SHUFFLES, TREES = 5, 5, 40
Floats = np.ndarray[Any, np.dtype[np.float64]]
Columns = Mapping[str, tuple[int, ...]]
"""By parameter the columns of the table that stand for it."""


@dataclass(frozen=True, slots=True)
class Importance:
    """What the forest found."""

    losses: Mapping[str, float]
    """By parameter the loss of R² when it is shuffled, at least 0, the largest first."""
    explained: float
    """R² on trials that the forest had not seen, at most 1."""
    trials: int


def importance(trials: Sequence[Trial], ranking: Ranking) -> Importance | None:
    """The importance of each parameter that varied; None for too few trials, or when none varied."""
    valued = [trial for trial in trials if trial["state"] != "running" and ranking.of(trial) is not None]
    valued = valued[:: -(-len(valued) // MOST_TRIALS)] if len(valued) > MOST_TRIALS else valued
    columns, table = encoded([trial["params"] for trial in valued])
    if len(valued) < LEAST_TRIALS or not columns:
        return None
    ranks = ranked([ranking.loss(trial) for trial in valued])
    if ranks.min() == ranks.max():
        return None
    total = float(((ranks - ranks.mean()) ** 2).sum())
    wrong, shuffled = _errors(table, ranks, list(columns.values()))
    losses = {
        name: max(0.0, float(more - wrong) / total) for name, more in zip(columns, shuffled, strict=True)
    }
    ordered = dict(sorted(losses.items(), key=lambda item: -item[1]))
    return Importance(ordered, 1 - wrong / total, len(valued))


def ranked(values: Sequence[float]) -> Floats:
    """The rank of each value as a share of all of them; equal ones share the mean of their ranks."""
    _, place, counts = np.unique(
        np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True
    )
    shares: Floats = (np.cumsum(counts) - (counts - 1) / 2) / len(values)
    return shares[place]


def encoded(params: Sequence[Mapping[str, Any]]) -> tuple[Columns, Floats]:
    """The parameters that vary as columns of numbers: one of each number, one of each category.

    A parameter that does not apply to a trial is not a number there.
    """
    columns: dict[str, tuple[int, ...]] = {}
    table: list[list[float]] = []
    for name in names([{"params": each} for each in params], "params"):
        values = [each.get(name) for each in params]
        if len({repr(value) for value in values}) > 1:
            made = list(_columns_of(values))
            columns[name] = tuple(range(len(table), len(table) + len(made)))
            table += made
    return columns, np.array(table, dtype=np.float64).reshape(len(table), len(params)).T


def is_number(value: object) -> bool:
    """Whether a parameter's value is a quantity that has a place on an axis; True and False have none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _columns_of(values: Sequence[object]) -> Iterator[list[float]]:
    present = [value for value in values if value is not None]
    if all(map(is_number, present)):
        yield [float("nan") if value is None else float(value) for value in values]  # type: ignore[arg-type]
        return
    for category in sorted({repr(value) for value in present}):
        yield [float("nan") if value is None else float(repr(value) == category) for value in values]


def _errors(table: Floats, ranks: Floats, groups: Sequence[tuple[int, ...]]) -> tuple[float, Floats]:
    """Squared errors on unseen trials, summed over folds: as they are, and with each group shuffled."""
    from sklearn.ensemble import RandomForestRegressor  # type: ignore[import-untyped]  # seconds to import

    random = np.random.default_rng(0)
    fold_of = random.permutation(len(ranks)) % FOLDS
    wrong, shuffled = 0.0, np.zeros(len(groups))
    for fold in range(FOLDS):
        seen, unseen = fold_of != fold, fold_of == fold
        forest = RandomForestRegressor(TREES, max_features=0.5, min_samples_leaf=2, random_state=fold)
        forest.fit(table[seen], ranks[seen])
        wrong += float(((forest.predict(table[unseen]) - ranks[unseen]) ** 2).sum())
        for index, group in enumerate(groups):
            asked = np.concatenate([_shuffled(table[unseen], group, random) for _ in range(SHUFFLES)])
            told = forest.predict(asked).reshape(SHUFFLES, -1)
            shuffled[index] += float(((told - ranks[unseen]) ** 2).sum() / SHUFFLES)
    return wrong, shuffled


def _shuffled(table: Floats, group: tuple[int, ...], random: np.random.Generator) -> Floats:
    changed = table.copy()
    changed[:, group] = changed[random.permutation(len(changed))][:, group]
    return changed
