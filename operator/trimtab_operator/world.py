"""What the operator sees and what it does, as plain values: the words that its parts speak to each other.

- Observed   what one tick read: the job, its children, the profiles, the time
- Decision   what one tick does: actions on the children, then the job's whole status, last
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Manifest = Mapping[str, Any]
"""An object as the API server gives or takes it."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One OptimizationJob, by namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Observed:
    """The world around one job at one moment."""

    now: datetime
    """The time, in UTC."""
    job: Manifest
    """The OptimizationJob: metadata, spec, and status as it was written last."""
    profiles: tuple[Manifest, ...] = ()
    """Every OptimizationProfile."""
    namespace: Manifest | None = None
    """The job's namespace; None when it was not read."""
    plan: Manifest | None = None
    """ConfigMap <job>-plan; None when there is none."""
    report: Manifest | None = None
    """ConfigMap <job>-report; None when there is none."""
    ray_jobs: tuple[Manifest, ...] = ()
    """RayJobs that this job owns, of every segment and attempt."""
    pods: tuple[Manifest, ...] = ()
    """Pods of its Ray clusters."""
    events: tuple[Manifest, ...] = ()
    """Warnings about its RayJobs and RayClusters, such as an exceeded quota; empty while all is well."""
    has_kuberay: bool = True
    """Whether the API server knows RayJobs."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Make a child be so by server-side apply."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Create:
    """Create a child; one of that name that is there already counts as done."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete this very child and, in the background, what it owns; an absent one counts as done."""

    manifest: Manifest
    """The child as it was seen: its kind, namespace, name and uid; one of a kind that is not watched has no
    uid, and is deleted only if its owner is the one in `ownerReferences`."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell an event about the job."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


Action = Apply | Create | Delete | Emit


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a job now."""

    status: Manifest
    """The complete status to be; written once, in most cases after the actions, and only where it differs."""
    actions: tuple[Action, ...] = ()
    requeue_after_seconds: float | None = None
    """When to look again even if nothing happens."""
    look_first: bool = False
    """Whether the world must be read anew before this is done, as it is before a Create or Delete: it rests
    on something that is not there, or settles for good how a run ended."""
    status_first: bool = False
    """Whether the status is written before the actions are done: it says what becomes of a run, and once its
    RayJob is deleted that can no longer be seen."""
