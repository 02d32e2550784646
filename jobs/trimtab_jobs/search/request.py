"""What a search is asked for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trimtab_api.job import Objective, SearchSpec

ONLY_BASELINE = SearchSpec(trials=1)
RUN_TRIAL = "trimtab_jobs.tasks.trial:run_trial"


def never() -> bool:
    """False: nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The plan's part of the search, and what the driver has found out about the task."""

    name: str
    """Name of the study."""
    objectives: Sequence[Objective]
    """At least one; the first ranks."""
    epochs: int
    """Epochs of a whole training: the top rung."""
    search: SearchSpec = ONLY_BASELINE
    """Without a search in the manifest the baseline is the only trial."""
    failed_trials: int | None = None
    """Trials that may fail because of their parameters; one more and no others are asked."""
    seconds_left: float | None = None
    """What is left of the budget's duration."""
    should_stop: Callable[[], bool] = never
    """Looked at several times a second; True ends the search with its record as it is."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, as far as the search knows of time."""
    function: str = RUN_TRIAL
    """What a worker calls for a trial."""
