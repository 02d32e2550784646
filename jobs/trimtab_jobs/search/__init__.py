"""The search of parameters: Optuna proposes, the pool runs, the record keeps.

Names are resolved on first use (PEP 562): what says what a trial is loads no Optuna.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab_jobs.search.failures import FatalFailure
    from trimtab_jobs.search.loop import search
    from trimtab_jobs.search.outcome import recall, recorded_trials
    from trimtab_jobs.search.request import ONLY_BASELINE, Limits, SearchRequest
    from trimtab_jobs.search.results import has_results
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

_HOME = {
    "ONLY_BASELINE": "request",
    "FatalFailure": "failures",
    "Limits": "request",
    "SearchRequest": "request",
    "has_results": "results",
    "recall": "outcome",
    "recorded_trials": "outcome",
    "search": "loop",
}
"""Where the names are that are not in `trial`."""


def __getattr__(name: str) -> Any:
    """The name, from where it is defined."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'trial')}"), name)
