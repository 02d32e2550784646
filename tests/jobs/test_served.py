"""The published tree, used as a stranger would: ONNX Runtime and numpy in a fresh process, nothing else."""

import hashlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnxruntime
import pytest
import yaml

from tests.support.serving import INFERENCE_SERVICE, shapes, triton_config, type_name
from trimtab_api.report import Report
from trimtab_jobs.measure.onnx_model import OnnxModel, session_options
from trimtab_jobs.pool import Session, WorkerSetup
from trimtab_jobs.serving import TRITON_TYPES

EXAMPLE = Path(__file__).parents[2] / "examples/digits"
NEEDED = ("numpy", "onnxruntime")
STRANGER = """
import json, sys
packages, model, rows, answers = sys.argv[1:]
sys.path.append(packages)
import numpy, onnxruntime
told = json.load(open(f"{model}/trimtab.json"))
card = open(f"{model}/MODEL_CARD.md").read()
example = {}
exec(card.partition("```python\\n")[2].partition("```")[0], example)
options, session = onnxruntime.SessionOptions(), told["session"]
options.intra_op_num_threads = session["intraOpNumThreads"]
options.inter_op_num_threads = session["interOpNumThreads"]
options.use_deterministic_compute = session["useDeterministicCompute"]
runtime = onnxruntime.InferenceSession(
    f"{model}/{told['name']}/1/model.onnx", options, providers=session["providers"]
)
images = numpy.load(rows)["images"]
outputs = runtime.run(None, {told["inputs"][0]["name"]: images})
numpy.savez(answers, scores=outputs[0], example=example["outputs"][0])
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"__main__"}
print(json.dumps(sorted(foreign)))
"""
"""A program that knows of the tree what stands in it: it runs the card's example, then the model."""


@pytest.fixture(scope="module")
def report(demo: Path) -> Report:
    return Report.model_validate_json((demo / "output/result.json").read_text())


@pytest.fixture(scope="module")
def model(demo: Path) -> Path:
    return demo / "output/model"


@pytest.fixture(scope="module")
def told(model: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((model / "trimtab.json").read_text())
    return found


@pytest.fixture(scope="module")
def rows(demo: Path) -> dict[str, np.ndarray]:
    """Images and labels of the example's test split."""
    setup = WorkerSetup(
        store_uri=str(demo / "output"), entrypoint="digits:Digits", args={}, code=str(EXAMPLE)
    )
    test = Session(setup).task().splits()["test"]
    images, labels = zip(*test, strict=True)
    return {"images": np.stack([each.numpy() for each in images]), "labels": np.array(labels)}


@pytest.fixture(scope="module")
def answers(
    model: Path, rows: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a fresh Python answers that finds no package but the needed ones, and what it had imported."""
    folder = tmp_path_factory.mktemp("stranger")
    packages = folder / "packages"
    packages.mkdir()
    for name in NEEDED:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (packages / name).symlink_to(Path(spec.origin).parent)
    np.savez(folder / "rows.npz", **rows)
    given = [packages, model, folder / "rows.npz", folder / "answers.npz"]
    isolated = [sys.executable, "-I", "-S", "-c", STRANGER, *map(str, given)]
    ended = subprocess.run(isolated, cwd=model, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return {"imported": json.loads(ended.stdout), **np.load(folder / "answers.npz")}


def test_the_model_runs_with_onnx_runtime_and_numpy_alone(answers: dict[str, Any]):
    assert answers["imported"] == sorted(NEEDED)


def test_its_outputs_are_those_of_the_candidate_that_was_measured(
    demo: Path, report: Report, rows: dict[str, np.ndarray], answers: dict[str, Any]
):
    assert report.final is not None
    measured = OnnxModel(demo / f"output/candidates/{report.final.id}/model.onnx")

    assert answers["scores"].tobytes() == measured.predict(rows["images"]).tobytes()


def test_the_quality_of_the_result_is_that_of_its_outputs(
    report: Report, rows: dict[str, np.ndarray], answers: dict[str, Any]
):
    scores, labels = answers["scores"].astype(np.float64), rows["labels"]
    likelihoods = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(likelihoods[np.arange(len(labels)), labels]).mean()

    assert report.final is not None
    assert report.final.metrics["accuracy"] == (scores.argmax(axis=1) == labels).mean()
    assert report.final.metrics["loss"] == pytest.approx(loss, rel=1e-5)


def test_the_example_of_the_card_answers_one_row(answers: dict[str, Any]):
    assert answers["example"].shape == (1, 10)


def test_the_session_that_is_told_is_the_one_that_was_measured(model: Path, told: dict[str, Any]):
    session, options = told["session"], session_options(told["session"]["intraOpNumThreads"])

    assert session == {
        "providers": OnnxModel(model / "digits/1/model.onnx").runtime.get_providers(),
        "intraOpNumThreads": options.intra_op_num_threads,
        "interOpNumThreads": options.inter_op_num_threads,
        "executionMode": options.execution_mode.name.removeprefix("ORT_").lower(),
        "graphOptimizationLevel": options.graph_optimization_level.name.removeprefix("ORT_ENABLE_").lower(),
        "useDeterministicCompute": options.use_deterministic_compute,
    }


def test_every_file_has_the_bytes_that_are_told(
    demo: Path, model: Path, told: dict[str, Any], report: Report
):
    there = {str(path.relative_to(model)) for path in model.rglob("*") if path.is_file()}
    digests = {name: hashlib.sha256((model / name).read_bytes()).hexdigest() for name in there}

    assert report.final is not None
    candidate = (demo / f"output/candidates/{report.final.id}/model.onnx").read_bytes()
    assert {name: each["sha256"] for name, each in told["files"].items()} | {
        "trimtab.json": digests["trimtab.json"]
    } == digests
    assert digests["digits/1/model.onnx"] == hashlib.sha256(candidate).hexdigest()


def test_triton_reads_the_configuration_and_finds_the_model_to_be_as_it_says(
    model: Path, told: dict[str, Any]
):
    config = triton_config((model / "digits/config.pbtxt").read_text())
    runtime = onnxruntime.InferenceSession(model / "digits/1/model.onnx", providers=["CPUExecutionProvider"])

    declared = {each.name: each for each in (*runtime.get_inputs(), *runtime.get_outputs())}
    served = shapes(config.input, config.max_batch_size) | shapes(config.output, config.max_batch_size)
    assert (config.name, config.platform, config.max_batch_size) == ("digits", "onnxruntime_onnx", 64)
    assert served.keys() == declared.keys()
    assert [served[name][1:] for name in served] == [declared[name].shape[1:] for name in served]
    assert [type_name(each.data_type) for each in config.input] == [
        TRITON_TYPES[each["dtype"]] for each in told["inputs"]
    ]


def test_kserve_takes_the_service(model: Path):
    jsonschema.validate(yaml.safe_load((model / "inferenceservice.yaml").read_text()), INFERENCE_SERVICE)
