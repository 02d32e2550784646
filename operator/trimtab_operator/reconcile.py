"""Reconcile: from the world around one job to what is to be done about it. Pure: no I/O, no clock.

    status as written ─ has it ended? ──────────────── nothing but what its ttl asks for
          │ no, or spec.retry was raised
          ├─ admission      a plan under a profile, or why there is none
          ├─ course         RayJobs seen → ledger of runs → what should run next
          └─ standing       phase, conditions, children to write, when to look again

Nothing is decided by `phase`: where a job stands follows from the world, its ledger and whether it Succeeded.
"""

from dataclasses import replace
from typing import Any

from trimtab_api.status import JobStatus, RunRecord
from trimtab_operator import ledger, upkeep
from trimtab_operator.admission import NotAdmitted, admit
from trimtab_operator.conditions import NOT_STARTED, REPORTED, Says, Standing, conditions_of, has_ended
from trimtab_operator.course import Asked, Course, course_of
from trimtab_operator.finished import finished, is_asked_again
from trimtab_operator.fold import folded
from trimtab_operator.lifecycle import End
from trimtab_operator.manifests import at, is_controlled_by, is_going, mapping_at, text_at, whole_at
from trimtab_operator.names import JOB_UID
from trimtab_operator.ray_jobs import is_over
from trimtab_operator.reading import status_of
from trimtab_operator.resources import Defaults
from trimtab_operator.resources.store import store_uri
from trimtab_operator.standing import Move, move_of
from trimtab_operator.telling import events_of
from trimtab_operator.texts import cut
from trimtab_operator.trim import plain_json, trimmed
from trimtab_operator.world import Action, Decision, Manifest, Observed

AT_ONCE_SECONDS = 0.1
_MESSAGE_BYTES = 400
_UNSTAGED = ("Pending", "Queued", "Starting", "Suspended")
"""Phases in which no stage is carried out."""


def reconcile(seen: Observed, defaults: Defaults) -> Decision:
    """Return what to do about a job; total: whatever the world holds, there is an answer."""
    is_known = text_at(seen.job, "metadata", "uid") and text_at(seen.job, "metadata", "name")
    if is_going(seen.job) or not is_known:
        return Decision(mapping_at(seen.job, "status"))
    seen = _own(seen)
    before, asked = status_of(seen.job), asked_of(seen)
    status = before
    if has_ended(before.conditions):
        if not is_asked_again(before, asked):
            return finished(seen, before, asked)
        status = opened_again(before)
    admitted = admit(seen, status)
    if isinstance(admitted, NotAdmitted):
        return _turned_away(seen, before, status, asked, admitted)
    course = course_of(seen, status, asked, admitted, defaults)
    move = move_of(course)
    after = _status_after(course, move)
    settles = _ended_runs(before) != _ended_runs(after)
    again = _again(after, asked, move.requeue_after_seconds)
    decision = _decision(before, after, move.actions, again, settles)
    return replace(decision, status_first=settles and move.begun is None)


def _own(seen: Observed) -> Observed:
    """Return the world without what is not the job's: of an earlier job of its name, or a stranger's.

    What is deleted by what it is (RayJobs) goes by its owner: anybody may set a label.
    """
    uid = text_at(seen.job, "metadata", "uid")

    def is_own(child: Manifest | None) -> bool:
        return child is not None and at(child, "metadata", "labels", JOB_UID) == uid

    return replace(
        seen,
        plan=seen.plan if is_own(seen.plan) else None,
        report=seen.report if is_own(seen.report) else None,
        ray_jobs=tuple(each for each in seen.ray_jobs if is_controlled_by(each, uid)),
        pods=tuple(each for each in seen.pods if is_own(each)),
    )


def asked_of(seen: Observed) -> Asked:
    """Return what the user asks for at any time."""
    return Asked(
        suspend=at(seen.job, "spec", "suspend") is True,
        retry=whole_at(seen.job, "spec", "retry"),
        generation=whole_at(seen.job, "metadata", "generation"),
    )


def opened_again(status: JobStatus) -> JobStatus:
    """Return the status of an ended job whose spec.retry was raised: admitted anew, in its next attempt."""
    return status.model_copy(
        update={
            "attempt": max(status.attempt, *(run.attempt for run in status.runs), 0) + 1,
            "plan_digest": None,
            "plan_identity": None,
            "segments": (),
            "cleared": None,
            "profile_digest": None,
            "conditions": tuple(each for each in status.conditions if each.type not in REPORTED),
        }
    )


def _turned_away(
    seen: Observed, before: JobStatus, status: JobStatus, asked: Asked, why: NotAdmitted
) -> Decision:
    """Return the decision about a job without a plan: nothing of it runs."""
    is_waiting = why.reason == "ProfileNotFound"
    standing = Standing(
        kind="progressing" if is_waiting else "failed",
        phase="Pending" if is_waiting else "Failed",
        reason=why.reason,
        message=why.message,
        accepted=Says("False", why.reason, why.message),
        cluster=NOT_STARTED,
    )
    after = _stood(status.model_copy(update={"ray_job": None}), standing, asked, seen)
    running = [each for each in seen.ray_jobs if not is_over(each)]
    settles = has_ended(after.conditions)
    return _decision(before, after, upkeep.deleted(running), _again(after, asked, None), settles)


def _again(after: JobStatus, asked: Asked, requeue: float | None) -> float | None:
    """Return when to look again: at once at a job that ended though it is already asked to run again."""
    is_open = has_ended(after.conditions) and is_asked_again(after, asked)
    return AT_ONCE_SECONDS if is_open else requeue


def _status_after(course: Course, move: Move) -> JobStatus:
    status, admitted = course.status, course.admitted
    report = course.heard.report
    if report is not None:
        status = folded(status, report, admitted.plan, course.now)
    update: dict[str, Any] = {
        "ray_job": move.ray_job,
        "attempt": course.attempt if move.begun is None else move.begun.attempt,
        "runs": ledger.kept(_runs_after(course, move)),
        "plan_digest": admitted.plan.digest,
        "plan_identity": admitted.plan.identity,
        "segments": tuple(each.name for each in admitted.plan.segments),
        "profile_digest": admitted.digest,
        "cost": course.told_cost,
    }
    if isinstance(course.step, End) and report is not None:
        update["result"] = f"{store_uri(admitted.plan, course.owner)}/result.json"
    return _stood(status.model_copy(update=update), move.standing, course.asked, course.seen)


def _runs_after(course: Course, move: Move) -> tuple[RunRecord, ...]:
    if move.begun is not None:
        return (*course.runs, move.begun)
    is_set_aside = course.asked.suspend and not isinstance(course.step, End)
    return ledger.set_aside(course.runs) if is_set_aside else course.runs


def _stood(status: JobStatus, standing: Standing, asked: Asked, seen: Observed) -> JobStatus:
    """Return the status of a job that stands so."""
    now = seen.now.replace(microsecond=0)
    update: dict[str, Any] = {
        "observed_generation": asked.generation,
        "retry": status.runs[-1].retry if status.runs else asked.retry,
        "phase": standing.phase,
        "message": cut(standing.message, _MESSAGE_BYTES),
        "conditions": conditions_of(standing, status.conditions, asked.generation, now),
    }
    if standing.kind != "progressing" or standing.phase in _UNSTAGED:
        update["seconds_left"] = None
    if standing.phase in _UNSTAGED:
        update |= {"stage": "", "trials": status.trials.model_copy(update={"running": 0})}
    return status.model_copy(update=update)


def _decision(
    before: JobStatus, after: JobStatus, actions: tuple[Action, ...], requeue: float | None, settles: bool
) -> Decision:
    fitting = trimmed(after)
    return Decision(plain_json(fitting), (*actions, *events_of(before, fitting)), requeue, settles)


def _ended_runs(status: JobStatus) -> frozenset[str]:
    return frozenset(run.name for run in status.runs if run.outcome != "Running")
