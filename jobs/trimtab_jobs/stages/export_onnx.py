"""A trained module to an fp32 ONNX file, checked against the module it came from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import onnx
import torch
from torch import nn

from trimtab_jobs.measure.artifacts import local_folder
from trimtab_jobs.measure.onnx_model import OnnxModel, repeated
from trimtab_jobs.measure.parity import max_excess
from trimtab_jobs.pool.errors import CodeError, ConfigurationError
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.onnx_file import publish_model
from trimtab_jobs.stages.quiet import quiet
from trimtab_jobs.store import MissingError
from trimtab_jobs.tasks.base import Arrays, Predict
from trimtab_jobs.tasks.checkpoints import load_checkpoint
from trimtab_jobs.tasks.predict import predict_with
from trimtab_jobs.tasks.seeds import make_deterministic
from trimtab_jobs.tasks.trial import build_model

PARITY_BATCHES = (1, 3, 64)
PARITY_TOLERANCE = 1e-4
"""Absolute plus relative; sums in another order differ by about 1e-6."""
EXAMPLE_ROWS = 2
"""Rows of the example: the exporter takes a dimension of 1 for a constant."""


@dataclass(frozen=True, slots=True)
class Blame:
    """What is said of an ONNX file that answers otherwise than what it was made from."""

    step: str
    differs: str
    why: str


_TORCH = Blame(
    "export",
    "ONNX Runtime differs from torch",
    "the forward pass may depend on the batch size, on Python values, or on randomness",
)


class ExportWork(TypedDict):
    """The payload of `export`."""

    candidate: str
    params: dict[str, Any]
    checkpoint: str
    seed: int
    opset: int
    batch: str | int
    """`dynamic`, or the number of rows that every call will have."""


def export(session: Session, **work: Unpack[ExportWork]) -> dict[str, Any]:
    """Return key, sha256, bytes, opset, ops and `parity` of the fp32 model, written to the store.

    ConfigurationError when the module cannot be exported, or when ONNX Runtime disagrees with torch.
    """
    make_deterministic(session.setup.threads)
    saved = load_trained(session, work["checkpoint"])
    model = build_model(session.task(), work["params"], work["seed"], saved["model"])
    return publish_module(session, work["candidate"], model, work["opset"], work["batch"])


def publish_module(
    session: Session, candidate: str, model: nn.Module, opset: int, batch: str | int
) -> dict[str, Any]:
    """Return the same for a trained module, which ends on the CPU and in evaluation mode."""
    model = model.cpu().eval()
    inputs = session.task().inputs(max(PARITY_BATCHES))
    rows = None if batch == "dynamic" else int(batch)
    published = publish_model(session, candidate, export_module(model, inputs, opset, rows))
    path = local_folder(session, candidate) / "model.onnx"
    return {**published, "parity": check_parity(model, path, inputs, rows)}


def load_trained(session: Session, checkpoint: str) -> dict[str, Any]:
    """Return the state that a trial left; CodeError when a published run has removed it."""
    try:
        return load_checkpoint(session.store, checkpoint, session.scratch)
    except MissingError:
        raise CodeError(
            f"{checkpoint} is gone: checkpoints are removed once a model is published, and the code or the "
            "trials have changed since; start anew with another --output"
        ) from None


def export_module(model: nn.Module, inputs: Arrays, opset: int, rows: int | None = None) -> onnx.ModelProto:
    """Return the module as an ONNX model whose first axis is free, or fixed to `rows`."""
    example = tuple(torch.from_numpy(repeated(part, rows or EXAMPLE_ROWS)) for part in inputs)
    names = ["input"] if len(example) == 1 else [f"input_{number}" for number in range(len(example))]
    with torch.no_grad():
        outputs = model(*example)
    results = outputs if isinstance(outputs, tuple | list) else (outputs,)
    batch = torch.export.Dim("batch", min=1)
    try:
        with quiet():
            program = torch.onnx.export(
                model,
                example,
                dynamo=True,
                input_names=names,
                output_names=["output"]
                if len(results) == 1
                else [f"output_{i}" for i in range(len(results))],
                opset_version=opset,
                dynamic_shapes=None if rows else tuple({0: batch} for _ in example),
                verbose=False,
            )
    except Exception as error:  # the exporter wraps whatever the user's forward raises in its own types
        raise ConfigurationError(_export_failure(error)) from error
    assert program is not None  # it is with dynamo
    exported: onnx.ModelProto = onnx.ModelProto.FromString(program.model_proto.SerializeToString())
    if rows is None:
        _check_free(exported)
    return exported


def check_parity(model: nn.Module, path: Path, inputs: Arrays, rows: int | None = None) -> dict[str, Any]:
    """Return `maxDiff` by batch size; ConfigurationError when any output is beyond PARITY_TOLERANCE."""
    return compared(predict_with(model), path, inputs, rows, _TORCH)


def compared(
    reference: Predict, path: Path, inputs: Arrays, rows: int | None, blame: Blame
) -> dict[str, Any]:
    """Return the same for what any other model answers to the same inputs."""
    runtime = OnnxModel(path)
    differences: dict[str, Any] = {}
    for batch in PARITY_BATCHES if rows is None else (rows,):
        feed = tuple(repeated(part, batch) for part in inputs)
        difference, excess = max_excess(reference(*feed), runtime.predict(*feed), PARITY_TOLERANCE)
        if excess > 0:
            raise ConfigurationError(
                f"{blame.step}: at batch {batch} {blame.differs} by {difference:.3g}, beyond "
                f"{PARITY_TOLERANCE} absolute and relative; {blame.why}"
            )
        differences[str(batch)] = difference
    return {"maxDiff": differences, "tolerance": PARITY_TOLERANCE}


def _check_free(exported: onnx.ModelProto) -> None:
    """The exporter quietly fixes an axis on which the module turns out to depend."""
    for entry in exported.graph.input:
        axis = entry.type.tensor_type.shape.dim[0]
        if axis.HasField("dim_value"):
            raise ConfigurationError(
                f"export: the module works for {axis.dim_value} rows only; make forward independent of the "
                "batch size, or set spec.export.batch to the number of rows it will be called with"
            )


def _export_failure(error: Exception) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None:  # the innermost one names what stands in the way
        cause = cause.__cause__
    first_line = str(cause).strip().partition("\n")[0]
    return f"export: torch could not export the module: {type(cause).__name__}: {first_line[:300]}"
