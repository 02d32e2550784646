"""ONNX files as they are published: nothing in them but the model, and the same bytes every time."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import onnx
import onnxruntime  # type: ignore[import-untyped]  # ships no types

from trimtab_jobs.measure.artifacts import local_folder, model_bytes, model_key
from trimtab_jobs.measure.onnx_model import session_options
from trimtab_jobs.pool.session import Session

REMOVED = ("metadata_props", "doc_string")
"""Fields in which the exporter leaves source paths and stack traces, at every level of the model."""


def strip(message: Any) -> None:
    """Remove what REMOVED names from a protobuf message and all in it, functions and subgraphs too."""
    for field in REMOVED:
        if field in message.DESCRIPTOR.fields_by_name:
            message.ClearField(field)
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE:
            for part in value if descriptor.is_repeated else [value]:
                strip(part)


def publish_model(session: Session, candidate: str, model: onnx.ModelProto) -> dict[str, Any]:
    """Return `key`, `sha256`, `bytes`, `opset`, `ops` of the model, stripped and written to the store."""
    strip(model)
    onnx.checker.check_model(model)
    body = model.SerializeToString(deterministic=True)
    path = local_folder(session, candidate) / "model.onnx"
    path.write_bytes(body)
    session.store.put_file(model_key(candidate), path)
    return {
        "key": model_key(candidate),
        "sha256": hashlib.sha256(body).hexdigest(),
        "bytes": model_bytes(path),
        "opset": opset_of(model),
        "ops": ops_of(model),
    }


def opset_of(model: onnx.ModelProto) -> int:
    """Return the version of the standard operator set."""
    return int(next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")))


def ops_of(model: onnx.ModelProto) -> dict[str, int]:
    """Return how often each operator occurs in the main graph."""
    return dict(sorted(Counter(node.op_type for node in model.graph.node).items()))


def fused_ops(path: Path) -> dict[str, int]:
    """Return the operators that ONNX Runtime really executes: after its own optimizations on this machine."""
    optimized = path.with_suffix(".optimized.onnx")
    options = session_options()
    options.optimized_model_filepath = str(optimized)
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    counted = ops_of(onnx.load(optimized, load_external_data=False))
    optimized.unlink()
    return counted
