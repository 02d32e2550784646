"""Status of a job: the Report's shapes, kept small, with what the operator observed."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from trimtab_api.model import Model
from trimtab_api.report import Candidate, Cost, Message, Name, Natural, Progress

RunOutcome = Literal["Running", "Succeeded", "Failed", "Infrastructure", "Suspended", "Deleted"]


class Summary(Model):
    """The figures of the list that kubectl get prints."""

    trials: Name = ""
    """Trials ended of all, such as 12/40."""
    best: Name = ""
    """Best value of the first objective, such as accuracy 0.98."""
    size: Name = ""
    """Size of the final model, such as 0.61 MB."""
    speedup: Name = ""
    """Speedup against the baseline, such as 4.1x."""


class RunRecord(Model):
    """A RayJob that was started: one segment of the plan, carried out once."""

    name: Name
    """Name of the RayJob."""
    segment: Name
    """Segment of the plan."""
    attempt: Natural
    """Which start of the job it belongs to, from 1."""
    retry: Natural = 0
    """spec.retry when it was started."""
    outcome: RunOutcome = "Running"
    """Running, or how it ended; Infrastructure and Deleted are tried again."""
    start_time: datetime | None = None
    """Since when its cluster is, or was, ready."""
    end_time: datetime | None = None
    """When it had ended."""
    message: Message = ""
    """Why it ended so."""
    cost: Cost = Cost()
    """What it took; of a running one, before its cluster was last interrupted."""
    head: Name | None = None
    """Its head when the cluster got ready, by uid and restarts; of a running one only."""
    hourly: Cost | None = None
    """What its cluster takes in an hour; of a running one only, to be known when its RayJob is gone."""


class JobStatus(Progress):
    """What the operator last saw of a job; written by the operator alone."""

    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """Generation of spec that this status is about."""
    summary: Summary = Summary()
    """The figures of the list that kubectl get prints."""
    candidates: Annotated[tuple[Candidate, ...], Field(max_length=20)] = ()
    """Models made and measured; all of them are in the store's result.json."""
    ray_job: Name | None = None
    """RayJob that runs now."""
    attempt: Natural = 0
    """How many times the job was started."""
    retry: Natural = 0
    """spec.retry of the last run; a job that has not completed runs again when it is raised above this."""
    runs: Annotated[tuple[RunRecord, ...], Field(max_length=32)] = ()
    """RayJobs started, in order; cost is their sum."""
    plan_digest: Name | None = None
    """Digest of the plan that is carried out."""
    plan_identity: Name | None = None
    """Identity of the plan: an edit that is followed leaves it as it is."""
    segments: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    """Segments of the plan, in order; an edit that is followed leaves them as they are."""
    profile_digest: Name | None = None
    """Digest of the profile as it was when the job was admitted."""
    result: Annotated[str, Field(max_length=2048)] | None = None
    """Where result.json lies."""
    cleared: bool | None = None
    """Whether what was made for the job was deleted after its end."""
