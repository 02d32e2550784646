"""What others wrote and what was written before, read with care: status, report, snapshot of the plan. Pure.

Whatever is unknown is left out, as the API server does; what is then not valid is not believed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from trimtab_api.control import PLAN_KEY, PROFILE_KEY, REPORT_KEY
from trimtab_api.digests import digest_of, identity_of
from trimtab_api.manifest import parse_profile
from trimtab_api.metadata import ObjectMeta
from trimtab_api.plan import Plan
from trimtab_api.profile import OptimizationProfile
from trimtab_api.report import Report
from trimtab_api.status import JobStatus
from trimtab_operator.manifests import mapping_at, text_at, whole_at
from trimtab_operator.texts import plain
from trimtab_operator.world import Manifest

LARGEST_REPORT = 64 * 1024
"""Bytes of a report's ConfigMap; a larger one is not read."""
LARGEST_NUMBER = 2**53
"""A whole number beyond this is not the same to every reader of JSON."""
OVERSIZED = "trimtab.io/oversized"
"""Annotation in memory of a report that is not kept as it is too large."""
_SEALS = {"digest", "identity"}
"""Fields of a plan that its digest is not about."""
M = TypeVar("M", bound=BaseModel)


def status_of(job: Manifest) -> JobStatus:
    """Return the status that a job has; fields that cannot be read are as if they had not been written."""
    return _salvaged(JobStatus, mapping_at(job, "status"))


def _salvaged(model: type[M], content: Manifest) -> M:
    try:
        return _known(model, content)
    except ValidationError:
        return _known(model, {key: value for key, value in content.items() if _holds(model, key, value)})


def _holds(model: type[BaseModel], key: str, value: Any) -> bool:
    try:
        _known(model, {key: value})
    except ValidationError:
        return False
    return True


def _known(model: type[M], content: Any) -> M:
    """Return a model of a content as it is spelled in JSON, without the fields that it does not know."""
    return model.model_validate(content, extra="ignore", by_alias=True, by_name=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the driver says, as far as it is to be believed."""

    report: Report | None = None
    problem: str = ""
    """Why something that is there was not believed, for people; empty where that is nothing unusual."""


def heard_of(config_map: Manifest | None, attempt: int, segment: str) -> Heard:
    """Return the report of this attempt and segment.

    What an earlier attempt or segment left is passed over in silence; anything else that is not a report of
    this one is a problem.
    """
    data = mapping_at(config_map, "data")
    text = text_at(data, REPORT_KEY)
    is_known_oversized = text_at(config_map, "metadata", "annotations", OVERSIZED) == "true"
    if not text and not is_known_oversized:
        return Heard()
    if is_known_oversized or is_oversized(data):
        return Heard(problem=f"the report is larger than {LARGEST_REPORT // 1024} KiB and was not read")
    claimed = whole_at(data, "attempt")
    if claimed != attempt or text_at(data, "segment") != segment:
        if 0 < claimed <= attempt:
            return Heard()
        return Heard(
            problem=f"the report is of attempt {plain(text_at(data, 'attempt'))[:20]!r}, not {attempt}"
        )
    return _parsed(text)


def is_oversized(data: Mapping[str, Any]) -> bool:
    """Whether a ConfigMap's data are too much for a report."""
    return sum(len(f"{key}{value}".encode(errors="replace")) for key, value in data.items()) > LARGEST_REPORT


def _parsed(text: str) -> Heard:
    try:
        content = json.loads(text)
        report = _known(Report, content)
        return Heard(Report.model_validate(_clean(report.model_dump(by_alias=True))))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = plain(".".join(map(str, first["loc"])))[:100]
        return Heard(problem=f"the report cannot be read: {place or 'it'}: {first['msg']}")
    except (ValueError, RecursionError) as error:
        return Heard(problem=f"the report cannot be read: {plain(str(error))[:100]}")


def _clean(value: Any) -> Any:
    """Return a report's content as a status can hold it; ValueError for a number that it cannot."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise ValueError("a number in it is too large")
    return value


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was pinned when the job was admitted, as far as nobody has changed it since."""

    profile: OptimizationProfile | None = None
    profile_json: str | None = None
    """Its text as it stands in the ConfigMap."""
    plan: Plan | None = None
    """A plan of this job; not that of the status if whoever wrote it had no time to say so there."""


def snapshot_of(config_map: Manifest | None, status: JobStatus) -> Snapshot:
    """Return the profile in a job's ConfigMap that its status knows by its digest, and the plan beside it."""
    data = mapping_at(config_map, "data")
    text = text_at(data, PROFILE_KEY)
    profile = _profile(text, status.profile_digest)
    return Snapshot(profile, text if profile else None, _plan(text_at(data, PLAN_KEY), status.plan_identity))


def pinned_json_of(config_map: Manifest | None) -> Any:
    """Return the content of the pinned profile, unverified: for what is no matter of trust."""
    try:
        return json.loads(text_at(config_map, "data", PROFILE_KEY))
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=16)
def _profile(text: str, digest: str | None) -> OptimizationProfile | None:
    """Return the profile that has a digest; kept, as thousands of jobs have the same."""
    try:
        content = json.loads(text)
        if digest_of(content) != digest:
            return None
        return parse_profile(content)
    except (ValueError, AttributeError, RecursionError):  # SpecError is a ValueError
        return None


def _plan(text: str, identity: str | None) -> Plan | None:
    """Return a plan that is what its digest, by its text of whatever version, and its identity say."""
    try:
        content = json.loads(text)
        plan = _known(Plan, content)
        is_whole = plan.digest == digest_of({key: content[key] for key in content if key not in _SEALS})
    except (ValueError, TypeError, RecursionError):  # ValidationError is a ValueError
        return None
    is_same = identity == plan.identity == identity_of(plan.name, plan.namespace, plan.spec)
    return plan if is_whole and is_same else None


def plan_digest(plan: Plan) -> str:
    """Return the digest that a plan has by its content."""
    return digest_of(plan.model_dump(mode="json", by_alias=True, exclude=_SEALS))


def profile_digest(profile: OptimizationProfile) -> str:
    """Return the digest of a profile as it is pinned: by its name and spec, whatever else metadata say."""
    pinned = OptimizationProfile(metadata=ObjectMeta(name=profile.metadata.name), spec=profile.spec)
    return digest_of(json.loads(pinned.model_dump_json(by_alias=True, exclude_none=True)))
