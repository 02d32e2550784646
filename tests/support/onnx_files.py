"""ONNX files made by hand: one that is sound, and what may be wrong with one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

FEATURES, CLASSES = 4, 3
node = helper.make_node


def value(name: str, shape: Sequence[int | str] | None, kind: int = TensorProto.FLOAT) -> ValueInfoProto:
    """An input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name: str, numbers: Any, dtype: Any = np.float32) -> TensorProto:
    """Weights."""
    return numpy_helper.from_array(np.asarray(numbers, dtype), name)


def weights(name: str = "w", rows: int = FEATURES) -> TensorProto:
    """A matrix of weights, always the same."""
    return tensor(name, np.random.default_rng(0).normal(size=(rows, CLASSES)))


def linear(**changes: Any) -> onnx.ModelProto:
    """A sound model, relu(x·w), with other parts where `changes` has them."""
    parts: dict[str, Any] = {
        "nodes": [node("MatMul", ["x", "w"], ["h"], "product"), node("Relu", ["h"], ["y"], "relu")],
        "inputs": [value("x", ["n", FEATURES])],
        "outputs": [value("y", ["n", CLASSES])],
        "constants": [weights()],
        "opsets": {"": 17},
        "ir": 8,
        "functions": [],
    } | changes
    graph = helper.make_graph(parts["nodes"], "g", parts["inputs"], parts["outputs"], parts["constants"])
    opsets = [helper.make_opsetid(domain, version) for domain, version in parts["opsets"].items()]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=parts["ir"], functions=parts["functions"]
    )


def one(kind: str, inputs: Sequence[str] = ("x",), domain: str = "", **attributes: Any) -> list[NodeProto]:
    """The nodes of a model that does one thing to x, and then what a linear one does."""
    made = helper.make_node(kind, list(inputs), ["t"], "it", domain=domain, **attributes)
    return [made, node("MatMul", ["t", "w"], ["h"]), node("Relu", ["h"], ["y"])]


def external(model: onnx.ModelProto, location: str, **place: Any) -> onnx.ModelProto:
    """The model with its first weights in another file, of which only the place is written."""
    weights = model.graph.initializer[0]
    size = len(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, text in {"location": location, "offset": 0, "length": size, **place}.items():
        weights.external_data.append(onnx.StringStringEntryProto(key=key, value=str(text)))
    return model
