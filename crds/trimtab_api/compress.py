"""How the winner is made smaller and faster, what it must hold, and where that is measured."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab_api.fields import Count, Identifier, IntOrScalar, Label, MetricName, Word
from trimtab_api.model import Model

Fraction = Annotated[float, Field(gt=0, lt=1)]
Quantization = Literal["fp16", "bf16", "int8", "int8-dynamic", "int8-qat", "int8-weights", "int4-weights"]


class StructuredPruning(Model):
    """Removes whole channels, so that the model gets smaller on any hardware."""

    ratios: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=8)]
    """Shares of channels removed; one candidate each."""
    steps: Annotated[int, Field(ge=1, le=20)] = 1
    """Rounds of removal and training over which a ratio is reached."""
    finetune_epochs: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Epochs of training after each round."""


class MagnitudePruning(Model):
    """Sets the smallest weights to zero."""

    sparsities: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=8)]
    """Shares of weights set to zero; one candidate each."""


class Prune(Model):
    """Ways of pruning: at least one of the two."""

    structured: StructuredPruning | None = None
    """Remove whole channels."""
    magnitude: MagnitudePruning | None = None
    """Set the smallest weights to zero."""


class Distill(Model):
    """Fine-tuning learns from the uncompressed model as well as from the labels."""

    temperature: Annotated[float, Field(gt=0, le=100)] = 2.0
    """Softness of the teacher's answers."""
    weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the teacher in the loss."""


class Calibration(Model):
    """How the ranges of activations are found for static int8."""

    method: Literal["minmax", "entropy", "percentile"] = "minmax"
    """Rule that picks a range."""
    samples: Annotated[int, Field(ge=1, le=100_000)] = 512
    """Rows of the training data that are looked at."""


class CandidateBudget(Model):
    """How many candidates are made at most."""

    candidates: Annotated[int, Field(ge=1, le=256)] = 24
    """Candidates made and measured at most."""


class CompressSpec(Model):
    """The candidates to make from the winner."""

    prune: Prune | None = None
    """Remove weights."""
    distill: Distill | None = None
    """Learn from the uncompressed model when fine-tuning."""
    quantize: Annotated[tuple[Quantization, ...], Field(max_length=7)] = ()
    """Number formats to try; one candidate each."""
    calibration: Calibration = Calibration()
    """How the ranges of activations are found for static int8."""
    budget: CandidateBudget = CandidateBudget()
    """How many candidates are made at most."""


class Slice(Model):
    """The part of the test rows in which a column has a value."""

    column: Identifier
    """Column of the rows that the task's evaluate returns."""
    value: Word
    """Its value, quoted, read as a YAML scalar."""


class GuardrailLimit(Model):
    """What the published model must hold: exactly one of maxDrop, min, max."""

    metric: MetricName
    """Metric of the task, or sizeMB latencyMs latencyP95Ms throughput memoryMB energyJ."""
    max_drop: Annotated[float, Field(ge=0)] | None = None
    """Largest loss of quality, proven by its confidence bound."""
    min: float | None = None
    """Smallest value allowed."""
    max: float | None = None
    """Largest value allowed."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] | None = None
    """Confidence of the one-sided bound; omitted: 0.95 with maxDrop, the figure itself with min or max."""
    against: Literal["uncompressed", "baseline"] | None = None
    """Model that maxDrop is counted from; omitted: uncompressed."""
    slice: Slice | None = None
    """Judge only the rows of this slice; omitted: all rows."""
    target: Label | None = None
    """Entry of targets where it is measured; omitted: the worst of all targets."""


class ExportSpec(Model):
    """The ONNX model that comes out."""

    opset: Annotated[int, Field(ge=18, le=23)] = 21
    """ONNX operator set."""
    batch: IntOrScalar = "dynamic"
    """dynamic, or a fixed number of rows."""


class Target(Model):
    """Hardware on which the model will run, and how."""

    name: Label
    """Name by which objectives and guardrail refer to it."""
    pool: Label
    """Node pool of the profile; absent here, figures are local and its limits indicative."""
    threads: Annotated[int, Field(ge=1, le=1_024)] = 1
    """Threads of the runtime."""
    batch: Count = 1
    """Rows per inference."""
