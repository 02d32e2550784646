"""What a model takes and gives, for those who serve it."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from trimtab_jobs.measure.artifacts import fetch_model
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.pool.session import Session

TYPES = {"float": "float32", "double": "float64"}
"""ONNX Runtime's names of element types, where they are not numpy's."""


BATCH = "batch"
"""Name of the first axis, where it is free."""


def interface(session: Session, *, candidate: str) -> dict[str, Any]:
    """Return `inputs` and `outputs`: name, dtype as numpy calls it, shape with a name for each dynamic axis.

    And `preprocessing`, what the task says of how inputs are made and outputs are read.

    A dynamic axis of an output that no input has is learned by running two rows. ConfigurationError for what
    is no tensor.
    """
    model = OnnxModel(fetch_model(session, candidate))
    inputs = [_tensor(entry, _axes_in(entry.shape)) for entry in model.runtime.get_inputs()]
    rows = model.batch or 2
    feeds = model.feeds(*session.task().inputs(rows))[0]
    found = model.runtime.run(None, feeds)
    free = {axis for each in inputs for axis in each["shape"] if isinstance(axis, str)}
    outputs = [
        _tensor(entry, _axes_out(entry.shape, np.shape(value), rows, free))
        for entry, value in zip(model.runtime.get_outputs(), found, strict=True)
    ]
    return {"inputs": inputs, "outputs": outputs, "preprocessing": dict(session.task().preprocessing())}


def _tensor(entry: Any, shape: list[int | str]) -> dict[str, Any]:
    name = entry.type.removeprefix("tensor(").removesuffix(")")
    if not entry.type.startswith("tensor(") or name.startswith("complex"):
        raise ConfigurationError(
            f"{entry.name!r} of the ONNX model is of type {entry.type}, which no model server takes: "
            "export it as tensors of numbers or strings (a classifier of skl2onnx with zipmap=False)"
        )
    return {"name": entry.name, "dtype": TYPES.get(name, name), "shape": shape}


def _axes_in(declared: Sequence[int | str | None]) -> list[int | str]:
    return [
        axis if isinstance(axis, int) else BATCH if position == 0 else axis or f"axis_{position}"
        for position, axis in enumerate(declared)
    ]


def _axes_out(
    declared: Sequence[int | str | None], seen: Sequence[int], rows: int, free: Collection[str]
) -> list[int | str]:
    """The axes of an output: as declared, as an input names them, or as seen; the first may be the batch."""
    known = declared if len(declared) == len(seen) else [None] * len(seen)
    axes = [
        size if axis is None or (isinstance(axis, str) and axis not in free) else axis
        for axis, size in zip(known, seen, strict=True)
    ]
    is_batch = bool(seen) and not isinstance(known[0], int) and seen[0] == rows and BATCH in free
    return [BATCH, *axes[1:]] if is_batch else axes
