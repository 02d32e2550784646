"""fp16: half the bytes. On x86 no faster, since ONNX Runtime computes in fp32 there."""

from collections.abc import Collection
from typing import Any

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16  # type: ignore[import-untyped]  # ships no types
from onnxruntime.transformers.onnx_model import OnnxModel as OnnxGraph  # type: ignore[import-untyped]  # ships no types

from trimtab_jobs.given.flaws import one_line
from trimtab_jobs.given.graphs import subgraphs_of
from trimtab_jobs.measure.artifacts import fetch_model, local_folder, model_bytes
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.measure.parity import parity_of
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.onnx_file import publish_model
from trimtab_jobs.stages.quiet import quiet

LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "Attention", "Einsum")
"""Operators with weights: from the first to the last of them, values are of the network's own scale."""


def convert(session: Session, *, candidate: str, parent: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return key, sha256, bytes, opset, ops, `parity` and `changed` of the parent in half precision.

    Inputs and outputs stay fp32, so that it is called as the parent was, and so does what is done to them
    before the first layer and after the last one: raw values may be beyond the range and the resolution of
    fp16. There is nothing to configure. ConfigurationError when the converter does not know what to do with
    the model.
    """
    source = fetch_model(session, parent)
    loaded = onnx.load(source)
    held = _halves(loaded)
    try:
        with quiet():
            model = _converted(loaded)
            published = publish_model(session, candidate, model)
            path = local_folder(session, candidate) / "model.onnx"
            OnnxModel(path)
    except Exception as error:  # onnx's checks and ONNX Runtime's errors have no common base
        raise ConfigurationError(
            f"fp16: ONNX Runtime's converter cannot take it: {type(error).__name__}: {one_line(error)}"
        ) from error
    halved = _halves(model) - held
    before = model_bytes(source)
    return {
        **published,
        "parity": parity_of(session, source, path),
        "changed": {
            "nothing": halved == 0,
            "what": f"{halved} tensors in fp16; {before / 1e6:.3g} → {published['bytes'] / 1e6:.3g} MB",
            "tensors": halved,
            "bytes": [before, published["bytes"]],
        },
    }


def _converted(loaded: onnx.ModelProto) -> onnx.ModelProto:
    inner = sorted({node.op_type for node in loaded.graph.node if any(subgraphs_of(node))})
    if inner:  # it would convert what they read, and not what is in them
        raise NotImplementedError(f"the graphs inside of {', '.join(inner)}")
    model: onnx.ModelProto = convert_float_to_float16(
        loaded, keep_io_types=True, node_block_list=around_layers(loaded)
    )
    _round_only_for_layers(model.graph)
    # the converter appends its casts at the end, where ONNX wants every node after what it reads
    OnnxGraph(model).topological_sort(is_deterministic=True)
    return model


def _halves(model: onnx.ModelProto) -> int:
    return sum(1 for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT16)


def around_layers(model: onnx.ModelProto) -> list[str]:
    """Return the names of the nodes from inputs to first layers, and from last layers to outputs.

    Every node is given a name on the way.
    """
    nodes, weights = model.graph.node, {tensor.name for tensor in model.graph.initializer}
    raw, inside, leading = {entry.name for entry in model.graph.input}, set[str](), set[str]()
    for number, node in enumerate(nodes):
        node.name = node.name or f"{node.op_type}_{number}"
        if _is_layer(node, weights) or not inside.isdisjoint(node.input):
            inside.update(node.output)
        elif not raw.isdisjoint(node.input):
            raw.update(node.output)
    for node in reversed(nodes):
        if _is_layer(node, weights) or not leading.isdisjoint(node.output):
            leading.update(node.input)
    return [
        node.name
        for node in nodes
        if not _is_layer(node, weights)
        and (leading.isdisjoint(node.output) or not raw.isdisjoint(node.output))
    ]


def _is_layer(node: onnx.NodeProto, weights: Collection[str]) -> bool:
    """Whether it is an operator with weights; a Gather is one where it looks rows of them up."""
    return node.op_type in LAYERS or (node.op_type == "Gather" and node.input[0] in weights)


def _round_only_for_layers(graph: onnx.GraphProto) -> None:
    """Let fp32 nodes hand on fp32: the converter has all that passes between two nodes rounded to fp16."""
    rounded = {
        node.output[0]: node.input[0] for node in graph.node if _casts_to(node, onnx.TensorProto.FLOAT16)
    }
    for node in graph.node:
        if _casts_to(node, onnx.TensorProto.FLOAT):
            node.input[0] = rounded.get(node.input[0], node.input[0])
    read = {name for node in graph.node for name in node.input} | {entry.name for entry in graph.output}
    for node in [node for node in graph.node if node.output[0] in rounded and node.output[0] not in read]:
        graph.node.remove(node)


def _casts_to(node: onnx.NodeProto, kind: int) -> bool:
    return node.op_type == "Cast" and any(each.name == "to" and each.i == kind for each in node.attribute)
