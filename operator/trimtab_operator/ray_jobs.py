"""The RayJobs of a job as KubeRay tells of them: which run each one is, and how far it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trimtab_api.plan import Plan
from trimtab_operator import names
from trimtab_operator.manifests import at, is_going, items_at, mapping_at, text_at, time_at, whole_at
from trimtab_operator.names import Owner
from trimtab_operator.texts import cut
from trimtab_operator.world import Manifest

_ENDED = ("Complete", "Failed", "ValidationFailed")
_READY = ("RUNNING", "SUCCEEDED", "FAILED", "STOPPED")
_MESSAGE_BYTES = 400


@dataclass(frozen=True, slots=True)
class SeenRayJob:
    """One RayJob as it was seen."""

    manifest: Manifest
    name: str
    segment: str
    """Name of the segment; of a stranger, whatever it claims."""
    attempt: int
    is_ours: bool
    """Whether its name is the one that this operator gives to this segment and attempt."""

    @property
    def deployment(self) -> str:
        """KubeRay's word for how far it is."""
        return text_at(self.manifest, "status", "jobDeploymentStatus")

    @property
    def has_ended(self) -> bool:
        """Whether KubeRay is done with it."""
        return is_over(self.manifest)

    @property
    def has_succeeded(self) -> bool:
        """Whether its driver ended as it should, once it has ended."""
        return text_at(self.manifest, "status", "jobStatus") == "SUCCEEDED"

    @property
    def is_invalid(self) -> bool:
        """Whether KubeRay refuses it as it is written."""
        return self.deployment == "ValidationFailed"

    @property
    def is_going(self) -> bool:
        """Whether it is being deleted."""
        return is_going(self.manifest)

    @property
    def is_queued(self) -> bool:
        """Whether it waits to be let in, or has been taken out again; both are Kueue's to say."""
        return at(self.manifest, "spec", "suspend") is True or self.deployment in ("Suspending", "Suspended")

    @property
    def is_ready(self) -> bool:
        """Whether all pods of its cluster run."""
        if self.is_queued:
            return False
        if self.deployment in ("Running", "Complete"):
            return True
        cluster = text_at(self.manifest, "status", "rayClusterStatus", "state")
        return cluster == "ready" or text_at(self.manifest, "status", "jobStatus") in _READY

    @property
    def message(self) -> str:
        """What KubeRay says of it; of the last lines of a log only the last one."""
        lines = text_at(self.manifest, "status", "message").strip().splitlines()
        said = [
            text_at(self.manifest, "status", "reason"),
            " … ".join(dict.fromkeys((*lines[:1], *lines[-1:]))),
        ]
        return cut(": ".join(each for each in said if each), _MESSAGE_BYTES)

    @property
    def ended(self) -> datetime | None:
        """When it ended, by KubeRay's clock."""
        return time_at(self.manifest, "status", "endTime")

    @property
    def started(self) -> datetime | None:
        """When KubeRay began with it."""
        return time_at(self.manifest, "status", "startTime") or time_at(
            self.manifest, "metadata", "creationTimestamp"
        )

    @property
    def ready(self) -> datetime | None:
        """Since when its cluster is, or was, ready, by KubeRay's clock."""
        return time_at(self.manifest, "status", "rayClusterStatus", "stateTransitionTimes", "ready")

    @property
    def replicas(self) -> Mapping[str, int]:
        """Pods of each worker group."""
        groups = items_at(self.manifest, "spec", "rayClusterSpec", "workerGroupSpecs")
        return {text_at(group, "groupName"): whole_at(group, "replicas") for group in groups}


def is_over(manifest: Manifest) -> bool:
    """Whether KubeRay is done with a RayJob; a job status alone may be a dashboard that is away."""
    return text_at(manifest, "status", "jobDeploymentStatus") in _ENDED


def ray_jobs_of(ray_jobs: tuple[Manifest, ...], owner: Owner, plan: Plan) -> tuple[SeenRayJob, ...]:
    """Return the RayJobs of a job, in the order of their attempts and segments."""
    seen = [_seen(manifest, owner, plan) for manifest in ray_jobs]
    order = {segment.name: index for index, segment in enumerate(plan.segments)}
    return tuple(sorted(seen, key=lambda each: (each.attempt, order.get(each.segment, -1), each.name)))


def _seen(manifest: Manifest, owner: Owner, plan: Plan) -> SeenRayJob:
    labels = mapping_at(manifest, "metadata", "labels")
    name = text_at(manifest, "metadata", "name")
    segment, attempt = text_at(labels, names.SEGMENT), whole_at(labels, names.ATTEMPT)
    index = next((number for number, each in enumerate(plan.segments) if each.name == segment), None)
    is_ours = (
        index is not None
        and attempt > 0
        and name == names.ray_job_name(owner.name, owner.uid, index, attempt)
    )
    return SeenRayJob(manifest, name, segment, attempt, is_ours)
