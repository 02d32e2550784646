"""ONNX files that are damaged, wrong, not for this task, or made to do harm: one clear error each."""

import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from safetensors.numpy import save_file

from tests.support.given import TASK, published, run_given
from tests.support.onnx_files import CLASSES, FEATURES, external, linear, node, one, tensor, value, weights
from trimtab_jobs.given.onnx_model import probed, verdict_of

Maker = Callable[[Path], Any]
"""Writes files into a folder; what it returns is the model's bytes, or None where it wrote them itself."""
NAN, INF, HUGE = float("nan"), float("inf"), 10**13
INT64, STRING, BOOL = TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL
SOUND = linear().SerializeToString()
OTHER_SHA = "0" * 64


def changed(**changes: Any) -> Maker:
    return lambda folder: linear(**changes).SerializeToString()


def bytes_of(body: bytes) -> Maker:
    return lambda folder: body


def in_another_file(location: str, body: bytes | None = b"", **place: Any) -> Maker:
    """Weights in another file, with these bytes where it can be written."""

    def make(folder: Path) -> bytes:
        if body is not None:
            (folder / location).parent.mkdir(exist_ok=True)
            (folder / location).write_bytes(body or weights().raw_data)
        return external(linear(), location, **place).SerializeToString()

    return make


def linked(folder: Path) -> bytes:
    """Weights in a file that is a link out of the folder."""
    (folder.parent / "secret").write_bytes(weights().raw_data)
    (folder / "w.data").symlink_to("../secret")
    return external(linear(), "w.data").SerializeToString()


def torch_saved(folder: Path) -> None:
    torch.save({"w": torch.zeros(3)}, folder / "m.onnx")


def tensors_saved(folder: Path) -> None:
    save_file({"w": np.zeros(3, np.float32)}, folder / "m.onnx")


def without(field: str) -> Maker:
    def make(folder: Path) -> bytes:
        model = linear()
        model.graph.ClearField(field) if field in model.graph.DESCRIPTOR.fields_by_name else model.ClearField(
            field
        )
        return bytes(model.SerializeToString())

    return make


def typed(kind: onnx.TypeProto, role: str = "output") -> Maker:
    """An output, or input, that is no tensor of numbers."""
    entry = onnx.ValueInfoProto(name="y" if role == "output" else "x", type=kind)
    return changed(**{f"{role}s": [entry]})


def damaged_weights(folder: Path) -> bytes:
    model = linear()
    model.graph.initializer[0].raw_data = b"\0" * 8
    return bytes(model.SerializeToString())


def shaped_weights(*dims: int) -> Maker:
    def make(folder: Path) -> bytes:
        model = linear()
        model.graph.initializer[0].CopyFrom(TensorProto(name="w", dims=dims, data_type=TensorProto.FLOAT))
        return bytes(model.SerializeToString())

    return make


def branch(read: str, numbers: Any = 0.0) -> list[onnx.NodeProto]:
    """The nodes of a model with an If, whose branches read something and hold a constant."""
    constant = [tensor("k", numbers)]
    graphs = [
        helper.make_graph([node("Add", [read, "k"], [out])], out, [], [value(out, ["n", FEATURES])], constant)
        for out in ("a", "b")
    ]
    chosen = node("If", ["yes"], ["t"], "choice", then_branch=graphs[0], else_branch=graphs[1])
    return [chosen, *one("Relu")[1:]]


def function(name: str, body: list[onnx.NodeProto]) -> onnx.FunctionProto:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, ["a"], ["b"], body, imports)


STANDARD = [weights(), tensor("yes", True, bool)]
SEQUENCE = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["n"]))
SCALES = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["n", FEATURES]))
TWICE = [node("Relu", ["x"], ["t"], "a"), node("Tanh", ["x"], ["t"], "b"), *one("Relu")[1:]]
RING = [
    node("Add", ["x", "b"], ["a"], "first"),
    node("Relu", ["a"], ["b"], "second"),
    node("Relu", ["b"], ["t"]),
]
OWN = {"": 17, "own": 1}

FILES: dict[str, tuple[Maker, str]] = {
    "empty": (bytes_of(b""), "is empty; write or download it again"),
    "a web page": (
        bytes_of(b"\n<!DOCTYPE html><html>404</html>"),
        "is a web page, not a model; download the file",
    ),
    "an error in XML": (bytes_of(b"<?xml version='1.0'?><Error/>"), "is a web page, not a model"),
    "an error in JSON": (bytes_of(b'{"error": "no such key"}'), "cannot be read: it is damaged or cut short"),
    "a Git LFS pointer": (
        bytes_of(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "is a Git LFS pointer, not the file it stands for; run git lfs pull",
    ),
    "a torch checkpoint": (
        torch_saved,
        "is a torch checkpoint or a pickle, not an ONNX file; export the module",
    ),
    "a pickle": (bytes_of(pickle.dumps({})), "is a torch checkpoint or a pickle, not an ONNX file"),
    "safetensors": (
        tensors_saved,
        "holds weights in safetensors, not an ONNX file; let its name end in .safetensors",
    ),
    "an archive": (bytes_of(b"\x1f\x8b\x08rest"), "is an archive; unpack it"),
    "ORT's format": (bytes_of(b"\x20\0\0\0ORTMrest"), "is in ONNX Runtime's own format; give the .onnx file"),
    "TensorFlow Lite": (
        bytes_of(b"\x20\0\0\0TFL3rest"),
        "is a TensorFlow Lite model; convert it with tf2onnx",
    ),
    "HDF5": (
        bytes_of(b"\x89HDF\r\n\x1a\n"),
        "is an HDF5 file, as Keras writes; convert the model with tf2onnx",
    ),
    "cut after the first field": (bytes_of(SOUND[:2]), "holds no graph: it is damaged"),
    "cut at the beginning": (
        bytes_of(SOUND[:9]),
        "cannot be read: it is damaged or cut short; copy or export",
    ),
    "cut in the middle": (bytes_of(SOUND[: len(SOUND) // 2]), "cannot be read: it is damaged or cut short"),
    "cut at the end": (bytes_of(SOUND[:-1]), "cannot be read: it is damaged or cut short"),
    "noise": (bytes_of(bytes(range(3, 200))), "cannot be read: it is damaged or cut short"),
    "a folder": (lambda folder: (folder / "m.onnx").mkdir(), "is a folder; name the file in it"),
    "not there": (lambda folder: None, "m.onnx does not exist; write the right path"),
    "a name that is no text": (
        bytes_of(SOUND.replace(b"relu", b"\xff\xfe\x00\x01")),
        "has a name that is no text (UTF-8): it is damaged",
    ),
    "no graph": (without("graph"), "holds no graph: it is damaged, or no ONNX file"),
    "no nodes": (without("node"), "has no operator: there is nothing to compress"),
    "IR version of the future": (changed(ir=99), "has IR version 99, newer than"),
    "operator set of the future": (changed(opsets={"": 99}), "has operator set 99 of ai.onnx, newer than"),
    "ML operators of the future": (
        changed(opsets={"": 17, "ai.onnx.ml": 9}),
        "has operator set 9 of ai.onnx.ml",
    ),
    "operator set too old": (changed(opsets={"": 5}), "has operator set 5, older than 7, the oldest that"),
    "no operator set": (changed(opsets={}), "names no operator set (opset_import)"),
    "an operator of another library": (
        changed(nodes=one("Fancy", domain="my.ops"), opsets={"": 17, "my.ops": 1}),
        "that ONNX Runtime does not have in its operator sets (ai.onnx 17, my.ops 1): my.ops:Fancy;",
    ),
    "an operator that nobody knows": (
        changed(nodes=one("Rellu")),
        "(ai.onnx 17): ai.onnx:Rellu; export the model",
    ),
    "an operator that was removed": (
        changed(nodes=one("Upsample", ["x", "x"])),
        "(ai.onnx 17): ai.onnx:Upsample;",
    ),
    "an operator of a set not imported": (
        changed(nodes=one("Scaler", domain="ai.onnx.ml")),
        "(ai.onnx 17): ai.onnx.ml:Scaler; export",
    ),
    "an unknown operator of ONNX Runtime's": (
        changed(nodes=one("Foo", domain="com.microsoft"), opsets={"": 17, "com.microsoft": 1}),
        "cannot be loaded by ONNX Runtime: Fatal error: com.microsoft:Foo(-1) is not a registered",
    ),
    "a function that calls itself": (
        changed(
            nodes=one("F", domain="own"),
            functions=[function("F", [node("F", ["a"], ["b"], domain="own")])],
            opsets=OWN,
        ),
        "does not hold ONNX's rules: Cycle detected in model-local function references",
    ),
    "no inputs": (changed(inputs=[]), "has no inputs: its outputs never change"),
    "no outputs": (without("output"), "has no outputs; export it with at least one"),
    "an input of dynamic rank": (
        changed(inputs=[value("x", None)]),
        "has input 'x' with a dynamic rank (no shape)",
    ),
    "an output of dynamic rank": (
        changed(outputs=[value("y", None)]),
        "has output 'y' with a dynamic rank (no shape)",
    ),
    "a scalar input": (changed(inputs=[value("x", [])]), "has input 'x' that is a scalar; give each input"),
    "an input without any number": (
        changed(inputs=[value("x", ["n", 0])]),
        "has input 'x' with an axis of 0;",
    ),
    "an input of strings": (changed(inputs=[value("x", ["n", 4], STRING)]), "has input 'x' of strings"),
    "an output of strings": (changed(outputs=[value("y", ["n", 3], STRING)]), "has output 'y' of strings"),
    "an input that numpy has not": (
        changed(inputs=[value("x", ["n", 4], TensorProto.BFLOAT16)]),
        "has input 'x' of BFLOAT16, a type that numpy does not have; make it float32",
    ),
    "an output that is a sequence": (
        typed(SEQUENCE),
        "that is no tensor but a sequence; export tensors (skl2onnx: options={'zipmap': False})",
    ),
    "an input that is optional": (typed(SCALES, "input"), "has input 'x' that is no tensor but a optional;"),
    "an input without a type": (
        typed(onnx.TypeProto(), "input"),
        "has input 'x' without a type: it is damaged",
    ),
    "inputs of different rows": (
        changed(
            nodes=[node("Add", ["x", "z"], ["t"]), *one("Relu")[1:]],
            inputs=[value("x", ["n", 4]), value("z", [1, 4])],
        ),
        "has inputs of different first axes ('x' any number, 'z' 1)",
    ),
    "two nodes with one output": (
        changed(nodes=TWICE),
        "gives 't' twice: Relu 'a', Tanh 'b'; export it again",
    ),
    "a node that gives a constant": (
        changed(nodes=[node("Relu", ["x"], ["w"], "a"), *one("Relu")]),
        "gives 'w' twice: Relu 'a', an initializer; export it again",
    ),
    "constants of one name": (changed(constants=[weights(), weights()]), "has initializer 'w' twice"),
    "inputs of one name": (changed(inputs=[value("x", ["n", 4])] * 2), "has input 'x' twice"),
    "a cycle": (changed(nodes=[*RING, *one("Relu")[1:]]), "is cyclic: Add 'first', Relu 'second'"),
    "a node that reads itself": (changed(nodes=one("Add", ["x", "t"])), "is cyclic: Add 'it'"),
    "a missing tensor": (changed(constants=[]), "reads 'w' in MatMul 'product', which nothing gives"),
    "a missing tensor in a branch": (
        changed(nodes=branch("gone"), constants=STANDARD),
        "reads 'gone' in If 'choice', which nothing gives",
    ),
    "an output that nothing gives": (
        changed(outputs=[value("z", ["n", 3])]),
        "has output 'z', which nothing gives",
    ),
    "weights with NaN": (
        changed(constants=[tensor("w", [[NAN, 0, 0]] * FEATURES)]),
        "has weights 'w' with NaN (4 of 12): the training diverged, or the file is damaged",
    ),
    "infinite weights": (
        changed(constants=[tensor("w", [[INF, 0, 1]] * FEATURES)]),
        "has weights 'w' with infinite numbers (4 of 12)",
    ),
    "NaN in a constant node": (
        changed(nodes=[node("Constant", [], ["c"], value=tensor("", [NAN] * 4)), *one("Add", ["x", "c"])]),
        "has weights 'c' with NaN (4 of 4)",
    ),
    "NaN in a branch": (
        changed(nodes=branch("x", NAN), constants=STANDARD),
        "has weights 'k' with NaN (1 of 1)",
    ),
    "weights of no size": (shaped_weights(4, 0), "has weights 'w' of the shape (4, 0), which hold nothing"),
    "weights of negative size": (
        shaped_weights(-4, 3),
        "has weights 'w' of the shape (-4, 3), which hold nothing",
    ),
    "weights without their bytes": (damaged_weights, "has damaged weights 'w' of the shape (4, 3): "),
    "weights that would be endless": (shaped_weights(HUGE, HUGE), "has damaged weights 'w' of the shape"),
    "data at an absolute path": (
        in_another_file("/etc/passwd", None),
        "keeps weights 'w' in '/etc/passwd', outside of its folder; save it with onnx.save_model",
    ),
    "data in the folder above": (
        in_another_file("../w.data", None),
        "keeps weights 'w' in '../w.data', outside of",
    ),
    "data in a folder below": (
        in_another_file("deep/w.data"),
        "keeps weights 'w' in 'deep/w.data', outside of",
    ),
    "data nowhere": (in_another_file("", None), "keeps weights 'w' in '', outside of its folder"),
    "data behind a link": (
        linked,
        "keeps weights in w.data, a link out of its folder; put the file itself there",
    ),
    "data that are not there": (
        in_another_file("w.data", None),
        "w.data does not exist; write the right path",
    ),
    "data cut short": (
        in_another_file("w.data", b"\0" * 40),
        "keeps weights 'w' up to byte 48 of w.data, which has 40: the file was cut short; copy it again",
    ),
    "data at a place that is no number": (
        in_another_file("w.data", offset="-8"),
        "keeps weights 'w' at an offset or length that is no number; save it again",
    ),
    "data of another length": (
        in_another_file("w.data", length=40),
        "has damaged weights 'w' of the shape (4, 3): ",
    ),
    "data with NaN": (in_another_file("w.data", b"\xff" * 48), "has weights 'w' with NaN (12 of 12)"),
    "types that do not meet": (
        changed(nodes=one("Add", ["x", "i"]), constants=[weights(), tensor("i", [1], np.int64)]),
        "does not hold ONNX's rules: [ShapeInferenceError] (op_type:Add, node name: it): B has",
    ),
    "shapes that do not meet": (changed(constants=[weights(rows=5)]), "Incompatible dimensions for matrix"),
    "an attribute of another type": (
        changed(nodes=one("Softmax", axis="a")),
        "Mismatched attribute type in 'it : axis'",
    ),
    "other inputs than the task's": (
        changed(inputs=[value("x", ["n", 4]), value("z", ["n", 4])]),
        "takes 2 inputs (x, z), but the task's inputs() gives 1; give one array for each",
    ),
    "another type than the task's": (
        changed(
            inputs=[value("x", ["n", 4], TensorProto.DOUBLE)],
            constants=[tensor("w", [[1.0] * 3] * 4, np.float64)],
        ),
        "takes input 'x' as float64, but the task's inputs() gives float32; turn the data into that type",
    ),
    "another shape than the task's": (
        changed(inputs=[value("x", ["n", 7])], constants=[weights(rows=7)]),
        "takes input 'x' with (7) for each example, but the task's inputs() gives (4,)",
    ),
    "another rank than the task's": (
        changed(inputs=[value("x", ["n", 2, 4])], outputs=[value("y", ["n", 2, CLASSES])]),
        "takes input 'x' with (2, 4) for each example, but the task's inputs() gives (4,)",
    ),
    "outputs that are no rows": (
        changed(
            nodes=[*one("Relu")[:2], node("ReduceSum", ["h"], ["y"], keepdims=0)], outputs=[value("y", [])]
        ),
        "gives output 'y' of the shape () for 1 rows; its first axis must be the rows",
    ),
    "outputs with NaN": (
        changed(nodes=[*one("Log")[:2], node("Identity", ["h"], ["y"])]),
        "gives output 'y' with NaN or infinite numbers for the task's inputs(); scale the inputs",
    ),
    "a batch in its constants": (
        changed(nodes=one("Reshape", ["x", "s"]), constants=[weights(), tensor("s", [1, 4], np.int64)]),
        "cannot answer the task's inputs() in a batch of 3: Reshape node. Name:'it' Status Message: ",
    ),
    "more memory than there is": (
        changed(
            nodes=[
                node("ConstantOfShape", ["s"], ["c"]),
                node("ReduceSum", ["c"], ["d"], keepdims=0),
                *one("Add", ["x", "d"]),
            ],
            constants=[weights(), tensor("s", [HUGE], np.int64)],
        ),
        "ConstantOfShape node. Name:'' Status Message: Failed to allocate memory for requested",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_ends_in_one_line_and_nothing_is_published(tmp_path: Path, case: str) -> None:
    maker, expected = FILES[case]
    folder = tmp_path / "models"
    folder.mkdir()
    body = maker(folder)
    if body is not None:
        (folder / "m.onnx").write_bytes(body)

    report = run_given(tmp_path, (TASK, "Rows"), {"uri": str(folder / "m.onnx")})

    assert (report.phase, published(tmp_path)) == ("Failed", [])
    assert report.message.startswith(f"spec.model.pretrained.uri: {folder}")
    assert expected in report.message
    assert "\n" not in report.message


def test_another_file_than_the_manifest_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(SOUND)

    report = run_given(tmp_path, (TASK, "Rows"), {"uri": str(tmp_path / "m.onnx"), "sha256": OTHER_SHA})

    assert (report.phase, published(tmp_path)) == ("Failed", [])
    assert report.message.startswith(f"spec.model.pretrained.uri: {tmp_path}/m.onnx has the SHA-256 ")


@pytest.mark.parametrize(("rows", "batch"), [(1, "dynamic"), (2, 8)])
def test_a_fixed_batch_that_export_does_not_name_is_refused(
    tmp_path: Path, rows: int, batch: int | str
) -> None:
    model = linear(inputs=[value("x", [rows, FEATURES])], outputs=[value("y", [rows, CLASSES])])
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())

    report = run_given(tmp_path, (TASK, "Rows"), {"uri": str(tmp_path / "m.onnx")}, export={"batch": batch})

    assert (report.phase, published(tmp_path)) == ("Failed", [])
    assert report.message == (
        f"spec.export.batch: {batch} does not fit the ONNX model, which takes {rows} rows in each call; "
        f"write batch: {rows}, or export the model with a dynamic first axis"
    )


def test_a_model_that_never_ends_is_given_up(tmp_path: Path) -> None:
    flags = [value("i", [], INT64), value("c", [], BOOL), value("v", ["n", FEATURES])]
    steps = [node("Identity", ["c"], ["d"]), node("Identity", ["v"], ["u"])]
    body = helper.make_graph(steps, "b", flags, [value("d", [], BOOL), value("u", ["n", FEATURES])])
    nodes = [node("Loop", ["m", "k", "x"], ["t"], body=body), *one("Relu")[1:]]
    constants = [weights(), tensor("m", 2**62, np.int64), tensor("k", True, bool)]
    (tmp_path / "m.onnx").write_bytes(linear(nodes=nodes, constants=constants).SerializeToString())

    flaw = probed(tmp_path / "m.onnx", (np.zeros((3, FEATURES), np.float32),), seconds=2)

    assert flaw == "did not answer a few rows within 2 s; give a model that comes to an end"


@pytest.mark.parametrize(
    ("code", "said", "flaw"),
    [
        (-11, "", "ends ONNX Runtime with SIGSEGV: it is damaged, or made to do so; export it again"),
        (1, "Traceback\nImportError: no onnx", "ends ONNX Runtime: ImportError: no onnx; export it again"),
    ],
)
def test_a_model_that_ends_the_process_that_looks_at_it_is_refused(code: int, said: str, flaw: str) -> None:
    assert verdict_of(subprocess.CompletedProcess([], code, "", said)) == flaw


@pytest.mark.parametrize("position", range(5, len(SOUND), len(SOUND) // 12))
def test_a_damaged_byte_gives_a_sound_model_or_one_line(tmp_path: Path, position: int) -> None:
    (tmp_path / "m.onnx").write_bytes(
        SOUND[:position] + bytes([SOUND[position] ^ 0xFF]) + SOUND[position + 1 :]
    )

    report = run_given(tmp_path, (TASK, "Rows"), {"uri": str(tmp_path / "m.onnx")})

    if report.phase == "Failed":
        assert report.message.startswith(f"spec.model.pretrained.uri: {tmp_path}/m.onnx ")
        assert "\n" not in report.message
