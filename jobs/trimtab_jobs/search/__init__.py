"""The search of parameters: Optuna proposes, the pool runs, the record keeps."""

from trimtab_jobs.search.failures import FatalFailure
from trimtab_jobs.search.journal import has_results
from trimtab_jobs.search.loop import search
from trimtab_jobs.search.outcome import recall, recorded_trials
from trimtab_jobs.search.request import ONLY_BASELINE, Limits, SearchRequest
from trimtab_jobs.search.trial import (
    Counts,
    Ended,
    SearchOutcome,
    SearchState,
    StopReason,
    Trial,
    TrialState,
    UsedUp,
)

__all__ = [
    "ONLY_BASELINE",
    "Counts",
    "Ended",
    "FatalFailure",
    "Limits",
    "SearchOutcome",
    "SearchRequest",
    "SearchState",
    "StopReason",
    "Trial",
    "TrialState",
    "UsedUp",
    "has_results",
    "recall",
    "recorded_trials",
    "search",
]
