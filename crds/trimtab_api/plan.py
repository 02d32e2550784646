"""Plan: what the driver carries out, with every default filled. Pure: job + profile -> Plan."""

from typing import Literal

from trimtab_api.job import JobSpec, OptimizationJob
from trimtab_api.model import Model
from trimtab_api.profile import OptimizationProfile


class WorkerGroup(Model):
    """Workers of one kind in a segment's cluster."""

    name: str
    """search, compress, or the target it stands for."""
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
    """search, compress or measure: the first of its stages' names."""
    stages: tuple[str, ...]
    """What is done, in order."""
    groups: tuple[WorkerGroup, ...]
    """The cluster's workers."""


class Plan(Model):
    """A job resolved against a profile; nothing in it is left to default."""

    schema_version: Literal[1] = 1
    """Version of this shape."""
    name: str
    """Name of the job."""
    namespace: str
    """Namespace of the job."""
    profile: str
    """Name of the profile."""
    spec: JobSpec
    """The job's spec with every default filled."""
    segments: tuple[Segment, ...] = ()
    """Runs of stages, each on one shape of cluster."""
    digest: str
    """SHA-256 of everything else in canonical JSON."""
    identity: str
    """The same without what may be edited, and without what only a cluster uses."""


def resolve(job: OptimizationJob, profile: OptimizationProfile) -> Plan:
    """Return the plan of a job under a profile."""
    return Plan(
        name=job.metadata.name,
        namespace=job.metadata.namespace or "default",
        profile=profile.metadata.name,
        spec=job.spec,
        digest="",
        identity="",
    )
