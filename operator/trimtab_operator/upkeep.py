"""Which children are to be made, renewed and deleted. Pure."""

from collections.abc import Iterable, Iterator

from trimtab_api.control import PROFILE_KEY
from trimtab_operator import names
from trimtab_operator.manifests import is_going, mapping_at
from trimtab_operator.names import Owner
from trimtab_operator.resources import Start, build_plan_config_map, children
from trimtab_operator.resources.report_config_map import build_report_config_map
from trimtab_operator.world import Apply, Create, Delete, Manifest, Observed

_UNSEEN = (
    ("networking.k8s.io/v1", "NetworkPolicy", names.policy_name),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", names.driver_name),
    ("rbac.authorization.k8s.io/v1", "Role", names.driver_name),
    ("v1", "ServiceAccount", names.driver_name),
)
"""Children that nobody watches, in the order in which they go."""


def begun(start: Start, profile_json: str | None) -> tuple[Apply | Create, ...]:
    """Return the writes that begin a segment: every child it needs, its RayJob last."""
    plan, *others = children(start)
    return (_pinned(plan.manifest, profile_json), *others)


def renewed(seen: Observed, start: Start, profile_json: str | None) -> tuple[Apply, ...]:
    """Return the writes that bring back what was changed or deleted, and take live edits to the driver."""
    if seen.plan is None:  # whoever deleted it may have deleted those that nobody watches as well
        plan, *others = begun(start, profile_json)
        applied = [write for write in (*others, plan) if isinstance(write, Apply)]
        return tuple(applied)  # the plan last: where it is, all are
    report = () if seen.report else (Apply(build_report_config_map(start.owner)),)
    return (*pinned(seen, start, profile_json), *report)


def pinned(seen: Observed, start: Start, profile_json: str | None) -> tuple[Apply, ...]:
    """Return the write of the plan, unless it is there as it should be: all that a job needs at first."""
    wanted = build_plan_config_map(start.owner, start.plan, start.profile, start.control)
    plan = _pinned(wanted, profile_json)
    is_there = dict(mapping_at(seen.plan, "data")) == plan.manifest["data"]
    return () if is_there else (plan,)


def _pinned(plan: Manifest, profile_json: str | None) -> Apply:
    """Keep the pinned profile as another version of the operator may have written it: by its digest."""
    kept = {} if profile_json is None else {PROFILE_KEY: profile_json}
    return Apply({**plan, "data": {**plan["data"], **kept}})


def deleted(ray_jobs: Iterable[Manifest]) -> tuple[Delete, ...]:
    """Return the deletion of RayJobs that are not being deleted yet."""
    return tuple(Delete(each) for each in ray_jobs if not is_going(each))


def has_watched(seen: Observed) -> bool:
    """Whether any child is there of those that are watched."""
    return bool(seen.ray_jobs or seen.report or seen.plan)


def cleared(seen: Observed, owner: Owner) -> tuple[Delete, ...]:
    """Return the deletion of all that was made for a job, the plan last."""
    watched = [each for each in (seen.report, seen.plan) if each is not None]
    return (*deleted(seen.ray_jobs), *_unseen(owner), *deleted(_as_config_maps(watched)))


def _unseen(owner: Owner) -> Iterator[Delete]:
    for version, kind, name_of in _UNSEEN:
        metadata = {
            "name": name_of(owner.name),
            "namespace": owner.namespace,
            "ownerReferences": [names.owner_reference(owner)],
        }
        yield Delete({"apiVersion": version, "kind": kind, "metadata": metadata})


def _as_config_maps(found: Iterable[Manifest]) -> list[Manifest]:
    """Return ConfigMaps with their kind: items of a list come without it."""
    return [{"apiVersion": "v1", "kind": "ConfigMap", **each} for each in found]
