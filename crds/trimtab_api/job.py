"""OptimizationJob: the one manifest that a person who wants a model writes."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from trimtab_api.cel import distinct, targets_known
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
from trimtab_api.fields import Label, Unique, Uri
from trimtab_api.metadata import API_VERSION, ObjectMeta
from trimtab_api.model import Broken, Document, Model, given, rule
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
    Gradient,
    Median,
    NoOptions,
    Objective,
    OneShot,
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
)
from trimtab_api.space import FloatRange, IntRange, Parameter, When
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

_ONNX = "has(self.model) && self.model.pretrained.uri.endsWith('.onnx')"
_LIMITS_DIFFER = distinct(
    "guardrail", "metric", "target", "slice", "against", kinds=("maxDrop", "min", "max")
)


class JobSpec(Model):
    """What to optimize, how, on what, and what the result must hold."""

    profile: Label | None = None
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
    targets: Annotated[tuple[Target, ...], Field(max_length=8), Unique("name")] = ()
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

    @rule(
        "objectives",
        targets_known("objectives"),
        "target must be an entry of targets",
    )
    def _objectives_know_targets(self) -> Iterator[Broken]:
        return self._unknown_targets("objectives", self.objectives)

    @rule(
        "guardrail",
        targets_known("guardrail"),
        "target must be an entry of targets",
    )
    def _guardrail_knows_targets(self) -> Iterator[Broken]:
        return self._unknown_targets("guardrail", self.guardrail)

    def _unknown_targets(
        self, section: str, entries: Sequence[Objective | GuardrailLimit]
    ) -> Iterator[Broken]:
        known = {target.name for target in self.targets}
        for index, entry in enumerate(entries):
            if entry.target is not None and entry.target not in known:
                yield f"{section}[{index}].target"

    @rule(
        "objectives",
        distinct("objectives", "metric", "target"),
        "must not repeat a metric",
    )
    def _objectives_differ(self) -> Iterator[Broken]:
        keys = [(each.metric, each.target) for each in self.objectives]
        yield from (f"objectives[{index}].metric" for index, key in enumerate(keys) if key in keys[:index])

    @rule(
        "guardrail",
        _LIMITS_DIFFER,
        "must not limit the same thing twice",
    )
    def _limits_differ(self) -> Iterator[Broken]:
        keys = [
            each.model_dump(include={"metric", "target", "slice", "against"})
            | {"kind": sorted(given(each) & {"maxDrop", "min", "max"})}
            for each in self.guardrail
        ]
        yield from (f"guardrail[{index}].metric" for index, key in enumerate(keys) if key in keys[:index])

    @rule(
        "search",
        f"!({_ONNX} && has(self.search))",
        "must be left out where model.pretrained is an .onnx model, which is not trained",
    )
    def _onnx_is_not_searched(self) -> bool:
        return not (self._starts_from_onnx and self.search)

    @rule(
        "compress",
        f"!({_ONNX} && has(self.compress)) || !(has(self.compress.prune) || has(self.compress.distill)"
        " || (has(self.compress.quantize) && 'int8-qat' in self.compress.quantize))",
        "must be without prune, distill and int8-qat where model.pretrained is an .onnx model",
    )
    def _onnx_is_not_trained(self) -> bool:
        if not self._starts_from_onnx or self.compress is None:
            return True
        return self.compress.prune is None and "int8-qat" not in self.compress.quantize

    @property
    def _starts_from_onnx(self) -> bool:
        return self.model is not None and self.model.is_onnx


class OptimizationJob(Document):
    """A request for the smallest, fastest model that still holds its quality."""

    api_version: Literal["trimtab.io/v1alpha1"] = API_VERSION
    """Version of the language."""
    kind: Literal["OptimizationJob"] = "OptimizationJob"
    """Kind of the document."""
    metadata: ObjectMeta
    """Name, namespace, labels and annotations."""
    spec: JobSpec
    """What to optimize, how, on what, and what the result must hold."""
