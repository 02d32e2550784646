"""Size and speed of a module during the search, where they are objectives of their own."""

from typing import Any

from torch import nn

from trimtab_jobs.measure.artifacts import local_folder
from trimtab_jobs.measure.efficiency import THROUGHPUT_BATCH, measure_files
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.export_onnx import export_module
from trimtab_jobs.stages.onnx_file import strip

OPSET = 21
ROUNDS = 3


def measure_module(session: Session, model: nn.Module) -> dict[str, Any]:
    """Return the figures of the module's fp32 ONNX model, measured on this worker at batch 1."""
    inputs = session.task().inputs(THROUGHPUT_BATCH)
    exported = export_module(model.cpu().eval(), inputs, OPSET)
    strip(exported)
    path = local_folder(session, "trial") / "model.onnx"
    path.write_bytes(exported.SerializeToString(deterministic=True))
    threads = session.setup.threads
    return measure_files({"trial": path}, inputs, threads=threads, batch=1, rounds=ROUNDS)["trial"]
