"""Segments: which stages share a cluster, so that GPUs are given back when no stage needs them. Pure."""

from itertools import groupby
from operator import itemgetter

from trimtab_api.compress import Target
from trimtab_api.job import JobSpec
from trimtab_api.model import Model
from trimtab_api.running import CompressResources, PerTrial, SearchResources

WORKERS = "workers"
"""Name of the group that searches, exports and compresses."""


class WorkerGroup(Model):
    """Workers of one kind in a segment's cluster."""

    name: str
    """workers, or the target that the group stands for."""
    pool: str | None = None
    """Node pool of the profile; omitted: any node."""
    workers: int = 1
    """Workers of the group."""
    cpu: float = 1.0
    """CPUs of one work."""
    gpu: float = 0.0
    """GPUs of one work."""
    memory: str | None = None
    """Memory of one work; omitted: the pool's share."""
    guaranteed: bool = False
    """Whether figures are taken on it: whole CPUs, Guaranteed quality of service."""


class Segment(Model):
    """A run of stages on one shape of cluster."""

    name: str
    """search, export, compress or measure: its first stage."""
    stages: tuple[str, ...]
    """What is done, in order."""
    groups: tuple[WorkerGroup, ...]
    """The cluster's workers."""


def segments_of(spec: JobSpec) -> tuple[Segment, ...]:
    """Return the segments of a spec with every default filled; neighbours of the same shape are one."""
    search, compress = _search_group(spec), _compress_group(spec)
    measure = tuple(_target_group(target) for target in spec.targets) or (compress,)
    steps: list[tuple[str, tuple[WorkerGroup, ...]]] = []
    if not (spec.model and spec.model.is_onnx):
        steps += [("search", (search, *_objective_groups(spec))), ("export", (compress,))]
    if spec.compress:
        steps.append(("compress", (compress,)))
    steps += [("measure", measure), ("guard", measure), ("publish", measure)]
    runs = [(groups, [name for name, _ in run]) for groups, run in groupby(steps, itemgetter(1))]
    return tuple(Segment(name=stages[0], stages=tuple(stages), groups=groups) for groups, stages in runs)


def _search_group(spec: JobSpec) -> WorkerGroup:
    found = (spec.resources and spec.resources.search) or SearchResources()
    trial = found.per_trial or PerTrial()
    return WorkerGroup(
        name=WORKERS,
        pool=found.pool,
        workers=found.workers or 1,
        cpu=trial.cpu or 1.0,
        gpu=trial.gpu or 0.0,
        memory=trial.memory,
    )


def _compress_group(spec: JobSpec) -> WorkerGroup:
    """Return the workers of compression: on the search's pool they take what a trial takes."""
    search = _search_group(spec)
    found = (spec.resources and spec.resources.compress) or CompressResources()
    same_pool = search if found.pool == search.pool else WorkerGroup(name=WORKERS, pool=found.pool)
    return same_pool.model_copy(update={"workers": found.workers or 1})


def _target_group(target: Target) -> WorkerGroup:
    return WorkerGroup(name=target.name, pool=target.pool, cpu=target.threads, guaranteed=True)


def _objective_groups(spec: JobSpec) -> tuple[WorkerGroup, ...]:
    """Return the workers on which the search measures objectives that name a target."""
    named = {objective.target for objective in spec.objectives}
    return tuple(_target_group(target) for target in spec.targets if target.name in named)
