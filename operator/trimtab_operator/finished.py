"""What is still done about a job that has ended: its children go when their time has come. Pure."""

from datetime import timedelta

from trimtab_api.conditions import Condition, set_condition
from trimtab_api.status import JobStatus
from trimtab_operator import upkeep
from trimtab_operator.conditions import condition_of
from trimtab_operator.course import Asked
from trimtab_operator.manifests import at
from trimtab_operator.names import owner_of
from trimtab_operator.ray_jobs import is_over
from trimtab_operator.reading import pinned_json_of
from trimtab_operator.trim import plain_json
from trimtab_operator.world import Decision, Observed

DEFAULT_TTL_SECONDS = 86_400
_NOT_AGAIN = "spec.retry: the job has succeeded; make a new job to run it again"
_TTL = "ttlSecondsAfterFinished"


def is_asked_again(status: JobStatus, asked: Asked) -> bool:
    """Whether an ended job is to run again: it failed, or a budget ended it, and spec.retry was raised."""
    return asked.retry > status.retry and not _is_complete(status)


def _is_complete(status: JobStatus) -> bool:
    succeeded = condition_of(status.conditions, "Succeeded")
    return succeeded is not None and succeeded.status == "True" and succeeded.reason != "BudgetReached"


def finished(seen: Observed, status: JobStatus, asked: Asked) -> Decision:
    """Return the decision about a job that has ended: its status stays, for its generation as it is now."""
    after = _for_generation(_answered(seen, status, asked), asked.generation)
    if not upkeep.has_watched(seen) and (status.cleared or status.plan_digest is None):
        return Decision(plain_json(after))
    wait = _seconds_to_live(seen, status)
    if wait <= 0:
        told = after.model_copy(update={"cleared": True})
        return Decision(plain_json(told), upkeep.cleared(seen, owner_of(seen.job)))
    running = upkeep.deleted(each for each in seen.ray_jobs if not is_over(each))
    return Decision(plain_json(after), running, wait)


def _answered(seen: Observed, status: JobStatus, asked: Asked) -> JobStatus:
    """Return the status with what is said to a spec.retry that has no effect."""
    accepted = condition_of(status.conditions, "Accepted")
    if asked.retry > status.retry:
        said = Condition(type="Accepted", status="True", reason="EditRefused", message=_NOT_AGAIN)
    elif accepted and accepted.message == _NOT_AGAIN:
        said = Condition(type="Accepted", status="True", reason="Admitted")
    else:
        return status
    conditions = set_condition(status.conditions, said, seen.now.replace(microsecond=0))
    return status.model_copy(update={"conditions": conditions})


def _for_generation(status: JobStatus, generation: int) -> JobStatus:
    conditions = tuple(
        each.model_copy(update={"observed_generation": generation}) for each in status.conditions
    )
    return status.model_copy(update={"observed_generation": generation, "conditions": conditions})


def _seconds_to_live(seen: Observed, status: JobStatus) -> float:
    """Return how long the children stay: counted from when the job ended, by its ttl as it is now."""
    succeeded = condition_of(status.conditions, "Succeeded")
    ended = succeeded.last_transition_time if succeeded else None
    if ended is None:
        return 0.0
    try:
        end = ended + timedelta(seconds=_ttl(seen))
    except OverflowError:
        return DEFAULT_TTL_SECONDS
    return (end - seen.now) / timedelta(seconds=1)


def _ttl(seen: Observed) -> int:
    """Return the ttl as it is now: the pinned profile's default < the job's < what the profile locks.

    Read by the field, without a plan: there may be thousands of ended jobs when an operator starts.
    """
    pinned = pinned_json_of(seen.plan)
    found = (
        at(pinned, "spec", "locked", _TTL),
        at(seen.job, "spec", _TTL),
        at(pinned, "spec", "defaults", _TTL),
    )
    return next((each for each in found if type(each) is int), DEFAULT_TTL_SECONDS)
