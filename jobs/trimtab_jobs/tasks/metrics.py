"""Metrics that are provided: functions of rows. Which way each is better is said by its name (see
trimtab_jobs.guard.known_direction).
"""

from dataclasses import dataclass

import numpy as np

from trimtab_jobs.tasks.base import Rows


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of one column; saying so spares the guardrail from finding it out by leaving out rows."""

    column: str
    """Column of the rows, one number per example."""
    proportion: bool = False
    """Whether the column holds 0 and 1: then the number of examples alone tells what can be proven."""

    def __call__(self, rows: Rows) -> float:
        """Return the column's mean."""
        return float(np.mean(rows[self.column]))


def rmse(rows: Rows) -> float:
    """Return the root of the mean squared difference of `prediction` and `target`."""
    target = np.asarray(rows["target"], dtype=np.float64)
    return float(np.sqrt(np.mean((target - np.reshape(rows["prediction"], target.shape)) ** 2)))


def micro_f1(rows: Rows) -> float:
    """Return F1 over all labels of all examples together, from `label` and `prediction` of 0 and 1.

    1 where there are no labels and none was found.
    """
    label, prediction = np.asarray(rows["label"]), np.asarray(rows["prediction"])
    told = int(label.sum() + prediction.sum())
    return 2 * float((label * prediction).sum()) / told if told else 1.0
