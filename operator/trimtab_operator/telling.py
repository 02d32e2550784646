"""Events about a job: told when something has changed, never again for what is as it was. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from trimtab_api.status import JobStatus, RunRecord
from trimtab_operator.conditions import NOT_TAKEN, WORRYING, condition_of
from trimtab_operator.texts import cut
from trimtab_operator.world import Emit

_MESSAGE_BYTES = 900
_LOST = ("Infrastructure", "Deleted")


def events_of(before: JobStatus, after: JobStatus) -> tuple[Emit, ...]:
    """Return the events by which one status became another."""
    return tuple(
        replace(each, message=cut(each.message, _MESSAGE_BYTES))
        for each in (
            *_admission(before, after),
            *_runs(before, after),
            *_waits(before, after),
            *_end(before, after),
        )
    )


def _admission(before: JobStatus, after: JobStatus) -> Iterator[Emit]:
    if _changed(before, after, "Accepted"):
        accepted = condition_of(after.conditions, "Accepted")
        if accepted and accepted.reason in ("EditRefused", "ProfileNotFound"):
            yield Emit("Warning", accepted.reason, accepted.message)


def _runs(before: JobStatus, after: JobStatus) -> Iterator[Emit]:
    known = {run.name: run for run in before.runs}
    for run in after.runs:
        old = known.get(run.name)
        if old is None:
            yield Emit(
                "Normal", "Started", f"attempt {run.attempt}, segment {run.segment}: RayJob {run.name}"
            )
        if run.outcome in _LOST and (old is None or old.outcome == "Running"):
            yield Emit("Warning", "AttemptLost", _lost(run))


def _lost(run: RunRecord) -> str:
    return f"attempt {run.attempt}, segment {run.segment}: {run.message}"


def _waits(before: JobStatus, after: JobStatus) -> Iterator[Emit]:
    if _changed(before, after, "ClusterReady"):
        ready = condition_of(after.conditions, "ClusterReady")
        if ready and ready.reason in (*WORRYING, *NOT_TAKEN):
            yield Emit("Warning", ready.reason, ready.message)


def _end(before: JobStatus, after: JobStatus) -> Iterator[Emit]:
    if _changed(before, after, "Suspended"):
        suspended, was = (condition_of(each.conditions, "Suspended") for each in (after, before))
        if suspended and suspended.status == "True":
            yield Emit("Normal", "Suspended", suspended.message)
        elif was and was.status == "True":
            yield Emit("Normal", "Resumed", "goes on from what is recorded")
    if _changed(before, after, "Succeeded"):
        succeeded = condition_of(after.conditions, "Succeeded")
        if succeeded and succeeded.status != "Unknown":
            is_well = succeeded.status == "True"
            yield Emit("Normal" if is_well else "Warning", succeeded.reason, succeeded.message)


def _changed(before: JobStatus, after: JobStatus, kind: str) -> bool:
    """Whether a condition has another status or reason than before."""
    old, new = condition_of(before.conditions, kind), condition_of(after.conditions, kind)
    return new is not None and (old is None or (old.status, old.reason) != (new.status, new.reason))
