"""The search of parameters: Optuna proposes, the pool runs, the record keeps."""

from trimtab_jobs.search.failures import CodeFailure
from trimtab_jobs.search.loop import search
from trimtab_jobs.search.request import SearchRequest
from trimtab_jobs.search.trial import Counts, SearchOutcome, SearchState, StopReason, Trial, TrialState

__all__ = [
    "CodeFailure",
    "Counts",
    "SearchOutcome",
    "SearchRequest",
    "SearchState",
    "StopReason",
    "Trial",
    "TrialState",
    "search",
]
