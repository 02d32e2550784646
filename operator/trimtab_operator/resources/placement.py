"""On which nodes pods run."""

from trimtab_api.profile import Pool, ProfileSpec
from trimtab_operator.resources.parts import Json


def pool_placement(pool: Pool | None) -> Json:
    """Return the part of a pod's spec that brings it onto a pool's nodes; nothing without a pool."""
    if pool is None:
        return {}
    tolerations = [
        each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in pool.tolerations
    ]
    return {
        **({"nodeSelector": dict(pool.node_selector)} if pool.node_selector else {}),
        **({"tolerations": tolerations} if tolerations else {}),
    }


def head_affinity(profile: ProfileSpec) -> Json:
    """Return the part of the spec of head and submitter that keeps them off nodes that may be taken away.

    A lost worker costs the works it had; a lost head or submitter the whole attempt.
    """
    terms = [
        {
            "weight": 100,
            "preference": {"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]},
        }
        for pool in profile.pools
        if pool.spot
        for key, value in pool.node_selector.items()
    ]
    if not terms:
        return {}
    return {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}}
