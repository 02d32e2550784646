"""How the workers of a segment are packed into pods of their pools. Pure.

A pool says how large a pod is, the plan says what one work takes of it: a pod takes as many whole works as
fit, a group as many pods as its workers need, and they are spread evenly. Without a pool a pod is made to
measure: for one work, or for as many as share a GPU.
"""

import math
from dataclasses import dataclass

from trimtab_api.fields import quantity_value
from trimtab_api.plan import Segment, WorkerGroup
from trimtab_api.profile import Pool, ProfileSpec
from trimtab_operator.resources.defaults import Defaults

_RAY = 1
"""CPUs that Ray itself gets beside a measurement, so as not to disturb it."""
_ROUNDING = 1e-9
"""Ten tenths are one, whatever binary fractions make of it."""


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of one worker group."""

    group: WorkerGroup
    pool: Pool | None
    replicas: int
    slots: int
    """Works that one pod takes at a time."""
    cpu: str
    memory: str
    gpus: int

    @property
    def gpu_resource(self) -> str:
        """Name under which the nodes offer GPUs."""
        return self.pool.gpu_resource if self.pool else "nvidia.com/gpu"


def pods_of(segment: Segment, profile: ProfileSpec, defaults: Defaults) -> tuple[Pods, ...]:
    """Return the pods of each worker group of a segment; all of them fit (see fits)."""
    return tuple(_pods(group, pool_of(group, profile), defaults) for group in segment.groups)


def pool_of(group: WorkerGroup, profile: ProfileSpec) -> Pool | None:
    """Return the pool a group runs on; None under a profile without pools, where that is any node."""
    return next((pool for pool in profile.pools if pool.name == group.pool), None)


def _pods(group: WorkerGroup, pool: Pool | None, defaults: Defaults) -> Pods:
    most = _slots(group, pool)
    replicas = math.ceil(group.workers / most)
    slots = math.ceil(group.workers / replicas)
    if pool is None:
        cpu = _text(group.cpu * slots + (_RAY if group.guaranteed else 0))
        memory = _times(group.memory or defaults.worker_memory, slots)
        return Pods(group, None, replicas, slots, cpu, memory, math.ceil(group.gpu))
    cpu = _text(whole_cpus(pool)) if group.guaranteed else pool.resources.cpu
    gpus = pool.resources.gpu if group.gpu else 0
    return Pods(group, pool, replicas, slots, cpu, pool.resources.memory, gpus)


def _slots(group: WorkerGroup, pool: Pool | None) -> int:
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


def _text(cpus: float) -> str:
    """Return a number of CPUs as a quantity: whole, or in thousandths."""
    return str(round(cpus)) if cpus == round(cpus) else f"{math.ceil(cpus * 1000)}m"


def _times(memory: str, factor: int) -> str:
    return memory if factor == 1 else str(math.ceil(quantity_value(memory) * factor))
