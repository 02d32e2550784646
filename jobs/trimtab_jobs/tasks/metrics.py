"""Metrics of the built-in tasks: functions of rows."""

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
