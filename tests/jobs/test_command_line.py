"""The starter of `trimtab init`, run as a newcomer runs it: on a terminal, interrupted, then to its end."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

TRIMTAB = str(Path(sys.executable).with_name("trimtab"))
CTRL_C = b"\x03"


class Terminal:
    """A command on a terminal of its own, read as it writes."""

    def __init__(self, command, folder):
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command],  # else Ctrl-C would be a character like any other
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(theirs)
        self.written = ""

    def wait_for(self, pattern):
        while not re.search(pattern, self.written):
            self.written += self._read() or pytest.fail(f"ended without {pattern}:\n{self.written}")

    def press(self, keys):
        os.write(self._ours, keys)

    def end(self):
        while more := self._read():
            self.written += more
        os.close(self._ours)
        return self._process.wait()

    def _read(self):
        try:
            return os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # Linux says EIO when the other side has been closed
            return ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the starter was written, run until its first trials, and stopped by Ctrl-C."""
    place = tmp_path_factory.mktemp("newcomer")
    subprocess.run([TRIMTAB, "init", "mine"], cwd=place, check=True, capture_output=True)
    terminal = Terminal([TRIMTAB, "run", "mine/job.yaml"], place)
    terminal.wait_for(r"2 running")
    terminal.press(CTRL_C)
    (place / "code").write_text(str(terminal.end()))
    (place / "seen").write_text(terminal.written)
    return place


@pytest.fixture(scope="module")
def ended(folder):
    """The same command again, to its end, with its output in a pipe."""
    return subprocess.run(
        [TRIMTAB, "run", "mine/job.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_ctrl_c_saves_and_says_how_to_go_on(folder):
    seen = (folder / "seen").read_text()
    assert (folder / "code").read_text() == "130"
    assert "● search" in seen
    assert "Next: run the same command to go on: trimtab run mine/job.yaml" in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")


def test_same_command_goes_on_to_the_end(ended):
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "\r" not in ended.stdout
    assert "\x1b" not in ended.stdout
    assert "Guardrail met, " in ended.stdout


def test_every_figure_of_the_table_is_in_the_result(ended, folder):
    result = (folder / "trimtab-output/mine/result.json").read_text()
    exact = [float(text) for text in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", result)]
    table = ended.stdout.partition("against       against\n")[2].partition("\n\n")[0].splitlines()[1:]
    figures = [
        text for line in table for text in re.split(r"\s{2,}", line)[1:4] if re.fullmatch(r"[\d.,]+", text)
    ]
    assert len(figures) >= 15
    for text in figures:
        value = float(text.replace(",", ""))
        assert any(abs(value - known) <= 0.006 * abs(known) for known in exact), text


def test_page_and_table_show_the_same_figures(ended, folder):
    page = (folder / "trimtab-output/mine/report.html").read_text()
    size = re.search(r"^size \(MB\) +(\S+) +(\S+) +(\S+)", ended.stdout, re.MULTILINE)
    assert size is not None
    assert all(f">{text}<" in page for text in size.groups())


def test_run_that_has_ended_is_told_again_at_once(ended, folder):
    before = json.loads((folder / "trimtab-output/mine/result.json").read_text())
    again = subprocess.run(
        [TRIMTAB, "run", "mine/job.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1] == ended.stdout.splitlines()[-1]
    assert json.loads((folder / "trimtab-output/mine/result.json").read_text()) == before
