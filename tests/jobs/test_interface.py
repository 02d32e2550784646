"""What a published model takes and gives, as its serving configuration names it."""

from pathlib import Path

import pytest
from onnx import TensorProto, checker, helper, save

from tests.support.tasks import session_of, trial_work
from trimtab_jobs.measure.interface import interface
from trimtab_jobs.pool.errors import ConfigurationError
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
    assert found["preprocessing"] == {}


def given(folder: Path, nodes: list, outputs: list):
    """A session whose store has a model of these nodes over `x`, rows of two."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    graph = helper.make_graph(nodes, "made", [x], outputs)
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    checker.check_model(model)
    session = session_of(folder, module=f"task_{len(nodes)}_{nodes[0].op_type}")
    path = folder / "model.onnx"
    save(model, path)
    session.store.put("candidates/given/model.onnx", path.read_bytes())
    return session


def test_axes_without_names_are_told_by_running_rows(tmp_path: Path):
    nodes = [
        helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0),
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Transpose", ["x"], ["columns"], perm=[1, 0]),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("mean", TensorProto.FLOAT, []),
        helper.make_tensor_value_info("columns", TensorProto.FLOAT, [2, None]),
    ]

    found = interface(given(tmp_path, nodes, outputs), candidate="given")

    assert found == {
        "inputs": [{"name": "x", "dtype": "float32", "shape": ["batch", 2]}],
        "outputs": [
            {"name": "label", "dtype": "int64", "shape": ["batch"]},
            {"name": "mean", "dtype": "float32", "shape": []},
            {"name": "columns", "dtype": "float32", "shape": [2, 2]},
        ],
        "preprocessing": {},
    }


def test_an_output_that_is_no_tensor_is_refused_with_what_to_do(tmp_path: Path):
    zipped = helper.make_node("ZipMap", ["x"], ["scores"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    kind = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    scores = helper.make_value_info("scores", helper.make_sequence_type_proto(kind))

    with pytest.raises(ConfigurationError, match=r"'scores' of the ONNX model is of type seq.*zipmap=False"):
        interface(given(tmp_path, [zipped], [scores]), candidate="given")
