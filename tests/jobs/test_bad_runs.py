"""What is wrong with a run and shows only when it runs: one clear error each, and what was done is kept."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.proxy import S3Proxy
from tests.support.s3 import S3Server
from tests.support.tiers import skip_tier

TRIMTAB = Path(sys.executable).with_name("trimtab")
BAD_TASKS = Path(__file__).with_name("bad_tasks.py")
MANIFEST = """
apiVersion: trimtab.io/v1alpha1
kind: OptimizationJob
metadata: {{name: {name}}}
spec:
  task: {{entrypoint: "{entrypoint}"}}
  objectives:
  - {{metric: {metric}, direction: maximize}}
  search:
    trials: 4
    parameters:
    - {{name: lr, float: {{low: 0.001, high: 0.1, log: true}}}}
  compress: {{quantize: [int8]}}
"""
Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bad_tasks.py").write_text(BAD_TASKS.read_text())
    return tmp_path


def run(folder: Path, entrypoint: str = "bad_tasks:Good", output: str = "output", **fields: str) -> Ended:
    values = {"name": "bad", "metric": "accuracy", "entrypoint": entrypoint} | fields
    (folder / "job.yaml").write_text(MANIFEST.format(**values))
    command = [TRIMTAB, "run", "job.yaml", "--output", output]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("entrypoint", "metric", "said"),
    [
        pytest.param("nowhere:Task", "accuracy", "nowhere", id="does not import"),
        pytest.param("bad_tasks:Absent", "accuracy", "Absent", id="no such attribute"),
        pytest.param("bad_tasks:NoBuild", "accuracy", "build", id="method missing"),
        pytest.param("bad_tasks:Good", "f1", "the task has no metric 'f1'", id="metric never reported"),
        pytest.param("bad_tasks:OneClass", "accuracy", "one class only (0)", id="one class"),
        pytest.param("bad_tasks:Diverges", "accuracy", "is nan in epoch 1", id="loss is not a number"),
        pytest.param("bad_tasks:Raises", "accuracy", "no such layer: conv9", id="raises"),
    ],
)
def test_a_wrong_task_fails_the_job_and_says_what_and_where(
    folder: Path, entrypoint: str, metric: str, said: str
):
    ended = run(folder, entrypoint, metric=metric)

    assert ended.returncode == 1, ended.stderr
    assert said in ended.stdout
    assert "output/result.json" in ended.stdout
    assert (folder / "output" / "report.html").exists()


def test_the_output_of_another_job_is_refused_and_left_as_it_is(folder: Path):
    assert run(folder, "bad_tasks:Raises", name="first").returncode == 1
    before = {path: path.read_bytes() for path in (folder / "output").rglob("*") if path.is_file()}

    ended = run(folder, name="second")

    assert ended.returncode == 2
    assert "holds the job first, not second; choose another --output" in ended.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_the_same_output_with_another_manifest_is_refused_by_the_field_that_differs(folder: Path):
    assert run(folder, "bad_tasks:Raises").returncode == 1

    ended = run(folder, "bad_tasks:Diverges")

    assert ended.returncode == 2
    assert "holds bad with another spec.task" in ended.stderr


def test_an_output_that_cannot_be_a_folder_is_refused(folder: Path):
    (folder / "taken").write_text("a file")

    ended = run(folder, output="taken/output")

    assert ended.returncode == 2
    assert "taken" in ended.stderr
    assert "choose another" in ended.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = tmp_path / "small"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mounted)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        skip_tier("mounting a small disk needs root: sudo make test")
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def test_a_full_disk_ends_the_run_and_says_what_to_do(folder: Path, small_disk: Path):
    (small_disk / "filler").write_bytes(b"0" * 200_000)

    ended = run(folder, output=str(small_disk / "output"))

    assert ended.returncode in (1, 2)
    assert str(small_disk) in ended.stderr
    assert "free space" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_store_that_ignores_conditional_puts_is_refused_at_the_start(
    folder: Path, s3_server: S3Server, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
):
    with S3Proxy(s3_server, ignore_conditions=True) as proxy:
        for name, value in (os.environ | s3_server.environment(proxy.endpoint)).items():
            monkeypatch.setenv(name, value)

        ended = run(folder, output=f"{s3_bucket}/run")

    assert ended.returncode == 2
    assert "conditional" in ended.stderr
