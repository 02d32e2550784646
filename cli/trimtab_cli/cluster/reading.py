"""A job as the API server gives it, read for people: its report, its plan, where its store is. Pure."""

import copy
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from trimtab_api.control import PLAN_KEY
from trimtab_api.errors import SpecError
from trimtab_api.manifest import parse_job
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Progress, Report
from trimtab_cli.cluster.errors import ClusterError
from trimtab_operator.conditions import HEALING
from trimtab_operator.manifests import at, items_at, mapping_at, text_at, time_at
from trimtab_operator.names import owner_of
from trimtab_operator.resources.store import store_uri

Document = dict[str, Any]
RESULT = "/result.json"
_SHARED = frozenset(field.alias or name for name, field in Progress.model_fields.items())


def name_of(job: Document) -> str:
    """The job's name."""
    return text_at(job, "metadata", "name")


def report_of(job: Document) -> Report:
    """What the status of a job says, as the report of a run; what a newer operator adds is left out."""
    status = {key: value for key, value in mapping_at(job, "status").items() if key in _SHARED}
    more = {
        "name": name_of(job),
        "planDigest": at(job, "status", "planDigest"),
        "seed": at(job, "spec", "search", "seed"),
        "objectives": at(job, "spec", "objectives") or (),
    }
    content = copy.deepcopy({key: value for key, value in {**status, **more}.items() if value is not None})
    while True:
        try:
            return Report.model_validate_json(json.dumps(content))
        except ValidationError as error:
            unknown = [each["loc"] for each in error.errors() if each["type"] == "extra_forbidden"]
            if not unknown:
                raise ClusterError(
                    f"{name_of(job)}: its status cannot be read: {error.errors()[0]['msg']}; "
                    "install the version of trimtab that the cluster has"
                ) from None
            for path in unknown:
                _remove(content, path)


def _remove(content: Any, path: tuple[int | str, ...]) -> None:
    *above, last = path
    for step in above:
        content = content[step]
    del content[last]


def plan_of(job: Document) -> Plan:
    """The plan of a job as far as its manifest tells it, for what shows its steps."""
    content = {key: job[key] for key in ("apiVersion", "kind", "spec")}
    metadata = {"name": name_of(job), "namespace": text_at(job, "metadata", "namespace")}
    try:
        plan = resolve(parse_job({**content, "metadata": metadata}), LOCAL_PROFILE)
    except SpecError as error:
        raise ClusterError(
            f"{name_of(job)}: its spec is of another version of Trimtab: {error.problems[0]}"
        ) from None
    return plan.model_copy(update={"digest": text_at(job, "status", "planDigest")})


def store_of(job: Document, plan: Mapping[str, Any] | None) -> str:
    """The URI of a job's store as its pods open it; empty while it is not known.

    `plan` is the ConfigMap with the plan, which tells it before the job has ended.
    """
    result = text_at(job, "status", "result")
    if result:
        return result.removesuffix(RESULT)
    content = text_at(plan, "data", PLAN_KEY)
    try:
        return store_uri(Plan.model_validate_json(content), owner_of(job)) if content else ""
    except ValidationError:  # of another version: then the result tells it, at the end
        return ""


def standing_reason(job: Document) -> str:
    """The reason of the job's standing; empty while no operator has looked at it."""
    return text_at(condition(job, "Succeeded"), "reason")


def condition(job: Document, kind: str) -> Mapping[str, Any]:
    """A condition of the job; an empty one where it has none."""
    found = (each for each in items_at(job, "status", "conditions") if each.get("type") == kind)
    return next(found, {})


def has_ended(job: Document) -> bool:
    """Whether the job has succeeded or failed, and is not asked to run again or to be looked at anew."""
    is_judged = text_at(condition(job, "Succeeded"), "status") in ("True", "False")
    is_final = standing_reason(job) not in HEALING or is_seen(job)
    return is_judged and is_final and not is_retried(job)


def is_seen(job: Document) -> bool:
    """Whether the status is about the spec as it is now."""
    return bool(at(job, "status", "observedGeneration") == at(job, "metadata", "generation"))


def is_retried(job: Document) -> bool:
    """Whether spec.retry was raised since the last run, so that a failed job begins again."""
    return retries(job) > int(at(job, "status", "retry") or 0) and standing_reason(job) != "Completed"


def retries(job: Document) -> int:
    """spec.retry."""
    return int(at(job, "spec", "retry") or 0)


def ended_trials(job: Document) -> int:
    """Trials that will not run any more."""
    counts = mapping_at(job, "status", "trials")
    return sum(int(counts.get(name) or 0) for name in ("completed", "pruned", "failed"))


def age_seconds(job: Document, now: datetime) -> float:
    """Time since the job was made."""
    made = time_at(job, "metadata", "creationTimestamp")
    return 0.0 if made is None else max(0.0, (now - made).total_seconds())
