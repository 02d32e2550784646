"""An ONNX file that a person gave, or their function returned, as the fp32 model to make others from."""

from pathlib import Path
from typing import Any, TypedDict, Unpack

import onnx

from trimtab_jobs.given.onnx_model import given_onnx, returned_onnx
from trimtab_jobs.measure.artifacts import local_folder
from trimtab_jobs.measure.onnx_model import Array, OnnxModel
from trimtab_jobs.measure.parity import max_excess
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.export_onnx import PARITY_BATCHES, PARITY_TOLERANCE, load_trained, repeated
from trimtab_jobs.stages.normal_form import normalize
from trimtab_jobs.stages.onnx_file import publish_model
from trimtab_jobs.stages.quiet import quiet


class BringWork(TypedDict):
    """The payload of `bring`."""

    candidate: str
    checkpoint: str | None
    """Key of an objective's checkpoint, with its file; None: the model of the manifest."""
    opset: int
    """What a module would be exported with; a file keeps its own."""
    batch: str | int
    """`dynamic`, or the number of rows that every call will have."""


def bring(session: Session, **work: Unpack[BringWork]) -> dict[str, Any]:
    """Return key, sha256, bytes, opset, ops and `parity` of the model, in normal form, written to the store.

    ConfigurationError when it does not take the rows that spec.export.batch says, or when it answers
    otherwise than the file it was made from.
    """
    key = work["checkpoint"]
    original = given_onnx(session) if key is None else returned_onnx(session, _returned(session, key))
    rows = None if work["batch"] == "dynamic" else int(work["batch"])
    runtime = OnnxModel(original)
    if runtime.batch is not None and runtime.batch != rows:
        raise ConfigurationError(
            f"spec.export.batch: {work['batch']} does not fit the ONNX model, which takes {runtime.batch} "
            f"rows in each call; write batch: {runtime.batch}, or export the model with a dynamic first axis"
        )
    model = onnx.load(original)
    with quiet():
        normalize(model, rows)
    published = publish_model(session, work["candidate"], model)
    path = local_folder(session, work["candidate"]) / "model.onnx"
    return {**published, "parity": _parity(runtime, path, session.task().inputs(max(PARITY_BATCHES)), rows)}


def _returned(session: Session, checkpoint: str) -> bytes:
    """The file that an objective returned, as its checkpoint keeps it."""
    kept: bytes = load_trained(session, checkpoint)["onnx"].numpy().tobytes()
    return kept


def _parity(original: OnnxModel, made: Path, inputs: tuple[Array, ...], rows: int | None) -> dict[str, Any]:
    """Return `maxDiff` by batch size; ConfigurationError when an output is beyond PARITY_TOLERANCE."""
    brought = OnnxModel(made)
    differences: dict[str, float] = {}
    for batch in PARITY_BATCHES if rows is None else (rows,):
        feed = tuple(repeated(part, batch) for part in inputs)
        outputs = original.predict(*feed), brought.predict(*feed)
        differences[str(batch)], excess = max_excess(*outputs, PARITY_TOLERANCE)
        if excess > 0:
            raise ConfigurationError(
                f"bringing the ONNX model into normal form: at batch {batch} it differs from the file by "
                f"{differences[str(batch)]:.3g}, beyond {PARITY_TOLERANCE} absolute and relative; its "
                "operators may be random: export it for inference"
            )
    return {"maxDiff": differences, "tolerance": PARITY_TOLERANCE}
