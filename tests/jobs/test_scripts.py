"""Training scripts as people write them, and the few lines that make each a task."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.inline_runs import run_inline
from tests.support.jobs import job

SCRIPTS = Path(__file__).with_name("scripts")
MOST_LINES = 20
"""Added plus removed, as `git diff --numstat` counts them."""
LR = {"name": "lr", "float": {"low": 0.001, "high": 0.01, "log": True}, "default": "0.003"}
JOBS: dict[str, dict[str, Any]] = {
    "progression": {
        "task": {"entrypoint": "progression_task:train"},
        "objectives": [{"metric": "mae", "direction": "minimize"}],
        "search": {
            "trials": 2,
            "parameters": [LR, {"name": "hidden", "int": {"low": 128, "high": 256}, "default": "128"}],
        },
        "guardrail": [{"metric": "mae", "maxDrop": 5}],
    },
    "attributes": {
        "task": {"entrypoint": "attributes_task:Attributes"},
        "objectives": [{"metric": "f1", "direction": "maximize"}],
        "search": {
            "trials": 2,
            "parameters": [LR, {"name": "channels", "int": {"low": 16, "high": 32}, "default": "32"}],
        },
        "guardrail": [{"metric": "f1", "maxDrop": 0.03}],
    },
}
scripts = pytest.mark.parametrize("name", JOBS)


@scripts
def test_a_script_becomes_a_task_in_few_lines(name: str) -> None:
    pair = [SCRIPTS / f"{name}.py", SCRIPTS / f"{name}_task.py"]
    command = ["git", "diff", "--no-index", "--numstat", *map(str, pair)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    added, removed, *_ = told.split()
    assert 0 < int(added) + int(removed) <= MOST_LINES


@scripts
def test_the_script_trains(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / f"{name}.py"), "--epochs", "1"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert re.search(r"epoch +1", ended.stdout)
    assert (tmp_path / f"{name}.pt").exists()


@scripts
def test_the_task_is_searched_quantized_and_published(name: str, tmp_path: Path) -> None:
    report = run_inline(job(**JOBS[name], compress={"quantize": ["int8"]}), SCRIPTS, tmp_path)

    assert report.final is not None, report.message
    assert (report.phase, report.final.id) == ("Succeeded", "int8")
    assert [limit.met for limit in report.guardrail] == [True]
    assert report.trials.completed == 2
    assert report.savings.uncompressed.size is not None
    assert report.savings.uncompressed.size > 1.5
