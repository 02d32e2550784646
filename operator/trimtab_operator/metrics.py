"""Metrics: what the operator counts about itself and its jobs, for Prometheus.

Labels are words of this program only, never the names of objects, so that the number of series is bounded.
What is known to happen is there from the start, at zero: no alert comes from a series that does not exist.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Literal, get_args

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from trimtab_api.report import Phase
from trimtab_api.versions import VERSION
from trimtab_operator.conditions import FAILED, SUCCEEDED
from trimtab_operator.errors import ClusterError

CONTENT_TYPE: str = CONTENT_TYPE_PLAIN_0_0_4
Outcome = Literal["done", "conflict", "failed"]
"""How a look at a job ended: as decided, overtaken by a change, or by an error."""
TrialState = Literal["completed", "pruned", "failed"]
UNEXPECTED = "Unexpected"
"""The reason of an error that is not the API server's: a fault of the operator itself."""
_LOOK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_JOB_SECONDS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800)


class Metrics:
    """The counters of one operator, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not say
        self.registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=self.registry), partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        ProcessCollector(registry=self.registry)
        build = Info("trimtab_build", "The version that runs.", registry=self.registry)
        build.info({"version": VERSION})

        self._leader = gauge("trimtab_leader", "Whether this operator holds the Lease and acts: 1 or 0.")
        self._queue = gauge("trimtab_queue_depth", "Jobs that wait to be looked at now.")
        text = "Time of one look at a job, with all that it does on the API server."
        self._looks = histogram(
            "trimtab_reconcile_duration_seconds", text, ["outcome"], buckets=_LOOK_SECONDS
        )
        self._errors = counter("trimtab_reconcile_errors", "Looks that failed, by reason.", ["reason"])
        text = "Requests to the API server; code none: no answer came."
        self._requests = counter("trimtab_api_requests", text, ["verb", "kind", "code"])

        self._jobs = gauge("trimtab_jobs", "Jobs that there are, by phase.", ["phase"])
        self._ends = counter(
            "trimtab_job_ends", "Jobs that ended, by the reason in their status.", ["reason"]
        )
        text = "Time from a job's start to its end, suspensions included."
        self._durations = histogram("trimtab_job_duration_seconds", text, ["outcome"], buckets=_JOB_SECONDS)
        self._trials = counter("trimtab_trials", "Trials of jobs that ended, by state.", ["state"])
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        for outcome in get_args(Outcome):
            self._looks.labels(outcome)
        for reason in (*_reasons(ClusterError), UNEXPECTED):
            self._errors.labels(reason)
        for phase in get_args(Phase):
            self._jobs.labels(phase)
        for reason in (*SUCCEEDED, *FAILED):
            self._ends.labels(reason)
        for outcome in ("Succeeded", "Failed"):
            self._durations.labels(outcome)
        for state in get_args(TrialState):
            self._trials.labels(state)

    def leads(self, holds: bool) -> None:
        """Say whether this operator holds the Lease."""
        self._leader.set(holds)

    def queue_depth(self, keys: int) -> None:
        """Say how many jobs wait to be looked at."""
        self._queue.set(keys)

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """Count one look at a job."""
        self._looks.labels(outcome).observe(seconds)

    def failed(self, reason: str) -> None:
        """Count one look that failed: by ClusterError.reason, or UNEXPECTED."""
        self._errors.labels(reason).inc()

    def requested(self, verb: str, kind: str, code: str) -> None:
        """Count one request to the API server."""
        self._requests.labels(verb, kind, code).inc()

    def jobs(self, counts: Mapping[Phase, int]) -> None:
        """Say how many jobs are in each phase; a phase that is not named has none."""
        for phase in get_args(Phase):
            self._jobs.labels(phase).set(counts.get(phase, 0))

    def ended(self, reason: str, seconds: float) -> None:
        """Count one job that ended, by the reason of its condition Succeeded."""
        self._ends.labels(reason).inc()
        self._durations.labels("Succeeded" if reason in SUCCEEDED else "Failed").observe(seconds)

    def trials(self, state: TrialState, trials: int) -> None:
        """Count the trials of a job that ended."""
        self._trials.labels(state).inc(trials)

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it, of CONTENT_TYPE."""
        return generate_latest(self.registry)


def _reasons(error: type[ClusterError]) -> Iterator[str]:
    """The words of an error and of its kinds."""
    yield error.reason
    for kind in error.__subclasses__():
        yield from _reasons(kind)
