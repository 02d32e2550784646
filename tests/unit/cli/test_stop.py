"""Ctrl-C, once and twice."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from trimtab_cli.stop import Stop

TWICE = """
import os, signal
from trimtab_cli.stop import Stop, leave_now
with Stop(leave_now("trimtab run job.yaml")).listening():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    print("not reached", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_to_stop(number):
    stop = Stop(lambda: pytest.fail("forced"))
    with stop.listening():
        before = stop()
        signal.raise_signal(number)
    assert (before, stop()) == (False, True)


def test_second_signal_forces():
    forced = []
    with Stop(lambda: forced.append("now")).listening():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert forced == ["now"]


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGINT)
    with Stop(lambda: None).listening():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_second_ctrl_c_ends_at_once_and_says_how_to_go_on():
    ended = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "\nEnded at once. Run the same command to go on: trimtab run job.yaml\n"


def test_second_ctrl_c_on_a_terminal_gives_the_cursor_back():
    ours, theirs = pty.openpty()
    ended = subprocess.run([sys.executable, "-c", TWICE], stderr=theirs, check=False)
    os.close(theirs)
    written = os.read(ours, 1000).decode()
    os.close(ours)
    assert ended.returncode == 130
    assert written.startswith("\x1b[?25h")
