"""Report: what a run found, as written to result.json; status is made of the same shapes."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from trimtab_api.conditions import Condition
from trimtab_api.model import Model
from trimtab_api.search import Objective
from trimtab_api.versions import SCHEMA_VERSION, SchemaVersion

Phase = Literal[
    "Pending",
    "Queued",
    "Starting",
    "Searching",
    "Compressing",
    "Verifying",
    "Succeeded",
    "Failed",
    "Suspended",
]
Metrics = Annotated[dict[str, float], Field(max_length=32)]
ParameterValue = bool | int | float | str
Params = Annotated[dict[str, ParameterValue], Field(max_length=64)]
Intervals = Annotated[dict[str, tuple[float, float]], Field(max_length=32)]
Name = Annotated[str, StringConstraints(max_length=253)]
Message = Annotated[str, StringConstraints(max_length=1024)]
Natural = Annotated[int, Field(ge=0)]


class TrialCounts(Model):
    """How many trials there are, by how they ended."""

    total: Natural = 0
    """Trials asked for."""
    completed: Natural = 0
    """Trials with a result."""
    running: Natural = 0
    """Trials on a worker now."""
    pruned: Natural = 0
    """Trials ended early by the pruner."""
    failed: Natural = 0
    """Trials that failed because of their parameters."""
    retried: Natural = 0
    """Trials run again because their worker or driver was lost."""


class Best(Model):
    """A trial, with what it drew and what it reached on validation."""

    trial: Natural
    """Number of the trial."""
    params: Params = Field(default_factory=dict)
    """Parameters it drew."""
    architecture: Annotated[dict[str, str], Field(max_length=64)] = Field(default_factory=dict)
    """Choices of its architecture."""
    metrics: Metrics = Field(default_factory=dict)
    """Figures on validation."""


class Measured(Model):
    """An ONNX model and its figures."""

    id: Name
    """Name of the candidate."""
    metrics: Metrics = Field(default_factory=dict)
    """Figures of quality, size and speed."""
    interval: Intervals = Field(default_factory=dict)
    """Two-sided interval of each figure that has one: lower, upper."""


class Candidate(Model):
    """A model that was made and measured on validation."""

    id: Name
    """Steps joined by +."""
    steps: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """What was done to it, in order."""
    metrics: Metrics = Field(default_factory=dict)
    """Figures on validation."""
    interval: Intervals = Field(default_factory=dict)
    """Two-sided interval of each figure that has one: lower, upper."""
    pareto: bool = False
    """Whether no other candidate is better in every figure."""
    verdict: Message = ""
    """ok, or rejected: and why."""


class TargetFigures(Model):
    """What the final model takes on one target."""

    latency_ms: float | None = None
    """Median latency in milliseconds."""
    latency_p95_ms: Annotated[float | None, Field(alias="latencyP95Ms")] = None
    """95th percentile of latency in milliseconds."""
    throughput: float | None = None
    """Rows per second."""
    memory_mb: Annotated[float | None, Field(alias="memoryMB")] = None
    """Peak memory in megabytes."""
    energy_j: float | None = None
    """Energy per inference in joules."""
    measured_on: Name = "local"
    """Pool on which it was measured."""


class Final(Model):
    """The published model."""

    id: Name
    """Name of the candidate."""
    metrics: Metrics = Field(default_factory=dict)
    """Figures on the test split."""
    interval: Intervals = Field(default_factory=dict)
    """Two-sided interval of each figure that has one: lower, upper."""
    targets: Annotated[dict[str, TargetFigures], Field(max_length=8)] = Field(default_factory=dict)
    """Figures by target."""


class GuardrailVerdict(Model):
    """One limit of the guardrail and how the final model stands to it."""

    metric: Name
    """Metric that is limited."""
    limit: Annotated[dict[Literal["maxDrop", "min", "max"], float], Field(max_length=1)]
    """The limit, as in the manifest."""
    measured: float | None = None
    """Figure, or the drop from the model it is counted against."""
    upper: float | None = None
    """Upper confidence bound of the drop or figure that must lie below the limit."""
    lower: float | None = None
    """Lower confidence bound of the figure that must lie above the limit."""
    n: Natural | None = None
    """Test examples it was judged on."""
    met: bool
    """Whether the limit is held."""
    against: Literal["uncompressed", "baseline"] | None = None
    """Model the drop is counted from."""
    confidence: float | None = None
    """Confidence of the bound."""
    slice: Name | None = None
    """Slice of the rows, as column=value."""
    target: Name | None = None
    """Target it was measured on."""
    indicative: bool = False
    """Measured elsewhere than on its target, so only a hint."""
    message: Message | None = None
    """Why it is not met."""


class Artifact(Model):
    """A published file."""

    name: Name
    """Name of the file."""
    uri: Annotated[str, StringConstraints(max_length=2048)]
    """Where it lies."""
    sha256: Annotated[str, StringConstraints(max_length=64)]
    """SHA-256 of its content."""
    bytes: Natural
    """Size in bytes."""
    opset: Natural | None = None
    """ONNX operator set, of a model."""


class Cost(Model):
    """What the run took."""

    seconds: float | None = None
    """Time from start to end in all attempts."""
    cpu_hours: float | None = None
    """CPU hours of the workers."""
    gpu_hours: float | None = None
    """GPU hours of the workers."""
    amount: float | None = None
    """Cost, in the currency of the profile's prices."""
    energy_kwh: Annotated[float | None, Field(alias="energyKWh")] = None
    """Energy in kWh."""
    carbon_kg: float | None = None
    """CO2 equivalent in kg."""
    method: Name | None = None
    """How energy was found: counters, or rated watts."""


class Ratios(Model):
    """How many times better the final model is."""

    size: float | None = None
    """Times smaller."""
    latency: float | None = None
    """Times faster per inference."""
    throughput: float | None = None
    """Times more rows per second."""
    memory: float | None = None
    """Times less memory."""


class Savings(Model):
    """What the final model saves."""

    baseline: Ratios = Ratios()
    """Against what the user has today."""
    uncompressed: Ratios = Ratios()
    """Against the search's winner before compression."""
    cost_per_million: float | None = None
    """Cost saved per million inferences against the baseline."""
    energy_kwh_per_million: Annotated[float | None, Field(alias="energyKWhPerMillion")] = None
    """Energy saved per million inferences against the baseline, in kWh."""


class Environment(Model):
    """Where the run took place, for who wants to repeat it."""

    versions: Annotated[dict[str, str], Field(max_length=32)] = Field(default_factory=dict)
    """Versions of what the result depends on."""
    cpu: Name | None = None
    """Processor of the worker that measured."""
    image: Annotated[str, StringConstraints(max_length=512)] | None = None
    """Image of the workers, by digest."""
    code_sha256: Annotated[str, StringConstraints(max_length=64)] | None = None
    """SHA-256 of the user's code."""


class Progress(Model):
    """What a run has found so far: the part that Report and status share."""

    phase: Phase = "Pending"
    """Where the job stands, for people; machines read conditions."""
    stage: Name = ""
    """What it does now."""
    message: Message = ""
    """One sentence for people."""
    seconds_left: float | None = None
    """Estimate of the time to the end."""
    trials: TrialCounts = TrialCounts()
    """Trials by how they ended."""
    best: Best | None = None
    """Trial that leads by the first objective."""
    front: Annotated[tuple[Best, ...], Field(max_length=10)] = ()
    """Trials that no other beats in every objective."""
    baseline: Measured | None = None
    """What the user has today."""
    uncompressed: Measured | None = None
    """The search's winner before compression."""
    candidates: Annotated[tuple[Candidate, ...], Field(max_length=256)] = ()
    """Models made and measured."""
    final: Final | None = None
    """The published model."""
    speedup: float | None = None
    """Latency of the baseline over that of the final model."""
    guardrail: Annotated[tuple[GuardrailVerdict, ...], Field(max_length=16)] = ()
    """How the final model stands to each limit."""
    artifacts: Annotated[tuple[Artifact, ...], Field(max_length=32)] = ()
    """Published files."""
    cost: Cost = Cost()
    """What the run took."""
    savings: Savings = Savings()
    """What the final model saves."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16)] = ()
    """Aspects that machines wait for."""


class Report(Progress):
    """Everything a run found: the content of result.json."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of this shape."""
    name: Name
    """Name of the job."""
    plan_digest: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Digest of the plan that was carried out."""
    seed: Natural | None = None
    """Seed of the study."""
    objectives: Annotated[tuple[Objective, ...], Field(max_length=8)] = ()
    """What was optimized, as in the manifest; the first one ranks."""
    environment: Environment = Environment()
    """Where the run took place."""
