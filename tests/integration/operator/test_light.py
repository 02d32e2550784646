"""The operator needs neither torch nor Ray nor Optuna: it works where nothing but its own requirements is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cluster import ApiServer
from tests.support.operated import Site, condition_of
from tests.support.operator_process import OperatorProcess
from tests.support.tiers import skip_tier

ROOT = Path(__file__).parents[3]
UV = Path(sys.prefix) / "uv" / "bin" / "uv"
HEAVY = ("torch", "ray", "optuna", "onnx", "onnxruntime", "numpy", "scipy", "sklearn")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter in an environment with the operator's pinned requirements, and the project itself."""
    if not UV.exists():
        skip_tier(f"{UV} is not there: make the environment by `make test`")
    folder = tmp_path_factory.mktemp("light") / "environment"
    in_it = os.environ | {"VIRTUAL_ENV": str(folder)}
    for arguments in (
        ["venv", "--python", sys.executable, str(folder)],
        ["pip", "install", "--requirements", "requirements/operator.txt"],
        ["pip", "install", "--no-deps", "."],
    ):
        done = subprocess.run(
            [UV, "--quiet", *arguments], cwd=ROOT, env=in_it, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return folder / "bin" / "python"


def said(python: Path, code: str) -> str:
    """What a program prints there."""
    done = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_trains_and_measures_is_not_there(python: Path) -> None:
    code = f"import importlib.util as u; print([name for name in {HEAVY} if u.find_spec(name)])"

    assert said(python, code) == "[]"


def test_operator_works_without_it(python: Path, api_server: ApiServer, tmp_path: Path) -> None:
    site = Site(api_server, None, "light", tmp_path)  # type: ignore[arg-type]  # nothing runs here
    settings = {"NAMESPACES": "light"}
    with OperatorProcess(api_server, tmp_path / "operator", "light", None, settings, python) as operator:
        job = site.apply(readyPolicy="Accepted")

        admitted = job.until("admitted", lambda found: condition_of(found, "Accepted")["status"] == "True")

        assert condition_of(admitted, "ClusterReady")["reason"] == "KubeRayNotInstalled"
        assert operator.stop() == 0
    assert "Traceback" not in operator.log
