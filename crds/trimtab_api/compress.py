"""How the winner is made smaller and faster, what it must hold, and where that is measured."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab_api.cel import cel_list, or_list
from trimtab_api.fields import Count, Identifier, IntOrScalar, Label, MetricName, Unique, Word
from trimtab_api.metrics import EFFICIENCY, MINIMIZED, target_matters
from trimtab_api.model import Model, exactly_one, rule

Fraction = Annotated[float, Field(gt=0, lt=1)]
Quantization = Literal["fp16", "bf16", "int8", "int8-dynamic", "int8-qat", "int8-weights", "int4-weights"]


class StructuredPruning(Model):
    """Removes whole channels, so that the model gets smaller on any hardware."""

    ratios: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=8), Unique()]
    """Shares of channels removed; one candidate each."""
    steps: Annotated[int, Field(ge=1, le=20)] = 1
    """Rounds of removal and training over which a ratio is reached."""
    finetune_epochs: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Epochs of training after each round."""


class MagnitudePruning(Model):
    """Sets the smallest weights to zero."""

    sparsities: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=8), Unique()]
    """Shares of weights set to zero; one candidate each."""


class Prune(Model):
    """Ways of pruning: at least one of the two."""

    structured: StructuredPruning | None = None
    """Remove whole channels."""
    magnitude: MagnitudePruning | None = None
    """Set the smallest weights to zero."""

    @rule("", "has(self.structured) || has(self.magnitude)", "must have structured or magnitude, or both")
    def _some_way(self) -> bool:
        return self.structured is not None or self.magnitude is not None


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
    """Most candidates: first formats of the uncompressed model, then ratio by ratio the pruned ones."""


class CompressSpec(Model):
    """The candidates to make from the winner."""

    prune: Prune | None = None
    """Remove weights."""
    distill: Distill | None = None
    """Learn from the uncompressed model when fine-tuning."""
    quantize: Annotated[tuple[Quantization, ...], Field(max_length=7), Unique()] = ()
    """Number formats to try, of the uncompressed model and of each pruned one; one candidate each."""
    calibration: Calibration = Calibration()
    """How the ranges of activations are found for static int8."""
    budget: CandidateBudget = CandidateBudget()
    """How many candidates are made at most."""

    @rule(
        "",
        "has(self.prune) || (has(self.quantize) && size(self.quantize) > 0)",
        "must have prune or quantize: there is no candidate to make",
    )
    def _some_candidate(self) -> bool:
        return self.prune is not None or bool(self.quantize)

    @rule(
        "distill",
        "!has(self.distill) || has(self.prune) || (has(self.quantize) && 'int8-qat' in self.quantize)",
        "needs prune or int8-qat: nothing else trains again",
    )
    def _something_learns(self) -> bool:
        return self.distill is None or self.prune is not None or "int8-qat" in self.quantize


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

    _one_limit = exactly_one("maxDrop", "min", "max")
    _target_matters = target_matters()

    @rule(
        "against",
        "!has(self.against) || has(self.maxDrop)",
        "needs maxDrop: min and max compare with nothing",
    )
    def _against_counts_drops(self) -> bool:
        return self.against is None or self.max_drop is not None

    @rule(
        "metric",
        "!(has(self.maxDrop) || has(self.confidence) || has(self.slice))"
        f" || !(self.metric in {cel_list(EFFICIENCY)})",
        "must be a metric of quality where maxDrop, confidence or slice is given",
    )
    def _quality_has_bounds(self) -> bool:
        bounded = self.max_drop is not None or self.confidence is not None or self.slice is not None
        return not bounded or self.metric not in EFFICIENCY

    @rule(
        "min",
        f"!has(self.min) || !(self.metric in {cel_list(MINIMIZED)})",
        f"must be max for {or_list(MINIMIZED)}, of which less is better",
    )
    def _less_is_better(self) -> bool:
        return self.min is None or self.metric not in MINIMIZED

    @rule(
        "max",
        "!has(self.max) || self.metric != 'throughput'",
        "must be min for throughput, of which more is better",
    )
    def _more_is_better(self) -> bool:
        return self.max is None or self.metric != "throughput"


class ExportSpec(Model):
    """The ONNX model that comes out."""

    opset: Annotated[int, Field(ge=18, le=23)] = 21
    """ONNX operator set; an .onnx model that is given keeps its own."""
    batch: IntOrScalar = "dynamic"
    """dynamic, or a fixed number of rows."""

    @rule(
        "batch",
        "!has(self.batch)"
        " || (type(self.batch) == int ? self.batch >= 1 && self.batch <= 10000 : self.batch == 'dynamic')",
        "must be dynamic, or a whole number from 1 to 10000",
    )
    def _batch_is_known(self) -> bool:
        return 1 <= self.batch <= 10_000 if isinstance(self.batch, int) else self.batch == "dynamic"


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
