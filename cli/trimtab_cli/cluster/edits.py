"""stop, suspend, resume, retry: what of spec is changed for a job as it stands, or why nothing is. Pure.

Each is idempotent: asked for twice it changes once, and says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from trimtab_cli.cluster.errors import NotSensibleError
from trimtab_cli.cluster.reading import (
    Document,
    condition,
    ended_trials,
    has_ended,
    is_retried,
    name_of,
    retries,
    standing_reason,
)
from trimtab_operator.manifests import at, mapping_at, text_at


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of spec, none if it is empty, and what is said of it."""

    told: str
    spec: dict[str, Any] = field(default_factory=dict)


Decide = Callable[[Document], Edit]


def stop(job: Document) -> Edit:
    """End the search with what it has: search.trials becomes the number of trials that have ended."""
    name = name_of(job)
    if not mapping_at(job, "spec", "search"):
        raise NotSensibleError(f"{name}: has no search to stop; trimtab suspend {name} pauses it")
    _refuse_ended(job)
    asked, done = int(at(job, "spec", "search", "trials") or 0), ended_trials(job)
    if text_at(condition(job, "SearchComplete"), "status") == "True" or 0 < asked <= done:
        return Edit(f"{name}: its search ends already, after {done} trials")
    if not done:
        raise NotSensibleError(
            f"{name}: no trial has ended yet, so there is nothing to go on with; trimtab suspend {name} "
            f"pauses it, kubectl delete optjob {name} drops it"
        )
    told = f"{name}: its search stops after {done} trials, and goes on with the best of them"
    return Edit(told, {"search": {"trials": done}})


def suspend(job: Document) -> Edit:
    """Give the cluster back and keep what was done."""
    name = name_of(job)
    _refuse_ended(job)
    if at(job, "spec", "suspend") is True:
        return Edit(f"{name}: is suspended already")
    return Edit(f"{name}: suspended; what is recorded is kept", {"suspend": True})


def resume(job: Document) -> Edit:
    """Go on from what is recorded."""
    name = name_of(job)
    if at(job, "spec", "suspend") is not True:
        return Edit(f"{name}: is not suspended")
    return Edit(f"{name}: resumed; it goes on from what is recorded", {"suspend": False})


def retry(job: Document) -> Edit:
    """Run a failed job again, from what it has; one that reached its budget as well."""
    name = name_of(job)
    if is_retried(job):
        return Edit(f"{name}: is asked to run again already (spec.retry is {retries(job)})")
    if text_at(condition(job, "Succeeded"), "status") not in ("True", "False"):
        phase = text_at(job, "status", "phase") or "Pending"
        raise NotSensibleError(f"{name}: has not failed, it is {phase}: there is nothing to run again")
    if standing_reason(job) == "Completed":
        raise NotSensibleError(
            f"{name}: has succeeded; submit it under another metadata.name to run it again"
        )
    number = max(retries(job), int(at(job, "status", "retry") or 0)) + 1
    when = f", once resumed: trimtab resume {name}" if at(job, "spec", "suspend") is True else ""
    return Edit(f"{name}: runs again from what it has{when} (spec.retry is {number})", {"retry": number})


def _refuse_ended(job: Document) -> None:
    if has_ended(job):
        phase = text_at(job, "status", "phase")
        raise NotSensibleError(f"{name_of(job)}: has ended ({phase}); nothing of it runs")
