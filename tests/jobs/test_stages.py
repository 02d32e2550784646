"""From a checkpoint to fp32, fp16 and int8 ONNX files: same outputs, same bytes, nothing but the model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType
from torch import nn

from tests.support.tasks import BLOBS, session_of, trial_work
from trimtab_jobs.measure.artifacts import fetch_model, model_key
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.pool import CodeError, ConfigurationError, Session
from trimtab_jobs.pool.session import resolve
from trimtab_jobs.stages import STAGES
from trimtab_jobs.stages.export_onnx import check_parity, export, export_module
from trimtab_jobs.stages.half import convert
from trimtab_jobs.stages.onnx_file import ops_of, publish_model, strip
from trimtab_jobs.stages.quantizable import prepare
from trimtab_jobs.stages.quantize_static import TYPES, quantize
from trimtab_jobs.tasks.trial import run_trial

FORMATS = [stage for stage in STAGES if stage != "structured"]
"""Stages from one ONNX file to another."""
# Wide enough that quantization has something to gain, and with an image so that there are convolutions.
CONVOLUTIONS = "Lift(), nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.Flatten()"
LIFT = """

class Lift(nn.Module):
    def forward(self, points):
        return points[:, None, :, None].expand(-1, 1, 2, 4)
"""
IMAGES = BLOBS.replace("nn.Linear(2, width)", CONVOLUTIONS).replace("(width, 3)", "(512, 3)") + LIFT


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session in which one trial has been trained and exported as fp32."""
    session = session_of(tmp_path_factory.mktemp("stages"), IMAGES)
    run_trial(session, **trial_work(checkpoint="checkpoints/0.pt"))
    export(session, **export_work())
    yield session
    session.close()


def export_work(**changes: Any) -> dict[str, Any]:
    return {
        "candidate": "fp32",
        "params": {"lr": 0.01},
        "checkpoint": "checkpoints/0.pt",
        "seed": 7,
        "opset": 21,
        "batch": "dynamic",
    } | changes


def outputs(session: Session, candidate: str, rows: int = 30) -> np.ndarray:
    return OnnxModel(fetch_model(session, candidate)).predict(*session.task().inputs(rows))


def test_an_export_says_what_it_is(session: Session) -> None:
    made = export(session, **export_work(candidate="again"))
    body = session.store.get("candidates/again/model.onnx")
    assert made["key"] == model_key("again")
    assert (made["opset"], made["bytes"], made["ops"]["Conv"]) == (21, len(body), 1)
    assert set(made["parity"]["maxDiff"]) == {"1", "3", "64"}


def test_the_same_weights_give_the_same_bytes_without_any_path(session: Session) -> None:
    export(session, **export_work(candidate="twin"))
    body = session.store.get(model_key("twin"))
    assert body == session.store.get(model_key("fp32"))
    for word in (b".py", b"site-packages", b"user_task", str(session.scratch).encode()):
        assert word not in body


@pytest.mark.parametrize(("batch", "expected"), [("dynamic", None), (5, 5)])
def test_the_first_axis_is_free_or_fixed(session: Session, batch: str | int, expected: int | None) -> None:
    export(session, **export_work(candidate="axis", batch=batch))
    model = OnnxModel(fetch_model(session, "axis"))
    assert (model.batch, model.names) == (expected, ("input",))
    assert np.allclose(outputs(session, "axis", rows=7), outputs(session, "fp32", rows=7), atol=1e-5)


def test_fp16_halves_the_bytes_and_keeps_the_interface(session: Session) -> None:
    made = convert(session, candidate="fp16", parent="fp32", config={})
    before, after = made["changed"]["bytes"]
    assert made["changed"]["nothing"] is False
    assert made["changed"]["what"].startswith("4 tensors in fp16; ")
    assert before / after > 1.5
    assert made["parity"]["top1Agreement"] > 0.9
    assert outputs(session, "fp16").dtype == np.float32


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_int8_runs_on_integer_kernels(session: Session, method: str) -> None:
    made = quantize(session, candidate="int8", parent="fp32", config={"method": method, "samples": 64})
    changed = made["changed"]
    assert (changed["nothing"], changed["float"], changed["fused"]["QLinearConv"]) == (False, 0, 1)
    assert changed["what"].startswith(
        "2 integer operators, 0 convolutions or matrix products left in float; "
    )
    assert changed["bytes"][0] > changed["bytes"][1]
    assert made["parity"]["sqnrDb"] > 10


@pytest.mark.parametrize("stage", FORMATS)
def test_every_stage_gives_the_same_bytes_each_time_without_any_path(session: Session, stage: str) -> None:
    run = resolve(STAGES[stage])
    first, second = (run(session, candidate=name, parent="fp32", config={}) for name in ("one", "two"))
    assert first["sha256"] == second["sha256"]
    model = onnx.load_from_string(session.store.get(model_key("one")))
    assert not model.metadata_props
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert str(session.scratch).encode() not in session.store.get(model_key("one"))


class Sine(nn.Module):
    """Nothing that could be in integers or in half precision."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x)


@pytest.mark.parametrize("stage", FORMATS)
def test_a_stage_that_finds_nothing_to_change_says_so(tmp_path: Path, stage: str) -> None:
    session = session_of(tmp_path, BLOBS.replace("% 3", "% 2"), module="two_classes")
    publish_model(session, "bare", export_module(Sine(), session.task().inputs(4), 21))
    made = resolve(STAGES[stage])(session, candidate="made", parent="bare", config={})
    assert made["changed"]["nothing"] is True
    session.close()


def test_types_follow_the_hardware() -> None:
    assert {name: (types.activations, types.reduce_range) for name, types in TYPES.items()} == {
        "x86-vnni": (QuantType.QUInt8, False),
        "x86-avx2": (QuantType.QUInt8, True),
        "arm64": (QuantType.QInt8, False),
    }


class Pair(nn.Module):
    """Two inputs, two outputs."""

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return left + right, left * right


def test_inputs_and_outputs_are_numbered_where_there_are_several(session: Session, tmp_path: Path) -> None:
    inputs = (np.ones((4, 2), np.float32), np.full((4, 2), 2.0, np.float32))
    path = tmp_path / "model.onnx"
    path.write_bytes(export_module(Pair(), inputs, 21).SerializeToString())
    model = OnnxModel(path)
    assert model.names == ("input_0", "input_1")
    assert [entry.name for entry in model.runtime.get_outputs()] == ["output_0", "output_1"]
    assert [part.tolist() for part in model.predict(inputs[0][:1], inputs[1][:1])] == [
        [[3.0, 3.0]],
        [[2.0, 2.0]],
    ]
    check_parity(Pair(), path, inputs)


class TwoRows(nn.Module):
    """Works for two rows only."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.ones(2, 2)


class Singular(nn.Module):
    """Uses what ONNX does not have."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.svd(x)[1]


@pytest.mark.parametrize(
    ("module", "message"),
    [
        pytest.param(TwoRows(), r"the module works for 2 rows only; .*spec\.export\.batch", id="batch"),
        pytest.param(Singular(), "could not export the module: .*linalg_svd", id="unknown operator"),
    ],
)
def test_a_module_that_cannot_be_exported(session: Session, module: nn.Module, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        export_module(module, session.task().inputs(4), 21)


class Moody(nn.Module):
    """Answers differently each time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand(1)


def test_a_module_that_onnx_runtime_disagrees_with_is_refused(session: Session, tmp_path: Path) -> None:
    inputs = session.task().inputs(4)
    path = tmp_path / "model.onnx"
    path.write_bytes(export_module(Moody(), inputs, 21).SerializeToString())
    with pytest.raises(
        ConfigurationError, match=r"at batch 1 ONNX Runtime differs from torch by 0\.\d+, beyond"
    ):
        check_parity(Moody(), path, inputs)


def test_stripping_reaches_functions_and_subgraphs() -> None:
    inner = helper.make_node("Identity", ["x"], ["y"], doc_string="/home/user/secret.py")
    branch = helper.make_graph([inner], "branch", [], [helper.make_tensor_value_info("y", 1, [1])])
    outer = helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    graph = helper.make_graph(
        [outer],
        "main",
        [helper.make_tensor_value_info("c", TensorProto.BOOL, [1], doc_string="/home/user/a.py")],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])],
    )
    inlined = helper.make_function("own", "F", ["x"], ["y"], [inner], [helper.make_opsetid("", 21)])
    model = helper.make_model(graph, functions=[inlined], doc_string="/home/user/b.py")
    helper.set_model_props(model, {"source": "/home/user/c.py"})
    strip(model)
    assert b"/home" not in model.SerializeToString()
    assert ops_of(model) == {"If": 1}


def test_an_export_without_its_checkpoint_says_why_and_what_to_do(session: Session) -> None:
    with pytest.raises(CodeError, match=r"checkpoints/9.pt is gone: .*; start anew with another --output"):
        export(session, **export_work(checkpoint="checkpoints/9.pt"))


def test_what_follows_a_scaler_of_scikit_learns_has_a_type(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Scaler", ["x"], ["scaled"], domain="ai.onnx.ml", offset=[0.0], scale=[2.0]),
        helper.make_node("MatMul", ["scaled", "weights"], ["product"]),
        helper.make_node("Relu", ["product"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("x", "y")]
    weights = numpy_helper.from_array(np.eye(2, dtype=np.float32), "weights")
    graph = helper.make_graph(nodes, "scaled", ends[:1], ends[1:], [weights])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "model.onnx")

    prepare(tmp_path / "model.onnx", tmp_path / "prepared.onnx")

    values = onnx.load(tmp_path / "prepared.onnx").graph.value_info
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    assert (types["scaled"], types["product"]) == (TensorProto.FLOAT, TensorProto.FLOAT)
