"""The guardrail: figures and limits to an order of candidates and verdicts with bounds. Pure.

On validation `order` sorts out and ranks; on test `judge` decides, one candidate after the other.
"""

from trimtab_jobs.guard.bounds import needed_examples
from trimtab_jobs.guard.intervals import intervals
from trimtab_jobs.guard.measured import (
    NO_TARGET,
    Candidate,
    Quality,
    deciding_target,
    direction_of,
    figure_of,
    known_direction,
    unknown_direction,
)
from trimtab_jobs.guard.ordering import MOST_TRIED, Ordered, order, pareto, ranking_figure
from trimtab_jobs.guard.verdicts import References, Rules, check_limits, judge, rejection

__all__ = [
    "MOST_TRIED",
    "NO_TARGET",
    "Candidate",
    "Ordered",
    "Quality",
    "References",
    "Rules",
    "check_limits",
    "deciding_target",
    "direction_of",
    "figure_of",
    "intervals",
    "judge",
    "known_direction",
    "needed_examples",
    "order",
    "pareto",
    "ranking_figure",
    "rejection",
    "unknown_direction",
]
