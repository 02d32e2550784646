"""Admission: whether a job may run, under which profile, and what it comes to. Pure.

A job is admitted once, and again when it runs again. From then on its profile is the pinned one, whatever
becomes of the profile it was pinned from; what may be edited is taken from the job as it is, unless that
profile does not allow it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from trimtab_api.control import Control
from trimtab_api.errors import Problem
from trimtab_api.job import OptimizationJob
from trimtab_api.manifest import SpecError, parse_job, parse_profile
from trimtab_api.metadata import ObjectMeta
from trimtab_api.plan import Plan, Segment, resolve
from trimtab_api.profile import OptimizationProfile
from trimtab_api.status import JobStatus
from trimtab_operator.conditions import condition_of
from trimtab_operator.manifests import at, mapping_at, whole_at
from trimtab_operator.names import owner_of
from trimtab_operator.profiles import choose, plan_for
from trimtab_operator.reading import plan_digest, profile_digest, snapshot_of
from trimtab_operator.resources import build_plan_config_map
from trimtab_operator.world import Manifest, Observed

_METADATA = ("name", "namespace", "labels")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A job with a plan."""

    plan: Plan
    profile: OptimizationProfile
    digest: str
    """Of the profile, as it is pinned."""
    profile_json: str | None = None
    """The pinned profile's text, to be left as it is; None: not pinned yet, or to be written anew."""
    note: str = ""
    """What a person should know about the profile's choice."""
    refused_edit: str = ""
    """Why the plan does not follow the job's spec; empty when it does."""


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """A job without a plan, and why."""

    reason: Literal["ProfileNotFound", "Refused", "Invalid", "PlanLost"]
    message: str


def admit(seen: Observed, status: JobStatus) -> Admitted | NotAdmitted:
    """Return what a job comes to: anew when nothing is pinned in its status or counts, else by what is."""
    job = _parsed(seen.job)
    is_readable = not isinstance(job, SpecError)
    if status.profile_digest is not None and not (is_readable and _begins_anew(seen, status)):
        return _again(seen, status, job)
    if isinstance(job, SpecError):
        return NotAdmitted("Invalid", f"{_told(job.problems)}; the spec is of another version of Trimtab")
    return _anew(seen, job)


def _begins_anew(seen: Observed, status: JobStatus) -> bool:
    """Whether a job that is resumed takes its profile as it is now: it never ran, or spec.retry was raised.

    So a wrong image or pool can be mended: with the profile that was pinned, every attempt would wait for it.
    """
    if not status.runs or status.runs[-1].outcome != "Suspended" or at(seen.job, "spec", "suspend") is True:
        return False
    has_run = any(run.start_time or run.cost.seconds for run in status.runs)
    return not has_run or whole_at(seen.job, "spec", "retry") > status.runs[-1].retry


def _parsed(document: Manifest) -> OptimizationJob | SpecError:
    """Return a job as the plan is made of it: whether it is suspended or retried is no part of a plan."""
    metadata = mapping_at(document, "metadata")
    content = {key: metadata[key] for key in _METADATA if key in metadata}
    try:
        job = parse_job({**document, "metadata": content})
    except SpecError as error:
        return error
    return job.model_copy(update={"spec": job.spec.model_copy(update={"suspend": False, "retry": 0})})


def _anew(seen: Observed, job: OptimizationJob) -> Admitted | NotAdmitted:
    chosen = choose(job, seen.profiles, seen.namespace)
    if isinstance(chosen, Problem):
        return NotAdmitted("ProfileNotFound", str(chosen))
    try:
        plan = plan_for(job, chosen.profile, seen.namespace)
        build_plan_config_map(
            owner_of(seen.job), plan, chosen.profile.spec, Control()
        )  # refuses what is too large
    except SpecError as error:
        return NotAdmitted("Refused", _told(error.problems))
    return Admitted(plan, chosen.profile, profile_digest(chosen.profile), note=chosen.note)


def _again(seen: Observed, status: JobStatus, job: OptimizationJob | SpecError) -> Admitted | NotAdmitted:
    pinned = snapshot_of(seen.plan, status)
    profile = pinned.profile or _unchanged(seen.profiles, status)
    if profile is None:
        return _lost("the profile has changed since the job was admitted under it")
    digest = status.profile_digest or ""
    before = _before(pinned.plan, profile, status)
    edit = _edited(job, profile, before, status.segments)
    if isinstance(edit, Plan):
        return Admitted(edit, profile, digest, pinned.profile_json, note=_note_before(status))
    if before is None:
        return _lost(f"spec as it is now cannot be carried out: {edit}")
    return Admitted(before, profile, digest, pinned.profile_json, refused_edit=edit)


def _before(plan: Plan | None, profile: OptimizationProfile, status: JobStatus) -> Plan | None:
    """Return the plan as it was written last, unless somebody else has written it.

    One that the status does not know came of an edit whose operator ended, or was overtaken, before it wrote
    the status: then it is what such an edit comes to.
    """
    if plan is None or plan.digest == status.plan_digest:
        return plan
    store = profile.spec.store
    output = None if store and plan.spec.output == store.uri else plan.spec.output  # a job may not ask for it
    spec = plan.spec.model_copy(update={"output": output})
    job = OptimizationJob(metadata=ObjectMeta(name=plan.name, namespace=plan.namespace), spec=spec)
    return plan if _edited(job, profile, plan, status.segments) == plan else None


def _note_before(status: JobStatus) -> str:
    """Return what was said of the profile when it was chosen."""
    accepted = condition_of(status.conditions, "Accepted")
    return accepted.message if accepted and accepted.reason == "Admitted" else ""


def _edited(
    job: OptimizationJob | SpecError,
    profile: OptimizationProfile,
    before: Plan | None,
    segments: tuple[str, ...],
) -> Plan | str:
    """Return the plan of the job as it is now, or why it is not followed."""
    if isinstance(job, SpecError):
        return _told(job.problems)
    try:
        plan = resolve(job, profile)
    except SpecError as error:
        return _told(error.problems)
    if before is not None and plan.identity != before.identity:
        return "spec: a field has changed that cannot be edited; make a new job"
    return _in_segments(plan, segments)


def _in_segments(plan: Plan, names: tuple[str, ...]) -> Plan:
    """Return a plan in the segments that the ledger knows, with as many workers as it asks for now.

    Other workers for the search than for compression would part, or join, what is one segment already.
    """
    cut: list[Segment] = []
    for segment in plan.segments:
        for stage in segment.stages:
            if not cut or stage in (names or segment.name):
                cut.append(Segment(name=stage, stages=(stage,), groups=segment.groups))
            else:
                cut[-1] = cut[-1].model_copy(update={"stages": (*cut[-1].stages, stage)})
    draft = plan.model_copy(update={"segments": tuple(cut)})
    return draft.model_copy(update={"digest": plan_digest(draft)})


def _unchanged(profiles: Iterable[Manifest], status: JobStatus) -> OptimizationProfile | None:
    """Return the profile that was pinned, if there still is one like it."""
    for document in profiles:
        try:
            profile = parse_profile(document)
        except SpecError:
            continue
        if profile_digest(profile) == status.profile_digest:
            return profile
    return None


def _lost(why: str) -> NotAdmitted:
    told = "the ConfigMap with the plan was deleted or changed, and the plan cannot be made again as it was"
    return NotAdmitted("PlanLost", f"{told}: {why}; raise spec.retry to go on from what is recorded")


def _told(problems: Iterable[Problem]) -> str:
    return "; ".join(map(str, problems))
