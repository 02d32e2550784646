"""How a job is run: resources, budgets, queue, continuous evaluation."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab_api.fields import Count, Cron, Duration, Label, Quantity, Subdomain
from trimtab_api.model import Model
from trimtab_api.task import DataSource

Positive = Annotated[float, Field(gt=0)]
ReadyPolicy = Literal["Completed", "Accepted"]


class PerTrial(Model):
    """What one trial takes of its worker."""

    cpu: Annotated[float, Field(gt=0, le=1_024)] | None = None
    """CPUs; omitted: 1."""
    gpu: Annotated[float, Field(ge=0, le=64)] | None = None
    """GPUs, parts included; omitted: 0."""
    memory: Quantity | None = None
    """Memory of its worker, such as 4Gi: a trial that takes more fails; omitted: the pool's share."""


class SearchResources(Model):
    """Workers of the search."""

    pool: Label | None = None
    """Node pool of the profile; omitted: its first."""
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    """Workers; omitted: as many as search.parallelism needs."""
    per_trial: PerTrial | None = None
    """What one trial takes of its worker."""


class CompressResources(Model):
    """Workers of export and compression."""

    pool: Label | None = None
    """Node pool of the profile; omitted: the search's."""
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    """Workers; omitted: 1."""


class Resources(Model):
    """Node pools and workers by step; the search's GPUs are given back before compression."""

    search: SearchResources | None = None
    """Workers of the search."""
    compress: CompressResources | None = None
    """Workers of export and compression."""


class BudgetSpec(Model):
    """What the job may spend; at a limit it goes on with the best it has."""

    duration: Duration | None = None
    """Time in all attempts, such as 8h."""
    gpu_hours: Positive | None = None
    """GPU hours in all attempts."""
    cost: Positive | None = None
    """Cost, in the currency of the profile's prices."""
    energy_kwh: Annotated[Positive | None, Field(alias="energyKWh")] = None
    """Energy in kWh."""
    failed_trials: Count | None = None
    """Trials that may fail because of their parameters."""


class EvaluationSpec(Model):
    """Continuous evaluation of the published model on fresh data."""

    schedule: Cron
    """When, as a cron schedule in UTC."""
    data: Annotated[tuple[DataSource, ...], Field(min_length=1, max_length=16)]
    """Data to evaluate on."""
    max_drop: Annotated[float, Field(ge=0)]
    """Largest loss of the first objective before QualityHeld turns False."""


class QueueSpec(Model):
    """Admission by Kueue."""

    name: Subdomain
    """LocalQueue of the job's namespace."""
    priority: Subdomain | None = None
    """WorkloadPriorityClass; omitted: the queue's default."""
