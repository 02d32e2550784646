"""An ONNX model made ready for static int8: what the quantizer needs of a graph, and does not say."""

import contextlib
from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto
from onnxruntime.quantization.shape_inference import quant_pre_process  # type: ignore[import-untyped]  # ships no types

from trimtab_jobs.stages.onnx_file import opset_of

PER_CHANNEL_OPSET = 13
"""The first operator set whose DequantizeLinear has a scale for each channel."""
FLOAT_FEATURES = ("Scaler", "Normalizer", "OneHotEncoder", "FeatureVectorizer")
"""Operators of ai.onnx.ml before a network, such as scikit-learn's, whose output is float32."""
INTEGER_MARKS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
"""Operators of a model that is quantized already, beside those that begin with QLinear."""


def is_quantized(model: ModelProto) -> bool:
    """Return whether a model is one in integers already."""
    return any(
        node.op_type in INTEGER_MARKS or node.op_type.startswith("QLinear") for node in model.graph.node
    )


def prepare(source: Path, prepared: Path) -> None:
    """Write the model with constants folded, batch normalization in its convolutions, and shapes inferred.

    Whatever onnx and ONNX Runtime raise says why it cannot be.
    """
    model = onnx.load(source)
    if opset_of(model) < PER_CHANNEL_OPSET:
        model = onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET)
    raised = prepared.with_name("raised.onnx")
    raised.write_bytes(model.SerializeToString())
    with contextlib.chdir(
        prepared.parent
    ):  # where shapes are not found, it leaves a file in the working folder
        _infer_shapes(raised, prepared)
    raised.unlink()
    model = onnx.load(prepared)
    flatten_biases(model)
    type_features(model)
    prepared.write_bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())


def _infer_shapes(source: Path, prepared: Path) -> None:
    try:
        quant_pre_process(source, prepared)
    except (
        Exception
    ):  # its symbolic shapes know fewer operators than ONNX Runtime runs; ONNX's own are enough
        quant_pre_process(source, prepared, skip_symbolic_shape=True)


def type_features(model: ModelProto) -> None:
    """Say the type of what FLOAT_FEATURES give: ONNX's inference does not, and all after it stayed float."""
    known = {value.name for value in (*model.graph.value_info, *model.graph.output)}
    model.graph.value_info.extend(
        onnx.helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
        for node in model.graph.node
        if node.domain == "ai.onnx.ml" and node.op_type in FLOAT_FEATURES and node.output[0] not in known
    )


def flatten_biases(model: ModelProto) -> None:
    """Let each bias of a Gemm have one axis: the quantizer takes a row of a matrix (1, n) for one number."""
    biases = {node.input[2] for node in model.graph.node if node.op_type == "Gemm" and len(node.input) > 2}
    others = {name for node in model.graph.node if node.op_type != "Gemm" for name in node.input}
    for tensor in model.graph.initializer:
        if tensor.name in biases - others and len(tensor.dims) == 2 and tensor.dims[0] == 1:
            del tensor.dims[0]
