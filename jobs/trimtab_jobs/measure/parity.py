"""How far the outputs of two models are apart on the same inputs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trimtab_jobs.measure.onnx_model import Array, OnnxModel
from trimtab_jobs.pool.session import Session

Predict = Callable[..., Any]


def max_excess(reference: Any, outputs: Any, tolerance: float) -> tuple[float, float]:
    """Return the largest absolute difference, and the largest beyond tolerance·(1 + |reference|).

    The second is positive when outputs are not within the tolerance, absolute and relative, everywhere;
    infinite when shapes differ or where only one side is finite.
    """
    largest, excess = 0.0, -np.inf
    for left, right in zip(_tuple(reference), _tuple(outputs), strict=True):
        if left.shape != right.shape or not np.array_equal(np.isfinite(left), np.isfinite(right)):
            return np.inf, np.inf
        there = np.isfinite(left)
        apart = np.abs(left[there].astype(np.float64) - right[there])
        if apart.size:
            largest = max(largest, float(apart.max()))
            excess = max(excess, float((apart - tolerance * (1 + np.abs(left[there]))).max()))
    return largest, excess


def parity_of(session: Session, parent: Path, made: Path) -> dict[str, float]:
    """Return how the outputs of a model differ from its parent's over the validation split, as `figures`."""
    comparison = Comparison(OnnxModel(parent).predict, OnnxModel(made).predict)
    session.task().evaluate(comparison.predict, "validation")
    return comparison.figures()


@dataclass(slots=True)
class Comparison:
    """A `predict` that answers with one model while it compares it with another.

    Handed to a task's own evaluation it sees exactly the inputs of a split, for any kind of task.
    """

    reference: Predict
    candidate: Predict
    agreed: int = 0
    scored: int = 0
    """Rows with scores of classes."""
    rows: int = 0
    largest: float = 0.0
    errors: list[float] = field(default_factory=list)
    signals: list[float] = field(default_factory=list)

    def predict(self, *inputs: Array) -> Any:
        """Return the candidate's outputs."""
        expected, outputs = self.reference(*inputs), self.candidate(*inputs)
        left, right = (_tuple(side)[0].astype(np.float64) for side in (expected, outputs))
        self.rows += len(left)
        self.largest = max(self.largest, float(np.abs(left - right).max()))
        self.errors.append(float(np.square(left - right).sum()))
        self.signals.append(float(np.square(left).sum()))
        if left.ndim == 2 and left.shape[1] > 1:
            self.scored += len(left)
            self.agreed += int((left.argmax(1) == right.argmax(1)).sum())
        return outputs

    def figures(self) -> dict[str, float]:
        """Return `top1Agreement` (of class scores), `maxDiff`, `sqnrDb` (signal to noise ratio) and `n`."""
        noise, signal = max(sum(self.errors), 1e-30), max(sum(self.signals), 1e-30)
        figures = {"maxDiff": self.largest, "sqnrDb": 10 * float(np.log10(signal / noise)), "n": self.rows}
        return figures | ({"top1Agreement": self.agreed / self.scored} if self.scored else {})


def _tuple(outputs: Any) -> tuple[Array, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
