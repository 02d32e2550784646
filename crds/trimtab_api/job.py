"""OptimizationJob: the one manifest that a person who wants a model writes."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from trimtab_api.compress import (
    Calibration,
    CandidateBudget,
    CompressSpec,
    Distill,
    ExportSpec,
    GuardrailLimit,
    MagnitudePruning,
    Prune,
    Slice,
    StructuredPruning,
    Target,
)
from trimtab_api.fields import Label, Subdomain, Uri
from trimtab_api.model import Model
from trimtab_api.running import (
    BudgetSpec,
    CompressResources,
    EvaluationSpec,
    PerTrial,
    QueueSpec,
    ReadyPolicy,
    Resources,
    SearchResources,
)
from trimtab_api.search import (
    Architecture,
    Asha,
    Evolution,
    FloatRange,
    Gradient,
    IntRange,
    Median,
    NoOptions,
    Objective,
    OneShot,
    Parameter,
    Pbt,
    Plateau,
    Postgres,
    Pruner,
    Reinforcement,
    Sampler,
    SearchSpec,
    Stop,
    Storage,
    WarmStart,
    When,
)
from trimtab_api.task import (
    ArchiveSource,
    CodeSource,
    DataSource,
    Head,
    ModelSpec,
    PretrainedModel,
    PvcSource,
    TaskSpec,
    Unfreeze,
)

__all__ = [
    "API_VERSION",
    "Architecture",
    "ArchiveSource",
    "Asha",
    "BudgetSpec",
    "Calibration",
    "CandidateBudget",
    "CodeSource",
    "CompressResources",
    "CompressSpec",
    "DataSource",
    "Distill",
    "EvaluationSpec",
    "Evolution",
    "ExportSpec",
    "FloatRange",
    "Gradient",
    "GuardrailLimit",
    "Head",
    "IntRange",
    "JobSpec",
    "MagnitudePruning",
    "Median",
    "ModelSpec",
    "NoOptions",
    "ObjectMeta",
    "Objective",
    "OneShot",
    "OptimizationJob",
    "Parameter",
    "Pbt",
    "PerTrial",
    "Plateau",
    "Postgres",
    "PretrainedModel",
    "Prune",
    "Pruner",
    "PvcSource",
    "QueueSpec",
    "ReadyPolicy",
    "Reinforcement",
    "Resources",
    "Sampler",
    "SearchResources",
    "SearchSpec",
    "Slice",
    "Stop",
    "Storage",
    "StructuredPruning",
    "Target",
    "TaskSpec",
    "Unfreeze",
    "WarmStart",
    "When",
]

API_VERSION: Final = "trimtab.io/v1alpha1"


class ObjectMeta(Model):
    """Kubernetes' metadata, as far as a client sees it."""

    name: Label
    """Name of the object."""
    namespace: Label | None = None
    """Namespace of the object; omitted: default."""
    labels: Annotated[dict[str, str], Field(max_length=256)] = Field(default_factory=dict)
    """Labels."""
    annotations: Annotated[dict[str, str], Field(max_length=256)] = Field(default_factory=dict)
    """Annotations."""
    generate_name: str | None = None
    """Prefix from which the API server makes a name."""
    uid: str | None = None
    """Set by the API server."""
    resource_version: str | None = None
    """Set by the API server."""
    generation: int | None = None
    """Set by the API server: counts the changes of spec."""
    creation_timestamp: datetime | None = None
    """Set by the API server."""
    deletion_timestamp: datetime | None = None
    """Set by the API server."""
    deletion_grace_period_seconds: int | None = None
    """Set by the API server."""
    finalizers: tuple[str, ...] = ()
    """What must be done before deletion."""
    owner_references: tuple[dict[str, Any], ...] = ()
    """Objects whose deletion deletes this one."""
    managed_fields: tuple[dict[str, Any], ...] = ()
    """Set by the API server: who wrote which field."""
    self_link: str | None = None
    """Set by old API servers."""


class JobSpec(Model):
    """What to optimize, how, on what, and what the result must hold."""

    profile: Subdomain | None = None
    """OptimizationProfile to run under; omitted: the default one."""
    task: TaskSpec
    """The user's task."""
    model: ModelSpec | None = None
    """An existing model to start from."""
    objectives: Annotated[tuple[Objective, ...], Field(max_length=8)] = ()
    """Metrics to optimize; the first ranks; omitted: the task's own metric."""
    search: SearchSpec | None = None
    """Search of parameters and architecture; omitted: compress what is given."""
    compress: CompressSpec | None = None
    """Candidates to make; omitted: export the winner as it is."""
    guardrail: Annotated[tuple[GuardrailLimit, ...], Field(max_length=16)] = ()
    """What the published model must hold."""
    export: ExportSpec = ExportSpec()
    """The ONNX model that comes out."""
    targets: Annotated[tuple[Target, ...], Field(max_length=8)] = ()
    """Where latency, throughput, memory and energy are measured; omitted: on the worker."""
    resources: Resources | None = None
    """Node pools and workers by step."""
    budget: BudgetSpec | None = None
    """What the job may spend; editable while it runs."""
    evaluation: EvaluationSpec | None = None
    """Continuous evaluation of what was published."""
    queue: QueueSpec | None = None
    """Admission by Kueue."""
    output: Uri | None = None
    """Where everything is kept; omitted: the profile's store."""
    retry: Annotated[int, Field(ge=0, le=1_000)] = 0
    """Raise by one to run a failed job again, from what it has; editable."""
    suspend: bool = False
    """Release the cluster, keep what was done; editable while the job runs."""
    ready_policy: ReadyPolicy | None = None
    """When Ready turns True: Completed (default) or Accepted, for GitOps that must not wait for days."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Seconds until the Kubernetes children of a finished job are removed; editable."""


class OptimizationJob(Model):
    """A request for the smallest, fastest model that still holds its quality."""

    api_version: Literal["trimtab.io/v1alpha1"] = API_VERSION
    """Version of the language."""
    kind: Literal["OptimizationJob"] = "OptimizationJob"
    """Kind of the document."""
    metadata: ObjectMeta
    """Name, namespace, labels and annotations."""
    spec: JobSpec
    """What to optimize, how, on what, and what the result must hold."""
