"""ConfigMap <job>-plan: what the driver reads, and the profile that later segments are built from."""

from typing import Any

from trimtab_api.control import CONTROL_KEY, PLAN_KEY, PROFILE_KEY, Control
from trimtab_api.errors import Problem, SpecError
from trimtab_api.metadata import ObjectMeta
from trimtab_api.plan import Plan
from trimtab_api.profile import OptimizationProfile, ProfileSpec
from trimtab_operator.names import Owner, job_labels, plan_name
from trimtab_operator.resources.metadata import child_metadata

_LARGEST = 1_048_576
"""Bytes that the API server takes as the data of one ConfigMap."""


def build_plan_config_map(owner: Owner, plan: Plan, profile: ProfileSpec, control: Control) -> dict[str, Any]:
    """Return the ConfigMap; SpecError when plan and profile are larger than one can be."""
    pinned = OptimizationProfile(metadata=ObjectMeta(name=plan.profile), spec=profile)
    content = {
        PLAN_KEY: plan.model_dump_json(by_alias=True, exclude_none=True),
        PROFILE_KEY: pinned.model_dump_json(by_alias=True, exclude_none=True),
        CONTROL_KEY: control.model_dump_json(by_alias=True),
    }
    size = sum(len(key.encode()) + len(text.encode()) for key, text in content.items())
    if size > _LARGEST:
        told = f"plan and profile take {size:,} bytes, and a ConfigMap holds {_LARGEST:,}"
        raise SpecError([Problem("spec", f"is too large: {told}; shorten args, choices or the profile")])
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(owner, plan_name(owner.name), job_labels(owner)),
        "data": content,
    }
