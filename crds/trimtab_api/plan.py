"""Plan: what the driver carries out, with every default filled. Pure: job + profile -> Plan."""

import json
from collections.abc import Mapping

from pydantic import ValidationError

from trimtab_api.defaults import filled
from trimtab_api.digests import digest_of, identity_of
from trimtab_api.errors import SpecError
from trimtab_api.job import JobSpec, OptimizationJob
from trimtab_api.model import Model
from trimtab_api.policy import breaches
from trimtab_api.profile import OptimizationProfile
from trimtab_api.segments import Segment, WorkerGroup, segments_of
from trimtab_api.translate import problems_of
from trimtab_api.versions import SCHEMA_VERSION, SchemaVersion

__all__ = ["Plan", "Segment", "WorkerGroup", "resolve"]


class Plan(Model):
    """A job resolved against a profile; nothing in it is left to default."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of this shape."""
    name: str
    """Name of the job."""
    namespace: str
    """Namespace of the job."""
    profile: str
    """Name of the profile."""
    spec: JobSpec
    """The job's spec with every default filled."""
    segments: tuple[Segment, ...]
    """Runs of stages, each on one shape of cluster."""
    digest: str
    """SHA-256 of everything else in canonical JSON."""
    identity: str
    """The same of what makes the job this one: without what may be edited or what only a cluster uses."""


def resolve(
    job: OptimizationJob, profile: OptimizationProfile, namespace_labels: Mapping[str, str] | None = None
) -> Plan:
    """Return the plan of a job under a profile; SpecError says all that the profile does not allow.

    Defaults of the profile < the job < what the profile locks. The digest is in the job's status: a later
    edit of the profile does not change a running job.
    """
    if problems := tuple(breaches(job, profile, namespace_labels)):
        raise SpecError(problems)
    spec = _validated(job, profile).spec
    name, namespace = job.metadata.name, job.metadata.namespace or "default"
    draft = Plan(
        name=name,
        namespace=namespace,
        profile=profile.metadata.name,
        spec=spec,
        segments=segments_of(spec),
        digest="",
        identity=identity_of(name, namespace, spec),
    )
    digest = digest_of(draft.model_dump(mode="json", by_alias=True, exclude={"digest", "identity"}))
    return draft.model_copy(update={"digest": digest})


def _validated(job: OptimizationJob, profile: OptimizationProfile) -> OptimizationJob:
    """Return the job with every default filled; what comes together from both must be valid as well."""
    whole = job.model_dump(mode="json", by_alias=True, exclude_none=True) | {"spec": filled(job, profile)}
    try:
        return OptimizationJob.model_validate_json(json.dumps(whole), strict=True)
    except ValidationError as error:
        raise SpecError(problems_of(error, OptimizationJob)) from None
