"""Static int8: weights and activations as integers, their ranges found on training data.

The graph keeps QDQ form (quantize → dequantize around float operators), which ONNX Runtime fuses into integer
kernels. Types follow the hardware: on x86 unsigned activations and signed weights (U8S8), the only pair whose
kernels are all fast there; on arm64 both signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import (  # type: ignore[import-untyped]  # ships no types
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from trimtab_jobs.given.flaws import one_line
from trimtab_jobs.measure.artifacts import fetch_model, local_folder, model_bytes
from trimtab_jobs.measure.hardware import Hardware, hardware
from trimtab_jobs.measure.onnx_model import Array, OnnxModel
from trimtab_jobs.measure.parity import parity_of
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.onnx_file import fused_ops, publish_model
from trimtab_jobs.stages.quantizable import is_quantized, prepare
from trimtab_jobs.stages.quiet import quiet
from trimtab_jobs.tasks.seeds import seed_everything

METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}
PERCENTILE = 99.99
CALIBRATION_BATCH = 32
INTEGER_OPS = ("QLinear", "QGemm", "QAttention", "MatMulInteger", "ConvInteger")
"""Beginnings of the names of ONNX Runtime's integer kernels."""
FLOAT_OPS = ("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "ConvTranspose")
"""Operators that carry most of the work and could have been integer."""


@dataclass(frozen=True, slots=True)
class Types:
    """Number formats that a class of hardware has fast and right kernels for."""

    activations: QuantType
    reduce_range: bool
    """Seven bits for weights: without VNNI two products of eight bits saturate their 16-bit sum."""


TYPES: dict[Hardware, Types] = {
    "x86-vnni": Types(QuantType.QUInt8, reduce_range=False),
    "x86-avx2": Types(QuantType.QUInt8, reduce_range=True),
    "arm64": Types(QuantType.QInt8, reduce_range=False),
}


class TrainingRows(CalibrationDataReader):  # type: ignore[misc]  # its base ships no types
    """Training inputs in batches, as onnxruntime's calibration pulls them."""

    def __init__(self, model: OnnxModel, inputs: tuple[Array, ...]) -> None:
        self._feeds = _batches(model, inputs)

    def get_next(self) -> dict[str, Array] | None:
        """Return the next batch, None after the last."""
        return next(self._feeds, None)


def quantize(session: Session, *, candidate: str, parent: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return key, sha256, bytes, opset, ops, `parity` and `changed` of the parent in int8.

    `config` is the manifest's calibration: `method` and `samples`, drawn from the train split.
    ConfigurationError when the quantizer does not know what to do with the model.
    """
    source = fetch_model(session, parent)
    types = TYPES[hardware()]
    model = onnx.load(source)
    if is_quantized(model) or not any(node.op_type in FLOAT_OPS for node in model.graph.node):
        changed = _changed(source, source, types) | {"nothing": True}
        parity = parity_of(session, source, source)
        return {**publish_model(session, candidate, model), "parity": parity, "changed": changed}
    seed_everything(0)  # the calibration set is the same each time, whatever the train split draws
    inputs = calibration_rows(session.task().inputs(int(config.get("samples", 512))), config)
    target = local_folder(session, candidate) / "quantized.onnx"
    try:
        with quiet():
            _quantize_file(source, target, TrainingRows(OnnxModel(source), inputs), types, config)
    except Exception as error:  # onnx's checks and ONNX Runtime's asserts have no common base
        raise ConfigurationError(
            f"int8: ONNX Runtime's quantizer cannot take it: {type(error).__name__}: {one_line(error)}"
        ) from error
    published = publish_model(session, candidate, onnx.load(target))
    target.unlink()
    path = local_folder(session, candidate) / "model.onnx"
    return {
        **published,
        "parity": parity_of(session, source, path),
        "changed": _changed(source, path, types),
    }


def calibration_rows(inputs: tuple[Array, ...], config: dict[str, Any]) -> tuple[Array, ...]:
    """Return the inputs that ranges are found on: a histogram takes whole batches, and no NaN.

    ConfigurationError where that leaves none.
    """
    if config.get("method", "minmax") == "minmax":
        return inputs
    whole = np.ones(len(inputs[0]), np.bool_)
    for part in inputs:
        whole &= part.dtype.kind != "f" or np.isfinite(part).reshape(len(part), -1).all(1)
    rows = np.flatnonzero(whole)
    if not len(rows):
        raise ConfigurationError(
            "int8: every training input holds a NaN, which spec.compress.calibration.method: "
            f"{config['method']} cannot take; use minmax"
        )
    full = len(rows) // CALIBRATION_BATCH * CALIBRATION_BATCH or len(rows)
    return tuple(part[rows[:full]] for part in inputs)


def _quantize_file(
    source: Path, target: Path, rows: TrainingRows, types: Types, config: dict[str, Any]
) -> None:
    prepared = target.with_name("prepared.onnx")
    prepare(source, prepared)
    method = str(config.get("method", "minmax"))
    quantize_static(
        prepared,
        target,
        rows,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=types.reduce_range,
        activation_type=types.activations,
        weight_type=QuantType.QInt8,
        calibrate_method=METHODS[method],
        extra_options={"CalibPercentile": PERCENTILE} if method == "percentile" else {},
    )
    prepared.unlink()


def _changed(source: Path, path: Path, types: Types) -> dict[str, Any]:
    """What quantization did, by what ONNX Runtime executes and by bytes."""
    fused = fused_ops(path)
    integer = sum(count for name, count in fused.items() if name.startswith(INTEGER_OPS))
    left = sum(count for name, count in fused.items() if name in FLOAT_OPS)
    before, after = model_bytes(source), model_bytes(path)
    share = f"{integer} integer operators, {left} convolutions or matrix products left in float"
    return {
        "nothing": integer == 0,
        "what": f"{share}; {before / 1e6:.3g} → {after / 1e6:.3g} MB",
        "integer": integer,
        "float": left,
        "fused": fused,
        "types": f"{'U8' if types.activations == QuantType.QUInt8 else 'S8'}S8",
        "reduceRange": types.reduce_range,
        "bytes": [before, after],
    }


def _batches(model: OnnxModel, inputs: tuple[Array, ...]) -> Iterator[dict[str, Array]]:
    for start in range(0, len(inputs[0]), CALIBRATION_BATCH):
        yield from model.feeds(*(part[start : start + CALIBRATION_BATCH] for part in inputs))
