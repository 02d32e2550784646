"""fp16: half the bytes. On x86 no faster, since ONNX Runtime computes in fp32 there."""

from typing import Any

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16  # type: ignore[import-untyped]  # ships no types
from onnxruntime.transformers.onnx_model import OnnxModel as OnnxGraph  # type: ignore[import-untyped]  # ships no types

from trimtab_jobs.measure.artifacts import fetch_model, local_folder, model_bytes
from trimtab_jobs.measure.parity import parity_of
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.onnx_file import publish_model
from trimtab_jobs.stages.quiet import quiet


def convert(session: Session, *, candidate: str, parent: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return key, sha256, bytes, opset, ops, `parity` and `changed` of the parent in half precision.

    Inputs and outputs stay fp32, so that it is called as the parent was. There is nothing to configure.
    """
    source = fetch_model(session, parent)
    with quiet():
        model = convert_float_to_float16(onnx.load(source), keep_io_types=True)
        # the converter appends its casts at the end, where ONNX wants every node after what it reads
        OnnxGraph(model).topological_sort(is_deterministic=True)
    published = publish_model(session, candidate, model)
    halved = sum(1 for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT16)
    path = local_folder(session, candidate) / "model.onnx"
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
