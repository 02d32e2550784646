"""The constants of an ONNX model: whether their bytes are whole, and their numbers numbers. Pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, ModelProto, TensorProto, numpy_helper

from trimtab_jobs.given.graphs import graphs_in, nodes_in

Array = np.ndarray[Any, np.dtype[Any]]


def tensors_in(model: ModelProto) -> Iterator[TensorProto]:
    """Yield every initializer, and every tensor that a node holds, such as a Constant's."""
    for graph in graphs_in(model.graph):
        yield from graph.initializer
    for node, _ in nodes_in(model):
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                tensor = onnx.TensorProto()
                tensor.CopyFrom(attribute.t)
                tensor.name = tensor.name or (node.output[0] if node.output else node.name)
                yield tensor


def tensor_flaw(model: ModelProto) -> str | None:
    """Return what is wrong with the first tensor that is damaged, empty, or holds no numbers; None: none is.

    The tensors' data must be in the model itself.
    """
    return next((flaw for tensor in tensors_in(model) if (flaw := _flaw(tensor))), None)


def _flaw(tensor: TensorProto) -> str | None:
    dims = list(tensor.dims)
    if min(dims, default=1) < 0 or (len(dims) > 1 and 0 in dims):
        # one axis of 0 is an option left open, such as the regions of a Resize
        return f"has weights {tensor.name!r} of the shape {tuple(dims)}, which hold nothing; export it again"
    try:
        numbers = numpy_helper.to_array(tensor)
    except Exception as error:  # damage shows as any of numpy's and onnx's errors
        first_line = str(error).strip().partition("\n")[0]
        return (
            f"has damaged weights {tensor.name!r} of the shape {tuple(dims)}: {first_line}; export it again"
        )
    return _number_flaw(tensor.name, numbers)


def _number_flaw(name: str, numbers: Array) -> str | None:
    if numbers.dtype.kind not in "fV":  # bfloat16 and the like are void to numpy
        return None
    values = numbers.astype(np.float32) if numbers.dtype.kind == "V" else numbers
    lost = np.isnan(values)
    endless = np.isinf(values)
    if not lost.any() and (not endless.any() or _is_bound(values[~endless], values.size)):
        return None
    what = "NaN" if lost.any() else "infinite numbers"
    count = int(lost.sum() or endless.sum())
    return (
        f"has weights {name!r} with {what} ({count} of {values.size}): the training diverged, or the file "
        "is damaged; export a model whose weights are finite"
    )


def _is_bound(finite: Array, size: int) -> bool:
    """Whether infinite numbers are a limit, a single number, or a mask: among one other number, repeated."""
    return size == 1 if finite.size == 0 else bool((finite == finite.flat[0]).all())
