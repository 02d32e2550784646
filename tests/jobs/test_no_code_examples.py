"""The examples that need no code, with fewer trials and epochs, on the data that they write themselves."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.inline_runs import run_inline
from trimtab_api.manifest import parse_job, read_stream
from trimtab_jobs.measure.onnx_model import OnnxModel

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PRUNED = {"prune": {"structured": {"ratios": [0.5], "steps": 1, "finetuneEpochs": 3}}, "quantize": ["int8"]}


def run(name: str, folder: Path, compress: dict[str, Any], **args: str) -> Any:
    """The report of the example on its own data, and the model it published.

    It starts from networks of half the width, and makes the candidates of `compress` only.
    """
    runpy.run_path(str(EXAMPLES / name / "prepare.py"))["write"](folder / "data")
    document = read_stream((EXAMPLES / name / "job.yaml").read_text()).job
    assert document is not None
    document["spec"]["search"] |= {"trials": 2}
    document["spec"]["task"]["args"] |= args
    document["spec"]["compress"] = compress
    width = next(each for each in document["spec"]["search"]["parameters"] if each["name"] == "width")
    width["default"] = str(int(width["default"]) // 2)
    (source,) = document["spec"]["task"]["data"]
    places = {source["name"]: str(folder / "data")}
    report = run_inline(parse_job(document), folder, folder / "output", **places)
    assert report.phase == "Succeeded", report.message
    assert [verdict.met for verdict in report.guardrail] == [True]
    return report, OnnxModel(folder / f"output/model/{name}/1/model.onnx")


def test_a_table_becomes_a_model_of_raw_rows(tmp_path: Path) -> None:
    report, model = run("tabular", tmp_path, PRUNED, epochs="6")
    table = np.loadtxt(tmp_path / "data/cells.csv", delimiter=",", skiprows=1, dtype=str)
    scores = model.predict(table[:, :-1].astype(np.float32))
    told = json.loads((tmp_path / "output/model/tabular/preprocessing.json").read_text())
    named = np.array(told["output"]["classes"])[scores.argmax(1)]
    assert np.mean(named == table[:, -1]) > 0.9
    assert {each.id for each in report.candidates} >= {"structured-0.5", "structured-0.5+int8"}
    assert report.savings.baseline.size > 3


def test_a_folder_of_images_becomes_a_model_of_raw_pixels(tmp_path: Path) -> None:
    report, model = run("images", tmp_path, {"quantize": ["int8"]}, epochs="3")
    assert model.names == ("input",)
    scores = model.predict(np.zeros((3, 1, 8, 8), np.float32))
    assert scores.shape == (3, 10)
    assert report.final.metrics["accuracy"] > 0.9
    assert report.savings.baseline.size > 3
