"""Quality, speed, size, memory and parity of real ONNX files; of times only what they must be."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.tasks import BLOBS, session_of
from trimtab_jobs.measure.artifacts import fetch_model, model_bytes, model_key
from trimtab_jobs.measure.efficiency import measure, measure_files
from trimtab_jobs.measure.hardware import environment
from trimtab_jobs.measure.memory import main as print_peak
from trimtab_jobs.measure.memory import peak_bytes, peak_megabytes
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.measure.parity import Comparison, max_excess
from trimtab_jobs.measure.quality import evaluate
from trimtab_jobs.pool import CodeError, Session
from trimtab_jobs.store import MissingError

CORNERS = np.array([[0.0, 2.0, -2.0], [2.0, 0.0, -2.0]], dtype=np.float32)


def linear_model(weight: np.ndarray, rows: str | int = "batch") -> onnx.ModelProto:
    """A model that scores three classes by one matrix product."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["input", "weight"], ["output"])],
        "linear",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [rows, weight.shape[0]])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [rows, weight.shape[1]])],
        [numpy_helper.from_array(weight, "weight")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session whose store holds a good model, its twin for five rows a call, and a wrong one."""
    session = session_of(tmp_path)
    for name, model in {
        "good": linear_model(CORNERS),
        "five": linear_model(CORNERS, rows=5),
        "bad": linear_model(-CORNERS),
    }.items():
        session.store.put(model_key(name), model.SerializeToString())
    yield session
    session.close()


def test_quality_is_the_tasks_own_evaluation(session: Session) -> None:
    good, bad = (evaluate(session, candidate=name, split="test") for name in ("good", "bad"))
    assert (set(good["metrics"]), good["n"]) == ({"accuracy", "loss"}, 60)
    assert good["metrics"]["accuracy"] > 0.9 > bad["metrics"]["accuracy"]
    for name, values in good["values"].items():
        assert values.mean() == pytest.approx(good["metrics"][name])


def test_quality_does_not_depend_on_the_rows_a_call_takes(session: Session) -> None:
    free, fixed = (evaluate(session, candidate=name, split="test") for name in ("good", "five"))
    assert fixed["metrics"] == pytest.approx(free["metrics"])


def test_a_candidate_that_was_never_made(session: Session) -> None:
    with pytest.raises(MissingError):
        evaluate(session, candidate="none", split="test")


def test_rows_of_different_lengths_are_the_codes_fault(tmp_path: Path) -> None:
    source = BLOBS + "\n    def rows(self, outputs, targets):\n        return {'a': [1], 'b': [1, 2]}\n"
    session = session_of(tmp_path, source)
    session.store.put(model_key("good"), linear_model(CORNERS).SerializeToString())
    with pytest.raises(CodeError, match=r"evaluate\(\) must return columns of one length"):
        evaluate(session, candidate="good", split="test")
    session.close()


def test_all_models_are_measured_in_the_same_rounds(session: Session) -> None:
    figures = measure(session, candidates=["good", "five"], threads=1, batch=1, rounds=3)
    assert list(figures) == ["good", "five"]
    for name, figure in figures.items():
        assert figure["sizeMB"] == len(session.store.get(model_key(name))) / 1e6
        assert 0 < min(figure["rounds"]) <= figure["latencyMs"] <= figure["latencyP95Ms"]
        assert (len(figure["rounds"]), figure["throughput"] > 0) == (3, True)
        assert 10 < figure["memoryMB"] < 1000


def test_throughput_is_taken_at_the_targets_own_batch(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(linear_model(CORNERS).SerializeToString())
    inputs = (np.ones((3, 2), np.float32),)
    figures = measure_files({"good": path}, inputs, threads=1, batch=8, rounds=1)["good"]
    assert figures["throughput"] == pytest.approx(8e3 / figures["latencyMs"])


def test_size_counts_external_data(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    model = linear_model(np.zeros((2, 1000), np.float32))
    onnx.save(model, path, save_as_external_data=True, location="model.onnx.data", size_threshold=0)
    assert model_bytes(path) == path.stat().st_size + 8000
    assert OnnxModel(path).predict(np.ones((1, 2), np.float32)).shape == (1, 1000)


def test_memory_is_that_of_a_process_with_the_model_alone(tmp_path: Path) -> None:
    small, large = tmp_path / "small.onnx", tmp_path / "large.onnx"
    small.write_bytes(linear_model(CORNERS).SerializeToString())
    large.write_bytes(linear_model(np.ones((2, 10_000_000), np.float32)).SerializeToString())
    inputs = (np.ones((1, 2), np.float32),)
    before, after = (peak_megabytes(path, inputs) for path in (small, large))
    assert after - before > 80  # the weights' bytes
    assert before * 1e6 < peak_bytes()  # not this process's, which holds torch
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.onnx", "small.onnx"]


def test_the_memory_process_prints_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(linear_model(CORNERS).SerializeToString())
    np.savez(tmp_path / "inputs.npz", np.ones((1, 2), np.float32))
    print_peak(str(path), str(tmp_path / "inputs.npz"), "1")
    assert int(capsys.readouterr().out) > 1e7


@pytest.mark.parametrize(
    ("outputs", "largest", "within"),
    [
        pytest.param([1.0, 100.0], 0.0, True, id="equal"),
        pytest.param([1.0, 100.005], 0.005, True, id="within the relative tolerance"),
        pytest.param([1.001, 100.0], 0.001, False, id="beyond it"),
        pytest.param([1.0, np.nan], np.inf, False, id="not a number on one side"),
        pytest.param([[1.0, 100.0]], np.inf, False, id="another shape"),
    ],
)
def test_parity_of_outputs(outputs: Any, largest: float, within: bool) -> None:
    found, excess = max_excess(np.array([1.0, 100.0]), np.array(outputs), 1e-4)
    assert found == pytest.approx(largest)
    assert (excess <= 0) is within


def test_parity_ignores_what_is_infinite_on_both_sides() -> None:
    both = np.array([np.inf])
    assert max_excess((both, both), (both, both), 1e-4) == (0.0, -np.inf)


def test_a_comparison_answers_with_the_candidate_and_sees_the_same_inputs() -> None:
    reference, candidate = (lambda x: x, lambda x: x + np.array([[0.0, 0.5]]))
    comparison = Comparison(reference, candidate)
    answer = comparison.predict(np.array([[1.0, 0.0], [0.4, 0.0]]))
    assert answer.tolist() == [[1.0, 0.5], [0.4, 0.5]]
    assert comparison.figures() == {
        "maxDiff": 0.5,
        "sqnrDb": pytest.approx(10 * np.log10(1.16 / 0.5)),
        "n": 2,
        "top1Agreement": 0.5,
    }


def test_no_agreement_at_all_is_a_figure() -> None:
    comparison = Comparison(lambda x: x, lambda x: -x)
    comparison.predict(np.array([[1.0, 0.0]]))
    assert comparison.figures()["top1Agreement"] == 0


def test_agreement_is_of_class_scores_only() -> None:
    comparison = Comparison(lambda x: (x, x), lambda x: (x, x))
    comparison.predict(np.array([[1.0], [2.0]]))
    assert "top1Agreement" not in comparison.figures()


def test_the_environment_names_versions_and_processor(session: Session) -> None:
    found = environment(session)
    assert {"python", "torch", "onnx", "onnxruntime", "numpy"} <= set(found["versions"])
    assert found["cpu"]
    assert found["hardware"] in ("x86-vnni", "x86-avx2", "arm64")
    assert (found["threads"], found["cpus"] >= 1) == (1, True)


def test_a_fetched_model_is_a_fresh_copy(session: Session) -> None:
    first = fetch_model(session, "good").read_bytes()
    session.store.put(model_key("good"), linear_model(-CORNERS).SerializeToString())
    assert fetch_model(session, "good").read_bytes() != first
