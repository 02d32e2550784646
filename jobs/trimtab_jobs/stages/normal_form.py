"""An ONNX model from anywhere, in the form that the stages expect; what it computes stays the same."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, inliner, numpy_helper

from trimtab_jobs.given.graphs import in_order, inputs_of, opsets_of

OLDEST_IR = 8
"""From version 4 on constants need not be inputs too; functions of a model's own came with 8."""
STANDARD_OPSET = 17
"""For a model that names no standard operator set since it uses none of it, such as a forest of trees."""
BATCH = "batch"
"""Name of the first axis, the examples, where it is free."""
_NUMBERS = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}


def normalize(model: ModelProto, rows: int | None = None) -> None:
    """Bring a model into normal form in place, its first axes fixed to `rows` where they are given.

    Functions become the nodes that they stand for; nodes follow what they read and have names of their own;
    constants are initializers, and no inputs; free axes have names.
    """
    if model.functions:
        model.CopyFrom(inliner.inline_local_functions(model))
    model.ClearField("training_info")
    model.ir_version = max(model.ir_version, OLDEST_IR)
    if "" not in opsets_of(model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid("", STANDARD_OPSET))
    _replace(model.graph.input, inputs_of(model.graph))
    nodes, _ = in_order(model.graph.node)
    constants = [_constant(node) for node in nodes]
    model.graph.initializer.extend(tensor for tensor in constants if tensor is not None)
    _replace(
        model.graph.node, [node for node, tensor in zip(nodes, constants, strict=True) if tensor is None]
    )
    _name_nodes(model.graph)
    _name_axes(model.graph, rows)


def _replace(field: Any, parts: Iterable[Any]) -> None:
    kept = list(parts)
    del field[:]
    field.extend(kept)


def _constant(node: NodeProto) -> TensorProto | None:
    """The tensor of a Constant node, under the name of what it gives; None for any other node."""
    if node.op_type != "Constant" or node.domain not in ("", "ai.onnx"):
        return None
    attribute = node.attribute[0]
    if attribute.name == "value":
        tensor = TensorProto()
        tensor.CopyFrom(attribute.t)
    elif attribute.name in _NUMBERS:
        value = onnx.helper.get_attribute_value(attribute)
        tensor = numpy_helper.from_array(np.asarray(value, dtype=_NUMBERS[attribute.name]))
    else:  # strings, and sparse tensors
        return None
    tensor.name = node.output[0]
    return tensor


def _name_nodes(graph: GraphProto) -> None:
    """The quantizer finds nodes by their names, which files may leave out or use twice."""
    used: set[str] = set()
    for node in graph.node:
        wanted = node.name or node.op_type
        free = (f"{wanted}_{number}" for number in count(1))
        node.name = next(free) if wanted in used or not node.name else wanted
        while node.name in used:
            node.name = next(free)
        used.add(node.name)


def _name_axes(graph: GraphProto, rows: int | None) -> None:
    for entry in graph.input:
        for position, axis in enumerate(entry.type.tensor_type.shape.dim):
            if position == 0 and rows is not None:
                axis.dim_value = rows
            elif not axis.HasField("dim_value") and not axis.dim_param:
                axis.dim_param = BATCH if position == 0 else f"{entry.name}_axis_{position}"
    if rows is not None:
        for entry in graph.output:
            if entry.type.tensor_type.shape.dim:
                entry.type.tensor_type.shape.dim[0].dim_value = rows
        del graph.value_info[:]
