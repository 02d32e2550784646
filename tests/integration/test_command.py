"""`python -m tests.cluster`, with which a person looks at the control plane."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cluster.control_plane import EVERYTHING
from tests.cluster.processes import stop_recorded
from tests.cluster.programs import PROGRAMS, UnavailableError, find_program
from tests.support.tiers import skip_tier

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.cluster", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a control plane, of which nothing is left running."""
    try:
        [find_program(name) for name in EVERYTHING]
    except UnavailableError as error:
        skip_tier(str(error))
    yield tmp_path / "plane"
    stop_recorded(tmp_path / "plane")


def test_up_leaves_servers_that_down_ends(folder: Path) -> None:
    up = run("up", folder)
    servers = {line.split()[0]: int(line.split()[1]) for line in (folder / "pids").read_text().splitlines()}
    ran = {name for name, pid in servers.items() if psutil.pid_exists(pid)}
    down = run("down", folder)

    assert (up.returncode, ran, down.returncode) == (0, set(EVERYTHING), 0), up.stderr + down.stderr
    assert not folder.exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param("up", "is not empty: name a new folder, or run `down` on it first", id="up"),
        pytest.param("down", "holds no control plane: there is no", id="down"),
    ],
)
def test_folder_of_something_else_is_left_alone(tmp_path: Path, command: str, message: str) -> None:
    (tmp_path / "notes").touch()

    done = run(command, tmp_path)

    assert (done.returncode, message in done.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_unknown_program_is_answered_with_the_known_ones() -> None:
    done = run("build", "etdc")

    assert done.stderr == f"no program is named etdc: choose from {', '.join(PROGRAMS)}\n"
