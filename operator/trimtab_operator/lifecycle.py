"""Lifecycle: what should be running now, by the ledger alone. Pure.

nothing yet                    the first segment begins
a run is under way             it goes on
it succeeded                   the next segment begins, in the same attempt; after the last one all is done
it failed                      so has the job
its RayJob was lost            the next attempt of its segment, after a while; five times in a row are enough,
                               but for one that had gone on for ten minutes, and twelve in all
it was suspended               the next attempt of its segment, once the job is no longer
the job was opened again       the next attempt: from the start, or from where only workers were lost
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from trimtab_api.plan import Plan
from trimtab_api.status import RunRecord
from trimtab_operator.ledger import Ending

IN_A_ROW = 5
"""Attempts that may be lost one after the other."""
IN_ALL = 12
"""Attempts that may be lost until spec.retry is raised: what ends one after the other is no bad luck."""
FIRST_PAUSE_SECONDS = 10
LONGEST_PAUSE_SECONDS = 300
LONG_SECONDS = 600
"""An attempt that lasted so long was no failure to start: a row of losses ends with it."""
_LOST = ("Infrastructure", "Deleted")


@dataclass(frozen=True, slots=True)
class GoOn:
    """The last run is under way."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A segment is to begin."""

    segment: int
    attempt: int
    earliest: datetime | None = None
    """Not before this."""
    why: str = ""
    """What the attempt before was lost to."""


@dataclass(frozen=True, slots=True)
class End:
    """The job is done, or has failed."""

    is_success: bool
    reason: str
    message: str


Step = GoOn | Begin | End


def next_step(runs: tuple[RunRecord, ...], ending: Ending | None, plan: Plan, attempt: int) -> Step:
    """Return the next step; `ending` is how the last run ended if that was seen only now.

    `attempt` is the one that the status knows; ahead of the ledger it is one that was begun, or opened again.
    """
    if not runs:
        return Begin(0, max(attempt, 1))
    last = runs[-1]
    index = _index(plan, last.segment)
    if last.outcome == "Running":
        return GoOn()
    if attempt > last.attempt:
        return _opened(runs, index, attempt)
    if last.outcome in _LOST:
        return _after_loss(runs, index)
    if last.outcome == "Suspended":
        return Begin(index, last.attempt + 1)
    if last.outcome == "Succeeded" and index + 1 < len(plan.segments):
        return Begin(index + 1, last.attempt)
    if ending is None:  # its end is in the ledger, but not in the conditions: somebody has changed them
        return End(False, "Infrastructure", last.message or "how the last run ended is no longer known")
    return End(last.outcome == "Succeeded", ending.reason, ending.message)


def _opened(runs: tuple[RunRecord, ...], index: int, attempt: int) -> Begin:
    """Begin the attempt that is ahead; what was begun after a loss has waited already."""
    return Begin(index if runs[-1].outcome in (*_LOST, "Suspended") else 0, attempt)


def _after_loss(runs: tuple[RunRecord, ...], index: int) -> Begin | End:
    last, losses = runs[-1], losses_in_a_row(runs)
    if losses >= IN_A_ROW:
        return End(False, "Infrastructure", f"{losses} attempts were lost in a row; the last: {last.message}")
    if (every := losses_in_all(runs)) >= IN_ALL:
        return End(False, "Infrastructure", f"{every} attempts were lost in all; the last: {last.message}")
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (losses - 1), LONGEST_PAUSE_SECONDS)
    earliest = last.end_time + timedelta(seconds=pause) if last.end_time else None
    return Begin(index, last.attempt + 1, earliest, last.message)


def losses_in_a_row(runs: tuple[RunRecord, ...]) -> int:
    """Return how many attempts were lost since one was not, or lasted, or spec.retry was raised.

    Nodes come and go: a search of days outlives more of them than this allows in a row.
    """
    count = 0
    for run in reversed(runs):
        if run.outcome in _LOST and run.retry == runs[-1].retry:
            count += 1
            if (run.cost.seconds or 0.0) >= LONG_SECONDS:
                break
        elif run.outcome != "Suspended":
            break
    return count


def losses_in_all(runs: tuple[RunRecord, ...]) -> int:
    """Return how many attempts were lost since spec.retry was raised, as far as they are told one by one."""
    return sum(run.outcome in _LOST and run.retry == runs[-1].retry for run in runs)


def _index(plan: Plan, segment: str) -> int:
    """Return which segment of the plan it is; the first where the plan has none of this name."""
    return next((index for index, each in enumerate(plan.segments) if each.name == segment), 0)
