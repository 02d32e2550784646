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
from trimtab_api.rooms import pods_needed, pool_of, whole_cpus
from trimtab_operator.resources.defaults import Defaults

_RAY = 1
"""CPUs that Ray itself gets beside a measurement, so as not to disturb it."""


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


def _pods(group: WorkerGroup, pool: Pool | None, defaults: Defaults) -> Pods:
    replicas = pods_needed(group, pool)
    slots = math.ceil(group.workers / replicas)
    if pool is None:
        cpu = _text(group.cpu * slots + (_RAY if group.guaranteed else 0))
        memory = _times(group.memory or defaults.worker_memory, slots)
        return Pods(group, None, replicas, slots, cpu, memory, math.ceil(group.gpu))
    cpu = _text(whole_cpus(pool)) if group.guaranteed else pool.resources.cpu
    gpus = pool.resources.gpu if group.gpu else 0
    return Pods(group, pool, replicas, slots, cpu, pool.resources.memory, gpus)


def _text(cpus: float) -> str:
    """Return a number of CPUs as a quantity: whole, or in thousandths."""
    return str(round(cpus)) if cpus == round(cpus) else f"{math.ceil(cpus * 1000)}m"


def _times(memory: str, factor: int) -> str:
    return memory if factor == 1 else str(math.ceil(quantity_value(memory) * factor))
