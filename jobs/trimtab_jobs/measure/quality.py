"""Quality of a candidate under ONNX Runtime, by the task's own evaluation."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from trimtab_jobs.measure.artifacts import fetch_model
from trimtab_jobs.measure.onnx_model import Array, OnnxModel
from trimtab_jobs.measure.values import checked_rows, values_of
from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.pool.session import Session, resolve

SEED_EVERYTHING = "trimtab_jobs.tasks.seeds:seed_everything"
"""By name: tasks and measures do not see each other."""


class Evaluable(Protocol):
    """The side of a task that measurement sees."""

    def evaluate(self, predict: Callable[..., Any], split: str) -> Mapping[str, Array]:
        """Return rows."""
        ...

    def metric_functions(self) -> Mapping[str, Callable[[Mapping[str, Array]], float]]:
        """Return metrics by name."""
        ...


def evaluate(session: Session, *, candidate: str, split: str) -> dict[str, Any]:
    """Return `metrics`, `values` (per metric one number per independent unit) and `n` (rows) on a split."""
    resolve(SEED_EVERYTHING)(0)  # where the split draws at random, every model sees the same draw
    return quality_of(session.task(), OnnxModel(fetch_model(session, candidate)).predict, split)


def quality_of(task: Evaluable, predict: Callable[..., Any], split: str) -> dict[str, Any]:
    """Return the same for any predict; CodeError when the rows are not of one length."""
    try:
        rows = checked_rows(task.evaluate(predict, split))
    except ValueError as error:
        raise CodeError(str(error)) from error
    functions = task.metric_functions()
    return {
        "metrics": {name: float(metric(rows)) for name, metric in functions.items()},
        "values": {name: values_of(metric, rows) for name, metric in functions.items()},
        "n": len(next(iter(rows.values()))),
    }
