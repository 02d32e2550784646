"""Where an admitted job stands and what is done about it, by what should run next. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from trimtab_api.report import Phase
from trimtab_api.status import RunRecord
from trimtab_operator import upkeep
from trimtab_operator.admission import Admitted
from trimtab_operator.conditions import RELEASED, Says, Standing
from trimtab_operator.course import Course
from trimtab_operator.fold import phase_of
from trimtab_operator.lifecycle import Begin, End
from trimtab_operator.manifests import time_at
from trimtab_operator.pods import is_stuck, seconds_to_loss
from trimtab_operator.ray_jobs import SeenRayJob
from trimtab_operator.resources import Start
from trimtab_operator.texts import cut
from trimtab_operator.waiting import (
    BY_WARNINGS,
    Waiting,
    are_gone,
    lost_with_its_node,
    memory_note,
    starting_of,
    trouble_of,
    waiting_of,
)
from trimtab_operator.world import Action, Delete

PATIENCE_SECONDS = 30.0
"""When to look again at what should happen by itself."""
_REASON_BYTES = 240
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Move:
    """Where the job stands, and what is done."""

    standing: Standing
    actions: tuple[Action, ...] = ()
    requeue_after_seconds: float | None = None
    ray_job: str | None = None
    """RayJob that runs now."""
    begun: RunRecord | None = None
    """The run that begins."""


def move_of(course: Course) -> Move:
    """Return the move that the job's course asks for."""
    if isinstance(course.step, End):
        return _ended(course, course.step)
    if course.asked.suspend:
        return _suspended(course)
    if not course.seen.has_kuberay:
        message = "the cluster has no RayJobs: install KubeRay; the job then goes on by itself"
        return _waiting(course, Waiting("KubeRayNotInstalled", message), requeue=PATIENCE_SECONDS)
    if isinstance(course.step, Begin):
        return _beginning(course, course.step)
    return _under_way(course)


def _ended(course: Course, end: End) -> Move:
    standing = Standing(
        kind="succeeded" if end.is_success else "failed",
        phase="Succeeded" if end.is_success else "Failed",
        reason=end.reason,
        message=end.message,
        accepted=accepted_of(course.admitted),
        cluster=RELEASED,
    )
    return Move(standing, _taken_away(course, ""))


def _suspended(course: Course) -> Move:
    """Take the cluster away; it is suspended once nothing of it is left."""
    left = [each for each in course.ray_jobs if not each.has_ended]
    if left or not are_gone(course.seen.pods):
        lost = [each for each in course.seen.pods if is_stuck(each, course.seen.now)]
        message = (
            lost_with_its_node(lost[0]).message
            if lost
            else "the RayJob and its pods are being deleted; all that is recorded is kept"
        )
        standing = _progressing(course, "Suspending", message, Says("False", "Stopping", message))
        actions = (*_taken_away(course, ""), *_renewed(course))
        return Move(standing, actions, PATIENCE_SECONDS)
    standing = Standing(
        kind="suspended",
        phase="Suspended",
        reason="Suspended",
        message="set spec.suspend to false to go on from what is recorded",
        accepted=accepted_of(course.admitted),
        cluster=Says("False", "Suspended"),
    )
    return Move(standing, _renewed(course))


def _beginning(course: Course, begin: Begin) -> Move:
    """Begin a segment, once nothing of an earlier attempt is left and the pause after a loss is over."""
    segment = course.segment.name
    in_the_way = [each for each in course.ray_jobs if not each.has_ended or each.segment == segment]
    if in_the_way:
        message = f"RayJob {in_the_way[0].name} is being deleted before attempt {begin.attempt} begins"
        actions = (*_deleted(in_the_way), *_renewed(course))
        return _waiting(course, Waiting("Stopping", message), actions, PATIENCE_SECONDS)
    if begin.earliest is not None and begin.earliest > course.seen.now:
        return _pausing(course, begin)
    name = course.start.ray_job
    starting = starting_of(name)
    standing = _progressing(course, "Starting", starting.message, Says("False", "Starting", starting.message))
    run = RunRecord(name=name, segment=segment, attempt=begin.attempt, retry=course.asked.retry)
    return Move(standing, upkeep.begun(course.start, course.admitted.profile_json), ray_job=name, begun=run)


def _pausing(course: Course, begin: Begin) -> Move:
    earliest = begin.earliest or course.now
    why = cut(begin.why, _REASON_BYTES)
    message = f"attempt {begin.attempt} begins at {earliest:%H:%M:%S} UTC; the last one was lost: {why}"
    seconds = (earliest - course.seen.now) / timedelta(seconds=1)
    return _waiting(course, Waiting("BackingOff", message), _renewed(course), max(seconds, 0.1))


def _under_way(course: Course) -> Move:
    ray_job = course.ray_job
    name = course.last.name if course.last else ""
    actions = (*_taken_away(course, name), *_renewed(course))
    if ray_job is None or ray_job.is_going:
        waiting = Waiting("Stopping", f"RayJob {name} is being deleted")
        return _waiting(course, waiting, actions, PATIENCE_SECONDS)
    seen, again = course.seen, seconds_to_loss(course.pods, course.seen.now)
    if not ray_job.is_ready:
        waiting = waiting_of(ray_job, seen.pods, seen.events, seen.now)
        patience = _patience_seconds(course, ray_job) if waiting.reason in BY_WARNINGS else None
        return _waiting(course, waiting, actions, _sooner(patience, again), ray_job=name)
    again = _sooner(course.budget_seconds, again)
    trouble = trouble_of(ray_job, seen.pods, seen.now)
    if trouble and course.heard.report is None:  # without the pod that is to start it no driver comes
        return _waiting(course, trouble, actions, again, ray_job=name)
    cluster = Says("False", trouble.reason, trouble.message) if trouble else _ready(course)
    phase = phase_of(course.heard.report, course.segment)
    message = "; ".join(filter(None, (_running_message(course), trouble.message if trouble else "")))
    standing = _progressing(course, phase, message, cluster)
    return Move(standing, actions, again, ray_job=name)


def _ready(course: Course) -> Says:
    return Says("True", "Ready", memory_note(course.pods))


def _sooner(one: float | None, other: float | None) -> float | None:
    """Return the earlier of two times to look again; None where there is neither."""
    return min((each for each in (one, other) if each is not None), default=None)


def _patience_seconds(course: Course, ray_job: SeenRayJob) -> float:
    """Return when to look for warnings again: less often the longer it takes, as many may wait for long."""
    created = time_at(ray_job.manifest, "metadata", "creationTimestamp")
    age = course.seen.now - created if created else timedelta()
    return max(PATIENCE_SECONDS, age.total_seconds() / 4)


def _running_message(course: Course) -> str:
    """Return what the driver says, or why it is not believed."""
    report = course.heard.report
    if report is None:
        return f"not believed: {course.heard.problem}" if course.heard.problem else ""
    if report.phase in _ENDED:
        return f"the report says {report.phase}; that counts once the RayJob has ended"
    return report.message


def _waiting(
    course: Course,
    waiting: Waiting,
    actions: tuple[Action, ...] | None = None,
    requeue: float | None = None,
    ray_job: str | None = None,
) -> Move:
    cluster = Says("False", waiting.reason, waiting.message)
    standing = _progressing(course, waiting.reason, waiting.message, cluster)
    return Move(standing, _renewed(course) if actions is None else actions, requeue, ray_job)


_PHASES: dict[str, Phase] = {
    "KubeRayNotInstalled": "Pending",
    "BackingOff": "Pending",
    "Queued": "Queued",
    "Searching": "Searching",
    "Compressing": "Compressing",
    "Verifying": "Verifying",
}
"""Phases by the reason for which a job is under way; Starting for any other."""


def _progressing(course: Course, reason: str, message: str, cluster: Says) -> Standing:
    return Standing(
        kind="progressing",
        phase=_PHASES.get(reason, "Starting"),
        reason=reason,
        message=message,
        accepted=accepted_of(course.admitted),
        cluster=cluster,
        is_ready_early=course.admitted.plan.spec.ready_policy == "Accepted",
    )


def accepted_of(admitted: Admitted) -> Says:
    """Return the condition Accepted of a job with a plan."""
    if admitted.refused_edit:
        return Says("True", "EditRefused", f"the plan stays as it was: {admitted.refused_edit}")
    return Says("True", "Admitted", admitted.note)


def _renewed(course: Course) -> tuple[Action, ...]:
    start: Start = course.start
    renew = upkeep.renewed if course.runs else upkeep.pinned
    return renew(course.seen, start, course.admitted.profile_json)


def _taken_away(course: Course, kept: str) -> tuple[Delete, ...]:
    """Return the deletion of every RayJob that runs, but for one."""
    return _deleted([each for each in course.ray_jobs if not each.has_ended and each.name != kept])


def _deleted(ray_jobs: list[SeenRayJob]) -> tuple[Delete, ...]:
    return upkeep.deleted(each.manifest for each in ray_jobs)
