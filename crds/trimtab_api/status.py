"""Status of a job: the Report's shapes, kept small, with what the operator observed."""

from typing import Annotated

from pydantic import Field

from trimtab_api.model import Model
from trimtab_api.report import Candidate, Name, Natural, Progress


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
    plan_digest: Name | None = None
    """Digest of the plan that is carried out."""
    result: Annotated[str, Field(max_length=2048)] | None = None
    """Where result.json lies."""
