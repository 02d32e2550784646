"""Size and speed of a trial's model during the search, where they are objectives of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from trimtab_jobs.measure.artifacts import local_folder
from trimtab_jobs.measure.efficiency import THROUGHPUT_BATCH, measure_files
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.export_onnx import export_module
from trimtab_jobs.stages.onnx_file import strip
from trimtab_jobs.tasks.base import Arrays

ROUNDS = 3


def measure_module(session: Session, model: nn.Module, work: Mapping[str, Any]) -> dict[str, float]:
    """Return the objectives of `work` (a trial's FigureWork) for the fp32 model of a module, here."""
    rows = None if work["batch"] == "dynamic" else int(work["batch"])
    exported = export_module(model.cpu().eval(), _inputs(session, work), work["opset"], rows)
    strip(exported)
    path = local_folder(session, "trial") / "model.onnx"
    path.write_bytes(exported.SerializeToString(deterministic=True))
    return measure_file(session, path, work)


def measure_file(session: Session, path: Path, work: Mapping[str, Any]) -> dict[str, float]:
    """Return the same for an ONNX file; objectives that are called alike are measured together."""
    inputs, calls = _inputs(session, work), _calls(session, work)
    measured = {
        call: measure_files({"trial": path}, inputs, threads=call[0], batch=call[1], rounds=ROUNDS)["trial"]
        for call in set(calls.values())
    }
    return {name: measured[call][name] for name, call in calls.items()}


def _calls(session: Session, work: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """By objective the threads and the rows of a call."""
    return {
        name: (threads or session.setup.threads, batch) for name, (threads, batch) in work["calls"].items()
    }


def _inputs(session: Session, work: Mapping[str, Any]) -> Arrays:
    rows = (batch for _, batch in _calls(session, work).values())
    inputs: Arrays = session.task().inputs(max(THROUGHPUT_BATCH, *rows))
    return inputs
