"""What a model takes and gives, for those who serve it."""

from typing import Any

import numpy as np

from trimtab_jobs.measure.artifacts import fetch_model
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.pool.session import Session

TYPES = {"float": "float32", "double": "float64"}
"""ONNX Runtime's names of element types, where they are not numpy's."""


def interface(session: Session, *, candidate: str) -> dict[str, list[dict[str, Any]]]:
    """Return `inputs` and `outputs`: name, dtype as numpy calls it, shape with a name for each dynamic axis.

    A dynamic axis of an output that ONNX does not name is learned by running two rows.
    """
    model = OnnxModel(fetch_model(session, candidate))
    inputs = [_tensor(entry, list(entry.shape)) for entry in model.runtime.get_inputs()]
    feeds = model.feeds(*session.task().inputs(model.batch or 2))[0]
    found = model.runtime.run(None, feeds)
    outputs = [
        _tensor(entry, _axes(entry.shape, value, model.batch))
        for entry, value in zip(model.runtime.get_outputs(), found, strict=True)
    ]
    return {"inputs": inputs, "outputs": outputs}


def _tensor(entry: Any, shape: list[int | str]) -> dict[str, Any]:
    name = entry.type.removeprefix("tensor(").removesuffix(")")
    return {"name": entry.name, "dtype": TYPES.get(name, name), "shape": shape}


def _axes(declared: list[int | str | None], value: Any, batch: int | None) -> list[int | str]:
    axes: list[int | str] = list(np.shape(value))
    return [
        axis if isinstance(axis, int) else "batch" if position == 0 and batch is None else seen
        for position, (axis, seen) in enumerate(zip(declared, axes, strict=True))
    ]
