"""What a published model takes and gives, as its serving configuration names it."""

from pathlib import Path

from tests.support.tasks import session_of, trial_work
from trimtab_jobs.measure.interface import interface
from trimtab_jobs.stages.export_onnx import export
from trimtab_jobs.tasks.trial import run_trial


def exported(folder: Path, batch: str | int):
    session = session_of(folder, module=f"task_{batch}")
    run_trial(session, **trial_work(checkpoint="checkpoints/0.pt"))
    work = {"candidate": "fp32", "params": {}, "checkpoint": "checkpoints/0.pt", "seed": 7, "opset": 21}
    export(session, **work, batch=batch)
    return session


def test_a_dynamic_batch_is_an_axis_with_a_name(tmp_path: Path):
    found = interface(exported(tmp_path, "dynamic"), candidate="fp32")

    assert [(each["name"], each["dtype"]) for each in found["inputs"]] == [("input", "float32")]
    assert isinstance(found["inputs"][0]["shape"][0], str)
    assert found["inputs"][0]["shape"][1:] == [2]
    assert [(each["name"], each["dtype"]) for each in found["outputs"]] == [("output", "float32")]
    assert isinstance(found["outputs"][0]["shape"][0], str)


def test_a_fixed_batch_is_a_number(tmp_path: Path):
    found = interface(exported(tmp_path, 4), candidate="fp32")

    assert found["inputs"] == [{"name": "input", "dtype": "float32", "shape": [4, 2]}]
    assert found["outputs"] == [{"name": "output", "dtype": "float32", "shape": [4, 3]}]
