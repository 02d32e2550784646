"""What a search is asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab_api.job import Objective, SearchSpec
from trimtab_jobs.search.trial import UsedUp

ONLY_BASELINE = SearchSpec(trials=1)
RUN_TRIAL = "trimtab_jobs.tasks.trial:run_trial"


def never() -> bool:
    """False: nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the search may go, as of now."""

    trials: int
    """Configurations to try; fewer than were begun: no others are."""
    parallelism: int | None = None
    """Trials at a time; None: as many as the pool has workers."""
    failed_trials: int | None = None
    """Trials that may fail because of their parameters; one more and no others are asked."""
    seconds_left: float | None = None
    """What is left of the budget's duration."""
    used_up: UsedUp | None = None
    """Budget that somebody else keeps and that is used up."""


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
    limits: Callable[[], Limits] | None = None
    """Looked up at every turn, since a person may edit them; None: those of `search`, for good."""
    should_stop: Callable[[], bool] = never
    """Looked at several times a second; True ends the search with its record as it is."""
    function: str = RUN_TRIAL
    """What a worker calls for a trial."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    """What it is given in every trial, besides the trial itself."""

    def limits_now(self) -> Limits:
        """How far the search may go, as of now."""
        return self.limits() if self.limits else Limits(self.search.trials, self.search.parallelism)
