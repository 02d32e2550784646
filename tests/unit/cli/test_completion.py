"""Completion by the shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from trimtab_cli.completion import completion

BIN = str(Path(sys.executable).parent)
ASK = """
cd "$1"
eval "$(trimtab completion bash)"
COMP_WORDS=({words})
COMP_CWORD={last}
{function} trimtab
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_of_each_shell_asks_this_command(shell):
    ended = CliRunner().invoke(completion, [shell])
    assert ended.exit_code == 0
    assert f"_TRIMTAB_COMPLETE={shell}_complete" in ended.output


def proposals(folder: Path, *words: str) -> list[str]:
    """What bash proposes for the last word."""
    quoted = " ".join(f"'{word}'" for word in ("trimtab", *words))
    script = ASK.format(words=quoted, last=len(words), function="_trimtab_completion")
    ended = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", str(folder)],
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("digits", "rings"):
        place = tmp_path / "trimtab-output" / name / "logs"
        place.mkdir(parents=True)
        (place.parent / "plan.json").touch()
        (place / "12.log").touch()
        (place / "int8.log").touch()
    return tmp_path


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        pytest.param(["val"], ["validate"], id="command"),
        pytest.param(["run", "--pro"], ["--progress"], id="option"),
        pytest.param(["run", "job.yaml", "-o", "j"], ["json"], id="choice"),
        pytest.param(["get", ""], ["trimtab-output/digits", "trimtab-output/rings"], id="runs"),
        pytest.param(["logs", "trimtab-output/digits", "i"], ["int8"], id="logs"),
    ],
)
def test_bash_proposes(folder: Path, words: list[str], proposed: list[str]):
    assert proposals(folder, *words) == proposed
