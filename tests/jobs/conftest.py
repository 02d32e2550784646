"""One run of the demo, for all who look at what it left."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.tasks import session_of
from trimtab_jobs.pool import Session

ROOT = Path(__file__).parent.parent.parent
TRIMTAB = Path(sys.executable).with_name("trimtab")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept on a node goes with the tests, unless whoever runs them says where it is to stay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "TRIMTAB_CACHE", os.environ.get("TRIMTAB_CACHE") or str(tmp_path_factory.mktemp("cache"))
        )
        yield


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    """Opens sessions on a task given as source text, and closes them."""
    sessions: list[Session] = []

    def opened(source: str, name: str = "objective", **args: Any) -> Session:
        sessions.append(session_of(tmp_path, source, name, args))
        return sessions[-1]

    yield opened
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `trimtab run` of the digits told, with fewer trials: printed, events, its output."""
    folder = tmp_path_factory.mktemp("demo")
    manifest = (ROOT / "examples/digits/job.yaml").read_text()
    assert manifest.count("trials: 24") == 1
    (folder / "job.yaml").write_text(manifest.replace("trials: 24", "trials: 2"))
    command = [TRIMTAB, "run", "job.yaml", "--output", "output", "--progress", "json", "-o", "text"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (folder / "printed").write_text(ended.stdout)
    (folder / "events").write_text(ended.stderr)
    return folder
