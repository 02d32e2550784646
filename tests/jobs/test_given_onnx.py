"""ONNX files as people have them: checked, brought into normal form, made smaller where that is possible."""

import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from tests.support.given import TASK
from tests.support.onnx_files import CLASSES, FEATURES, external, linear, node, one, tensor, value, weights
from trimtab_jobs.given.onnx_model import given_onnx
from trimtab_jobs.given.structure import NEWEST_IR, NEWEST_OPSETS, OLDEST_OPSET
from trimtab_jobs.measure.artifacts import fetch_model
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.pool import ConfigurationError, GivenModel, Session, WorkerSetup
from trimtab_jobs.stages.half import convert
from trimtab_jobs.stages.import_onnx import bring
from trimtab_jobs.stages.normal_form import normalize
from trimtab_jobs.stages.quantize_static import quantize

INT64 = TensorProto.INT64
WORK: dict[str, Any] = {"candidate": "fp32", "checkpoint": None, "opset": 21, "batch": "dynamic"}
TOKENS = f"""{TASK}

class Images(Rows):
    def inputs(self, count):
        return (np.random.default_rng(0).random((count, 1, 8, 8), dtype=np.float32),)


class Tokens(Rows):
    def inputs(self, count):
        draw = np.random.default_rng(0)
        return draw.integers(0, 50, (count, 8)), np.tile([1, 1, 1, 1, 1, 1, 0, 0], (count, 1))


class Trees(Rows):
    def evaluate(self, predict, split):
        label, scores = predict(*self.inputs(30))
        return {{"correct": (label == 0).astype(float)}}
"""


class Convolutions(nn.Sequential):
    def __init__(self) -> None:
        first = (nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2))
        second = (nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        super().__init__(*first, *second, nn.Flatten(), nn.Linear(32, 10))


class Attention(nn.Module):
    """One block of a transformer: token numbers and a mask to scores."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 64)
        self.heads = nn.ModuleList(nn.Linear(64, 64) for _ in range(3))
        self.norm, self.scores = nn.LayerNorm(64), nn.Linear(64, 3)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        words = self.words(ids)
        query, key, held = (head(words) for head in self.heads)
        seen = (query @ key.transpose(1, 2) / 8.0).masked_fill(mask[:, None, :] == 0, float("-inf"))
        mixed: torch.Tensor = self.norm(words + seen.softmax(-1) @ held)
        return self.scores(mixed.mean(1))  # type: ignore[no-any-return]  # torch types no call of a module


def exported(module: nn.Module, example: tuple[torch.Tensor, ...], opset: int, free: bool = True) -> bytes:
    """The module by torch's exporter of old, which folds no batch normalization where the set is older."""
    names = [f"in{number}" for number in range(len(example))]
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and its files will be around for years
        torch.onnx.export(
            module.eval(),
            example,
            file,  # type: ignore[arg-type]  # it takes files
            dynamo=False,
            opset_version=opset,
            input_names=names,
            output_names=["out"],
            dynamic_axes={name: {0: "n"} for name in (*names, "out")} if free else None,
            training=torch.onnx.TrainingMode.PRESERVE,
        )
    return file.getvalue()


def images(opset: int, rows: int = 2) -> bytes:
    torch.manual_seed(0)
    return exported(Convolutions(), (torch.rand(rows, 1, 8, 8),), opset, free=rows > 1)


def tokens(opset: int) -> bytes:
    torch.manual_seed(0)
    return exported(
        Attention(), (torch.zeros(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long)), opset
    )


def trees() -> bytes:
    rows = np.random.default_rng(0).normal(size=(60, FEATURES)).astype(np.float32)
    forest = RandomForestClassifier(5, max_depth=4, random_state=0).fit(rows, rows.argmax(1) % CLASSES)
    return bytes(to_onnx(forest, rows[:1], options={"zipmap": False}).SerializeToString())


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Any]:
    """A session that starts from these bytes of a model."""
    sessions: list[Session] = []

    def session(body: bytes, name: str = "Rows", **data: bytes) -> Session:
        code, module = tmp_path / "code", f"given_{abs(hash(str(tmp_path)))}"
        code.mkdir()
        (code / f"{module}.py").write_text(TOKENS)
        for file, content in {"m.onnx": body, **data}.items():
            (tmp_path / file).write_bytes(content)
        model = GivenModel(str(tmp_path / "m.onnx"))
        setup = WorkerSetup(str(tmp_path / "store"), f"{module}:{name}", {}, str(code), model=model)
        sessions.append(Session(setup))
        return sessions[-1]

    yield session
    for each in sessions:
        each.close()


MODELS: Mapping[str, tuple[Any, str, bool]] = {
    "convolutions of operator set 9": (lambda: images(9), "Images", True),
    "convolutions of operator set 11": (lambda: images(11), "Images", True),
    "convolutions of operator set 13": (lambda: images(13), "Images", True),
    "convolutions of operator set 17": (lambda: images(17), "Images", True),
    "tokens and a mask of operator set 11": (lambda: tokens(11), "Tokens", True),
    "tokens and a mask of operator set 17": (lambda: tokens(17), "Tokens", True),
    "a forest of trees": (trees, "Trees", False),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model_is_brought_and_made_smaller_where_that_is_possible(given: Any, case: str) -> None:
    make, name, shrinks = MODELS[case]
    session = given(make(), name)

    brought = bring(session, **WORK)
    halved = convert(session, candidate="fp16", parent="fp32", config={})
    quantized = quantize(session, candidate="int8", parent="fp32", config={"samples": 64})

    assert brought["parity"]["maxDiff"] == {"1": 0, "3": 0, "64": 0}
    assert [made["changed"]["nothing"] for made in (halved, quantized)] == [not shrinks] * 2
    if shrinks:
        assert quantized["changed"]["integer"] >= 3
        assert quantized["changed"]["float"] == 0
        assert max(halved["bytes"], quantized["bytes"]) < brought["bytes"]


def test_a_model_of_one_row_stays_so_and_is_called_row_by_row(given: Any) -> None:
    session = given(images(13, rows=1), "Images")

    brought = bring(session, **WORK | {"batch": 1})
    quantized = quantize(session, candidate="int8", parent="fp32", config={"samples": 8})

    assert brought["parity"]["maxDiff"] == {"1": 0}
    assert quantized["changed"]["nothing"] is False
    assert OnnxModel(fetch_model(session, "int8")).batch == 1


def test_a_batch_in_the_manifest_fixes_a_free_axis(given: Any) -> None:
    session = given(linear().SerializeToString())

    brought = bring(session, **WORK | {"batch": 8})

    assert brought["parity"]["maxDiff"] == {"8": 0}
    assert OnnxModel(fetch_model(session, "fp32")).batch == 8


def test_loops_and_branches_run_and_what_is_in_them_stays_as_it_is(given: Any) -> None:
    both = [
        helper.make_graph([node(kind, ["x"], [out])], out, [], [value(out, ["n", FEATURES])])
        for kind, out in (("Relu", "a"), ("Tanh", "b"))
    ]
    flags = [value("i", [], INT64), value("c", [], TensorProto.BOOL), value("v", ["n", FEATURES])]
    steps = [node("Identity", ["c"], ["d"]), node("Add", ["v", "x"], ["u"])]
    last = [value("d", [], TensorProto.BOOL), value("u", ["n", FEATURES])]
    nodes = [
        node("If", ["yes"], ["p"], then_branch=both[0], else_branch=both[1]),
        node("Loop", ["three", "yes", "p"], ["t"], body=helper.make_graph(steps, "body", flags, last)),
        *one("Relu")[1:],
    ]
    constants = [weights(), tensor("yes", True, bool), tensor("three", 3, np.int64)]
    session = given(linear(nodes=nodes, constants=constants).SerializeToString())

    brought = bring(session, **WORK)
    quantized = quantize(session, candidate="int8", parent="fp32", config={"samples": 64})

    assert brought["ops"] == {"If": 1, "Loop": 1, "MatMul": 1, "Relu": 1}
    assert quantized["changed"]["integer"] == 1
    with pytest.raises(
        ConfigurationError, match=r"fp16: .* cannot take it: .* the graphs inside of If, Loop"
    ):
        convert(session, candidate="fp16", parent="fp32", config={})


@pytest.mark.parametrize("name", ["w.data", "model.onnx"])
def test_data_beside_the_model_are_put_into_it(given: Any, name: str) -> None:
    body = external(linear(), name, offset=16).SerializeToString()
    session = given(body, **{name: bytes(16) + weights().raw_data})

    brought = bring(session, **WORK)

    (kept,) = onnx.load_from_string(session.store.get("candidates/fp32/model.onnx")).graph.initializer
    assert kept.raw_data == weights().raw_data
    assert [path.name for path in given_onnx(session).parent.iterdir()] == ["model.onnx"]
    assert brought["bytes"] > len(weights().raw_data)


def test_a_model_that_is_in_integers_already_is_not_quantized_again(given: Any) -> None:
    session = given(images(13), "Images")
    bring(session, **WORK)
    quantize(session, candidate="int8", parent="fp32", config={"samples": 64})

    again = quantize(session, candidate="again", parent="int8", config={})

    assert again["changed"]["nothing"] is True
    assert again["bytes"] == len(session.store.get("candidates/int8/model.onnx"))


def outputs_of(model: onnx.ModelProto) -> Any:
    rows = np.random.default_rng(1).normal(size=(5, FEATURES)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})[0]


OWN = helper.make_function(
    "own", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
)
FORMS: Mapping[str, onnx.ModelProto] = {
    "constants among the inputs, as of old": linear(
        inputs=[value("x", ["n", FEATURES]), value("w", [FEATURES, CLASSES])], ir=3
    ),
    "nodes in another order": linear(nodes=[*reversed(one("Tanh"))]),
    "nodes without names, and one of a name like theirs": linear(
        nodes=[
            node("Tanh", ["x"], ["t"], "MatMul_1"),
            node("MatMul", ["t", "w"], ["h"]),
            node("Relu", ["h"], ["y"]),
        ]
    ),
    "a function of its own": linear(
        nodes=one("Twice", domain="own"), opsets={"": 17, "own": 1}, functions=[OWN]
    ),
    "constants as nodes": linear(
        nodes=[
            node("Constant", [], ["c"], value=weights("")),
            node("Constant", [], ["k"], value_float=0.5),
            node("Constant", [], ["ks"], value_floats=[1.0, 2.0, 3.0]),
            node("MatMul", ["x", "c"], ["p"]),
            node("Mul", ["p", "k"], ["h"]),
            node("Add", ["h", "ks"], ["y"]),
        ],
        constants=[],
    ),
    "axes without names": linear(
        inputs=[value("x", [None, FEATURES])], outputs=[value("y", [None, CLASSES])]
    ),  # type: ignore[list-item]  # onnx's way to leave one open
}


@pytest.mark.parametrize("case", FORMS)
def test_normal_form_computes_the_same(case: str) -> None:
    model, before = onnx.ModelProto(), outputs_of(FORMS[case])
    model.CopyFrom(FORMS[case])

    normalize(model)

    onnx.checker.check_model(model, full_check=True)
    names = [each.name for each in model.graph.node]
    assert np.array_equal(outputs_of(model), before)
    assert [entry.name for entry in model.graph.input] == ["x"]
    assert len(set(names)) == len(names)
    assert all(names)
    assert not model.functions
    assert not [each for each in model.graph.node if each.op_type in ("Constant", "Twice")]
    assert all(axis.dim_value or axis.dim_param for axis in model.graph.input[0].type.tensor_type.shape.dim)


def loads(model: onnx.ModelProto) -> bool:
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception:  # its own types have no common base
        return False
    return True


def test_the_versions_that_are_taken_are_those_that_onnx_runtime_loads() -> None:
    newest = NEWEST_OPSETS[""]
    for opset in (OLDEST_OPSET, newest):
        assert loads(linear(nodes=[node("MatMul", ["x", "w"], ["y"])], opsets={"": opset}, ir=NEWEST_IR))
    assert loads(linear(opsets={"": newest, "ai.onnx.ml": NEWEST_OPSETS["ai.onnx.ml"]}))
    assert not loads(linear(ir=NEWEST_IR + 1))
    assert not loads(linear(opsets={"": newest, "ai.onnx.ml": NEWEST_OPSETS["ai.onnx.ml"] + 1}))
