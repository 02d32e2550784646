"""How many works of a group one pod of its pool takes, and how many pods the group needs. Pure."""

import math

from trimtab_api.fields import quantity_value
from trimtab_api.profile import Pool, ProfileSpec
from trimtab_api.segments import WorkerGroup

_ROUNDING = 1e-9
"""Ten tenths are one, whatever binary fractions make of it."""


def pool_of(group: WorkerGroup, profile: ProfileSpec) -> Pool | None:
    """Return the pool a group runs on; None under a profile without pools, where that is any node."""
    return next((pool for pool in profile.pools if pool.name == group.pool), None)


def pods_needed(group: WorkerGroup, pool: Pool | None) -> int:
    """Return how many pods the workers of a group take."""
    return math.ceil(group.workers / slots_of(group, pool))


def slots_of(group: WorkerGroup, pool: Pool | None) -> int:
    """Return how many works of a group one pod takes."""
    if pool is None:
        return math.floor(1 / group.gpu + _ROUNDING) if 0 < group.gpu < 1 else 1
    return max(1, min(rooms(group, pool).values()))  # at admission every work fitted


def rooms(group: WorkerGroup, pool: Pool) -> dict[str, int]:
    """Return how many works of a group one pod of the pool has room for, by what they take."""
    has = pool.resources
    cpus = whole_cpus(pool) if group.guaranteed else quantity_value(has.cpu)
    found = {"cpu": math.floor(cpus / group.cpu + _ROUNDING)}
    if group.memory:
        found["memory"] = math.floor(quantity_value(has.memory) / quantity_value(group.memory) + _ROUNDING)
    if group.gpu:  # Ray gives a work parts of one GPU, or whole ones
        per_gpu = math.floor(1 / group.gpu + _ROUNDING)
        found["gpu"] = has.gpu * per_gpu if group.gpu < 1 else math.floor(has.gpu / group.gpu)
    return found


def whole_cpus(pool: Pool) -> int:
    """Return the CPUs of a pool's pod that a node can set apart for it."""
    return math.floor(quantity_value(pool.resources.cpu))
