"""The ledger of a job's runs: which RayJobs were started, how each ended, and what it took. Pure.

A RayJob enters when it is made, or, should that not have been written down, when it is seen. The report is
heard about the last run only, and ends nothing until KubeRay is done with its RayJob.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from trimtab_api.report import Cost, Report
from trimtab_api.status import RunOutcome, RunRecord
from trimtab_operator.costs import Rates, total
from trimtab_operator.ray_jobs import SeenRayJob
from trimtab_operator.reading import Heard
from trimtab_operator.texts import cut

LONGEST = 16
"""Runs that are told one by one."""
MESSAGES = 4
"""Runs whose messages are kept."""
MESSAGE_BYTES = 400
FAILURES = ("Code", "Configuration", "GuardrailNotMet", "NoTrialCompleted")
"""Reasons of a failure that another attempt would not mend; any other is taken for Infrastructure."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    outcome: RunOutcome
    reason: str = ""
    """Of a success or failure, as in the condition Succeeded."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """What bears on a run beside its RayJob."""

    now: datetime
    rates: Rates
    heard: Heard
    is_last_segment: bool = False
    is_suspended: bool = False
    """Whether the user asks for suspension: a RayJob that is gone was then taken away for it."""
    is_followed: bool = False
    """Whether the next segment of its attempt has begun, which none does before this one has succeeded."""
    hint: str = ""
    """What its pods say of a crash."""
    loss: str = ""
    """Why it cannot go on, whatever its RayJob says."""
    head: str | None = None
    """Its head as it is now, while that is ready."""


def entered(
    runs: tuple[RunRecord, ...], ray_jobs: tuple[SeenRayJob, ...], retry: int
) -> tuple[RunRecord, ...]:
    """Return the ledger with the RayJobs that are not in it yet, in the order of their attempts."""
    known = {run.name for run in runs}
    new = [
        RunRecord(name=each.name, segment=each.segment, attempt=each.attempt, retry=retry)
        for each in ray_jobs
        if each.is_ours and each.name not in known
    ]
    return tuple(sorted((*runs, *new), key=lambda run: run.attempt)) if new else runs


def followed(run: RunRecord, ray_job: SeenRayJob | None, sight: Sight) -> tuple[RunRecord, Ending | None]:
    """Return a run as it is now, and how it ended if that was seen only now."""
    if run.outcome == "Suspended" and run.end_time is None and ray_job is None:
        return _closed(run, sight, sight.now, run.outcome, ""), None
    if run.outcome != "Running":
        is_ahead = run.end_time is not None and run.end_time > sight.now  # the clock was set back
        return (run.model_copy(update={"end_time": sight.now}) if is_ahead else run), None
    if ray_job is None:
        gone = _gone(sight)
        return _closed(run, sight, sight.now, gone.outcome, gone.message), gone
    if not ray_job.has_ended and sight.loss and not (ray_job.is_queued or ray_job.is_going):
        ending = _told_end(sight) or Ending("Infrastructure", message=sight.loss)
        return _closed(run, sight, sight.now, ending.outcome, ending.message), ending
    if not ray_job.has_ended:
        return _paced(run, ray_job, sight), None
    ending = ending_of(ray_job, sight)
    end = _between(run.start_time, ray_job.ended or sight.now, sight.now)
    return _closed(_begun(run, ray_job, end), sight, end, ending.outcome, ending.message), ending


def _gone(sight: Sight) -> Ending:
    """Return how a run ended whose RayJob is no longer there.

    KubeRay, or whoever tidies up, may delete a RayJob that has ended before that was seen.
    """
    if told := _told_end(sight):
        return told
    if sight.is_suspended:
        return Ending("Suspended")
    return Ending("Deleted", message="its RayJob was deleted")


def _told_end(sight: Sight) -> Ending | None:
    """Return how a run ended by its last report, or by the run after it; None when neither says an end."""
    if sight.is_followed:
        return Ending("Succeeded")
    report = sight.heard.report
    is_success = report is not None and report.phase == "Succeeded" and sight.is_last_segment
    if report is not None and (report.phase == "Failed" or is_success):
        ending = _as_reported(report)
        return None if ending.outcome == "Infrastructure" else ending
    return None


def ending_of(ray_job: SeenRayJob, sight: Sight) -> Ending:
    """Return how a run ended whose RayJob KubeRay is done with."""
    report = sight.heard.report
    if sight.is_followed:  # whoever began the next one ended before that was written, and the report is its
        return Ending("Succeeded")
    if ray_job.is_invalid:
        return Ending("Failed", "Configuration", f"KubeRay refuses RayJob {ray_job.name}: {ray_job.message}")
    if report is not None and report.phase == "Failed":
        return _as_reported(report)
    if not ray_job.has_succeeded:
        return Ending("Infrastructure", message=_lost(ray_job, sight))
    if report is None:
        said = sight.heard.problem or "there is no report of it"
        return Ending("Infrastructure", message=f"RayJob {ray_job.name} ended, but {said}")
    if not sight.is_last_segment:
        return Ending("Succeeded")
    if report.phase != "Succeeded":
        message = f"RayJob {ray_job.name} ended while its report says {report.phase}"
        return Ending("Infrastructure", message=message)
    return _as_reported(report)


def _as_reported(report: Report) -> Ending:
    """Return the end that a report tells of: a success, or a failure of whatever kind."""
    reason, message = _verdict(report)
    if report.phase == "Succeeded":
        return Ending("Succeeded", "BudgetReached" if reason == "BudgetReached" else "Completed", message)
    if reason in FAILURES:
        return Ending("Failed", reason, message)
    return Ending("Infrastructure", message=message)


def _verdict(report: Report) -> tuple[str, str]:
    found = next((each for each in report.conditions if each.type == "Succeeded"), None)
    return (found.reason, found.message or report.message) if found else ("", report.message)


def _lost(ray_job: SeenRayJob, sight: Sight) -> str:
    own = sight.heard.report.message if sight.heard.report else ""
    said = [each for each in (own, ray_job.message, sight.hint, sight.heard.problem) if each]
    return ": ".join([f"RayJob {ray_job.name} failed", *(["; ".join(said)] if said else [])])


def _paced(run: RunRecord, ray_job: SeenRayJob, sight: Sight) -> RunRecord:
    """Return a running run: its clock runs while its cluster is ready, and stops when that is taken away.

    Of a cluster that had been taken away KubeRay may still tell the first time that it was ready.
    """
    if run.start_time is None and ray_job.is_ready:
        ready = None if run.cost.seconds else ray_job.ready
        start = min(max(ready, ray_job.started or ready), sight.now) if ready else sight.now
        update = {"start_time": start, "hourly": sight.rates.hourly, "head": sight.head}
        return run.model_copy(update=update)
    if run.start_time is not None and ray_job.is_queued:
        banked = _banked(run, sight, sight.now)
        return run.model_copy(update={"start_time": None, "cost": banked, "hourly": None, "head": None})
    if run.start_time is not None and run.head is None and sight.head:
        return run.model_copy(update={"head": sight.head})
    return run


def _begun(run: RunRecord, ray_job: SeenRayJob, end: datetime) -> RunRecord:
    """Return a run that is over; one that nobody saw running began when KubeRay says it did."""
    began = ray_job.ready or ray_job.started
    if run.start_time is not None or not ray_job.is_ready or began is None:
        return run
    return run.model_copy(update={"start_time": min(began, end)})


def _closed(run: RunRecord, sight: Sight, end: datetime, outcome: RunOutcome, message: str) -> RunRecord:
    update = {
        "outcome": outcome,
        "end_time": end,
        "message": cut(message, MESSAGE_BYTES),
        "cost": _banked(run, sight, end),
        "hourly": None,
        "head": None,
    }
    return run.model_copy(update=update)


def _banked(run: RunRecord, sight: Sight, end: datetime) -> Cost:
    return total((run.cost, sight.rates.cost(seconds_between(run.start_time, end))))


def seconds_between(start: datetime | None, end: datetime) -> float:
    """Return the seconds from one time to another; 0 without a start, or when the clock went back."""
    return max(0.0, (end - start).total_seconds()) if start else 0.0


def _between(start: datetime | None, time: datetime, now: datetime) -> datetime:
    """Return a time of KubeRay's clock, kept within ours."""
    return max(start or time, min(time, now))


def kept(runs: tuple[RunRecord, ...]) -> tuple[RunRecord, ...]:
    """Return the ledger, short: older runs lose their messages, the oldest of a segment become one."""
    quiet = [run.model_copy(update={"message": ""}) if run.message else run for run in runs[:-MESSAGES]]
    short = (*quiet, *runs[-MESSAGES:])
    if len(short) <= LONGEST:
        return short
    half = LONGEST // 2
    old = sorted(short[:-half], key=lambda run: run.segment)
    merged = [_merged(tuple(of_one)) for _, of_one in groupby(old, key=lambda run: run.segment)]
    return (*sorted(merged, key=lambda run: run.attempt), *short[-half:])


def _merged(runs: tuple[RunRecord, ...]) -> RunRecord:
    last = runs[-1]
    return last.model_copy(update={"start_time": runs[0].start_time, "cost": total(run.cost for run in runs)})


def by_name(ray_jobs: tuple[SeenRayJob, ...]) -> Mapping[str, SeenRayJob]:
    """Return the RayJobs of this operator's making, by name."""
    return {each.name: each for each in ray_jobs if each.is_ours}


def set_aside(runs: tuple[RunRecord, ...]) -> tuple[RunRecord, ...]:
    """Return the ledger with the last run marked as suspended before its RayJob is deleted for that.

    So nobody takes it for one that was lost, however soon the job is resumed.
    """
    if not runs or runs[-1].outcome != "Running":
        return runs
    return (*runs[:-1], runs[-1].model_copy(update={"outcome": "Suspended"}))
