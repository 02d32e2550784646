"""One call of an objective function: its figures, and the ONNX file of its model if it has one."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.context import TrainContext
from trimtab_jobs.tasks.functions import Objective

ONNX = "onnx"
"""Entry of the dict that an objective returns under which its model is; every other one is a metric."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What an objective has returned."""

    figures: Mapping[str, float]
    onnx: bytes | None
    """The model's file; None where the search is all that is wanted."""


def call_objective(task: Objective, context: TrainContext) -> Returned:
    """Return what the objective returns for the context's parameters.

    ConfigurationError for a figure that is not finite; CodeError where what it returns is not what its module
    lets go on: a model that nothing could judge, or none where there is all to judge one.
    """
    answer = task.call(context.params, context)
    if not isinstance(answer, Mapping):
        raise CodeError(
            f"the objective returned a {type(answer).__name__}; return a dict of metrics, such as "
            "{'accuracy': accuracy}, with the model's ONNX file under 'onnx' if there is one"
        )
    figures = {str(name): value for name, value in answer.items() if name != ONNX}
    for name, value in figures.items():
        if not isinstance(value, Real):
            raise CodeError(
                f"the objective returned {name}={value!r:.40}; all but 'onnx' are metrics: return a number"
            )
    model = answer.get(ONNX)
    if model is None and not task.lacking:
        raise CodeError(
            "the objective returned no 'onnx', yet its module says how to judge a model; return its file, "
            "{..., 'onnx': path}, or remove evaluate or metrics to search only"
        )
    if model is not None and task.lacking:
        raise CodeError(f"the objective returned 'onnx', and nothing says how to judge it: {task.lacking}")
    finite = context.finite(context.last, {name: float(value) for name, value in figures.items()})
    return Returned(finite, None if model is None else onnx_bytes(model))


def onnx_bytes(model: Any) -> bytes:
    """Return the file of a model given as its path or as an onnx.ModelProto; CodeError for anything else."""
    import onnx

    if isinstance(model, onnx.ModelProto):
        return bytes(model.SerializeToString())
    if not isinstance(model, str | Path):
        raise CodeError(
            f"the objective returned a {type(model).__name__} under 'onnx'; return the path of an ONNX file "
            "or an onnx.ModelProto"
        )
    try:
        return bytes(onnx.load(str(model)).SerializeToString())  # with what lies beside it, in one file
    except Exception as error:  # whatever onnx raises for a file that is none of its own
        raise CodeError(
            f"the objective returned {str(model)!r} under 'onnx', which is no ONNX file: "
            f"{type(error).__name__}: {error}"
        ) from None
