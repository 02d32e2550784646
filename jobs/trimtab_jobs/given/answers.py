"""Whether the inputs of an ONNX graph are those that a task gives. Pure."""

from collections.abc import Sequence

import onnx
from onnx import GraphProto, ValueInfoProto

from trimtab_jobs.given.graphs import inputs_of
from trimtab_jobs.measure.onnx_model import Array


def inputs_flaw(graph: GraphProto, arrays: Sequence[Array]) -> str | None:
    """Return how the arrays of a task's `inputs()` differ from what the graph takes, None when they fit."""
    entries = inputs_of(graph)
    names = ", ".join(entry.name for entry in entries)
    if len(entries) != len(arrays):
        return (
            f"takes {len(entries)} inputs ({names}), but the task's inputs() gives {len(arrays)}; give one "
            "array for each"
        )
    return next((flaw for pair in zip(entries, arrays, strict=True) if (flaw := _flaw(*pair))), None)


def _flaw(entry: ValueInfoProto, array: Array) -> str | None:
    tensor = entry.type.tensor_type
    wanted = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    if array.dtype != wanted:
        return (
            f"takes input {entry.name!r} as {wanted}, but the task's inputs() gives {array.dtype}; turn the "
            "data into that type, or export the model for this one"
        )
    axes = [axis.dim_value if axis.HasField("dim_value") else None for axis in tensor.shape.dim]
    fits = len(axes) == array.ndim and all(
        axis in (None, size) for axis, size in zip(axes[1:], array.shape[1:], strict=True)
    )
    if fits:
        return None
    shown = ", ".join("any" if axis is None else str(axis) for axis in axes[1:])
    return (
        f"takes input {entry.name!r} with ({shown}) for each example, but the task's inputs() gives "
        f"{array.shape[1:]}; give the data that shape, or export the model for this one"
    )
