"""On which nodes pods run, and how long they stay on one that is lost."""

from collections.abc import Sequence

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


def outage_tolerations(seconds: int, others: Sequence[Json]) -> list[Json]:
    """Return how long a pod stays on a node that does not answer, where nothing else says so.

    Kubernetes' own five minutes are for pods that lose what they have with their node; what these have is in
    the store.
    """
    said = {each.get("key") for each in others}
    taints = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    return [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
        for key in taints
        if key not in said
    ]


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
