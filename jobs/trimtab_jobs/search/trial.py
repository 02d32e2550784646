"""A trial and what the search says about itself: plain values, no Optuna."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trimtab_jobs.pool import Failure

Scalar = bool | int | float | str
Params = Mapping[str, Scalar]
TrialState = Literal["running", "paused", "completed", "pruned", "failed", "lost", "duplicate"]
"""paused: waits on a rung, and is pruned if nothing promotes it; lost: run again as another trial;
duplicate: answered from the record."""
UsedUp = Literal["duration", "gpuHours", "cost", "energyKWh"]
"""A budget that is used up: nothing that is under way is waited for."""
StopReason = UsedUp | Literal["trials", "goal", "exhausted", "failedTrials", "interrupted"]
"""trials: all that were asked for have ended; exhausted: the space holds no further configuration."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration and what became of it."""

    number: int
    """Optuna's number; 0 is the baseline."""
    index: int
    """Number of the configuration: a trial that runs again keeps it, and with it its seed."""
    params: Params
    seed: int
    state: TrialState = "running"
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures on validation at the last recorded epoch."""
    epoch: int = 0
    """Last recorded epoch; 0 before the first result."""
    checkpoint: str | None = None
    """Store key of the state at that epoch."""
    seconds: float = 0.0
    """Time on workers that led to the recorded results."""
    failure: Failure | None = None
    retry_of: int | None = None
    duplicate_of: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Trials by how they ended; duplicates and lost ones are in none."""

    total: int = 0
    completed: int = 0
    running: int = 0
    pruned: int = 0
    """Those that wait on a rung included."""
    failed: int = 0
    retried: int = 0


@dataclass(frozen=True, slots=True)
class SearchState:
    """Where the search stands after a recorded change."""

    counts: Counts
    best: Trial | None
    baseline: Trial | None
    front: tuple[Trial, ...]
    running: tuple[int, ...]
    """Numbers of the trials on a worker."""
    seconds_left: float | None
    """Estimate from the pace so far; None before there is one."""
    message: str = ""
    """What a person should know of the last change, such as why a trial failed."""
    told: tuple[Trial, ...] = ()
    """The trials whose results are new: completed, failed, or waiting on a rung."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a search ended: what the record of its trials does not say."""

    stop: StopReason
    message: str
    """The stop reason in one sentence."""
    total: int
    """Trials that were asked for."""


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """What the search found, and why it ended."""

    trials: tuple[Trial, ...]
    """All, in order of their numbers."""
    best: Trial | None
    """The best completed trial by the first objective; None when none completed."""
    baseline: Trial | None
    """Trial 0, or the one it ran again as; None when it did not complete."""
    front: tuple[Trial, ...]
    counts: Counts
    stop: StopReason
    message: str
    """The stop reason in one sentence."""

    @property
    def ended(self) -> Ended:
        """What a later driver has to know beside the record."""
        return Ended(self.stop, self.message, self.counts.total)
