"""The example onnx by its commands: a file that is there already, then one that was cut short."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab_api.report import Report

EXAMPLE = Path(__file__).parent.parent.parent / "examples/onnx"
CUT_SHORT = "cannot be read: it is damaged or cut short; copy or export it again"
TRIMTAB = Path(sys.executable).with_name("trimtab")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, with its model."""
    folder = tmp_path_factory.mktemp("example") / "onnx"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
    subprocess.run([sys.executable, "prepare.py"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def damaged(example: Path) -> Path:
    """The same with a model that was cut short."""
    folder = example.with_name("damaged")
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns("output"))
    model = folder / "data/digits.onnx"
    model.write_bytes(model.read_bytes()[:-1000])
    return folder


def trimtab(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([TRIMTAB, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_a_file_that_is_there_already_is_made_smaller(example: Path) -> None:
    ended = trimtab(example, "run", "job.yaml", "--output", "output")

    report = Report.model_validate_json((example / "output/result.json").read_text())
    assert (ended.returncode, report.message) == (0, "int8 holds the guardrail")
    assert (report.trials.total, report.best.params if report.best else None) == (1, {})
    assert report.savings.baseline.size is not None
    assert report.savings.baseline.size > 3
    assert (example / "output/model/onnx/1/model.onnx").exists()


def test_a_damaged_file_ends_the_run_in_one_line(damaged: Path) -> None:
    ended = trimtab(damaged, "run", "job.yaml", "--output", "output", "-o", "json")

    report = Report.model_validate_json(ended.stdout)
    place = damaged / "data/digits.onnx"
    assert (ended.returncode, report.phase) == (1, "Failed")
    assert report.message == f"spec.model.pretrained.uri: {place} {CUT_SHORT}"
    assert not (damaged / "output/model").exists()


def test_a_damaged_file_is_found_before_the_run(damaged: Path) -> None:
    ended = trimtab(damaged, "validate", "job.yaml", "--code")

    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert ": spec.model.pretrained.uri: " in line
    assert line.endswith(CUT_SHORT)
