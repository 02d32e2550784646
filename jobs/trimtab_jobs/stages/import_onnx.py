"""An ONNX file that a person gave, or their function returned, as the fp32 model to make others from."""

from typing import Any, TypedDict, Unpack

import onnx

from trimtab_jobs.given.onnx_model import given_onnx, returned_onnx
from trimtab_jobs.measure.artifacts import local_folder
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.export_onnx import PARITY_BATCHES, Blame, compared, load_trained
from trimtab_jobs.stages.normal_form import normalize
from trimtab_jobs.stages.onnx_file import publish_model
from trimtab_jobs.stages.quiet import quiet

_FILE = Blame(
    "bringing the ONNX model into normal form",
    "it differs from the file",
    "its operators may be random: export it for inference",
)


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
    inputs = session.task().inputs(max(PARITY_BATCHES))
    return {**published, "parity": compared(runtime.predict, path, inputs, rows, _FILE)}


def _returned(session: Session, checkpoint: str) -> bytes:
    """The file that an objective returned, as its checkpoint keeps it."""
    kept: bytes = load_trained(session, checkpoint)["onnx"].numpy().tobytes()
    return kept
