"""What a written status adds to the counters of jobs and trials."""

from datetime import datetime
from typing import get_args

from trimtab_operator.manifests import at, items_at, mapping_at, text_at, time_at, whole_at
from trimtab_operator.metrics import Metrics, TrialState
from trimtab_operator.world import Manifest


def count_end(metrics: Metrics, before: Manifest, after: Manifest) -> None:
    """Count a job and its trials, if this is the status with which it ended."""
    ended = _ended(after)
    if ended is None or _ended(before) is not None:
        return
    begun = [time_at(run, "startTime") for run in items_at(after, "status", "runs")]
    started = min([time for time in begun if time], default=time_at(after, "metadata", "creationTimestamp"))
    metrics.ended(text_at(ended, "reason"), _seconds(started, time_at(ended, "lastTransitionTime")))
    for state in get_args(TrialState):
        metrics.trials(state, whole_at(mapping_at(after, "status", "trials"), state))


def _ended(job: Manifest) -> Manifest | None:
    """Return the condition that says how a job ended; None while it has not."""
    conditions = items_at(job, "status", "conditions")
    return next(
        (each for each in conditions if at(each, "type") == "Succeeded" and at(each, "status") != "Unknown"),
        None,
    )


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0
