"""Which profile a job runs under, and the plan that comes of both, or all reasons why there is none. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from trimtab_api.errors import Problem, SpecError
from trimtab_api.job import OptimizationJob
from trimtab_api.manifest import parse_profile
from trimtab_api.model import got
from trimtab_api.plan import Plan, resolve
from trimtab_api.policy import serves
from trimtab_api.profile import OptimizationProfile
from trimtab_api.support import refusals
from trimtab_operator.resources.fits import unfit
from trimtab_operator.world import Manifest

DEFAULT = "trimtab.io/is-default-profile"
"""Annotation of the profile of jobs that name none."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The profile of a job."""

    profile: OptimizationProfile
    note: str = ""
    """What a person should know about the choice."""


def choose(
    job: OptimizationJob, profiles: Sequence[Manifest], namespace: Manifest | None
) -> Chosen | Problem:
    """Return the profile that a job names, else the default one; a problem when there is none (yet).

    Of several profiles annotated as default, those that do not serve the job's namespace do not count, and
    the newest wins, as with storage classes.
    """
    if job.spec.profile is not None:
        return _named(job.spec.profile, profiles)
    annotated = [each for each in profiles if _is_default(each)]
    if not annotated:
        return Problem(
            "spec.profile", f"is required: no profile has the annotation {DEFAULT}{_known(profiles)}"
        )
    name = job.metadata.namespace or "default"
    newest_first = sorted(annotated, key=_age, reverse=True)
    read = [_read(each) for each in newest_first]
    serving = [each for each in read if isinstance(each, Problem) or serves(each, name, _labels(namespace))]
    if not serving:
        names = ", ".join(map(_name, newest_first))
        return Problem("spec.profile", f"is required: the default ({names}) does not serve namespace {name}")
    if isinstance(serving[0], Problem):
        return serving[0]
    return Chosen(serving[0], _note(serving[0].metadata.name, newest_first) if len(serving) > 1 else "")


def plan_for(job: OptimizationJob, profile: OptimizationProfile, namespace: Manifest | None) -> Plan:
    """Return the plan of a job on a cluster; SpecError says everything that stands in its way.

    That is what this version does not carry out, what the profile does not allow, and what does not fit.
    """
    refused = refusals(job, where="cluster")
    try:
        plan = resolve(job, profile, _labels(namespace))
    except SpecError as error:
        raise SpecError((*refused, *error.problems)) from None
    whole = refusals(job.model_copy(update={"spec": plan.spec}), where="cluster")
    filled = [
        Problem(each.field, f"set by profile {plan.profile}: {each.message}")
        for each in whole
        if each not in refused
    ]
    problems = (*refused, *filled, *unfit(plan, profile.spec))
    if problems:
        raise SpecError(problems)
    return plan


def _named(name: str, profiles: Sequence[Manifest]) -> Chosen | Problem:
    found = next((each for each in profiles if _name(each) == name), None)
    if found is None:
        return Problem("spec.profile", f"there is no such profile{got(name)}{_known(profiles)}")
    read = _read(found)
    return read if isinstance(read, Problem) else Chosen(read)


def _read(document: Manifest) -> OptimizationProfile | Problem:
    """Return a profile; a problem where it is of a newer language, or was stored before its rules."""
    return _parsed(json.dumps(document))


@lru_cache(maxsize=16)
def _parsed(text: str) -> OptimizationProfile | Problem:
    """Return the profile that a text is; kept, as thousands of jobs may ask for the same."""
    document = json.loads(text)
    try:
        return parse_profile(document)
    except SpecError as error:
        reasons = "; ".join(map(str, error.problems))
        return Problem("spec.profile", f"profile {_name(document)} cannot be used: {reasons}")


def _name(document: Manifest) -> str:
    return str(document["metadata"]["name"])


def _age(document: Manifest) -> tuple[str, str]:
    return str(document["metadata"].get("creationTimestamp") or ""), _name(document)


def _is_default(document: Manifest) -> bool:
    annotations = document["metadata"].get("annotations") or {}
    return bool(annotations.get(DEFAULT) == "true")


def _labels(namespace: Manifest | None) -> Mapping[str, str]:
    """Return the labels of a namespace; one that could not be read has none to go by."""
    return (namespace["metadata"].get("labels") or {}) if namespace else {}


def _known(profiles: Sequence[Manifest]) -> str:
    names = ", ".join(sorted(map(_name, profiles)))
    return f"; there are {names}" if names else "; there are none"


def _note(used: str, annotated: Sequence[Manifest]) -> str:
    names = ", ".join(sorted(map(_name, annotated)))
    return f"{len(annotated)} profiles are annotated as default ({names}): {used}, the newest, is used"
