"""Servers of the tests are ended with them, and nothing else is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.cluster.processes import Processes, StartError, free_ports, is_listening, stop_recorded

LISTENER = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    processes.stop()


def test_stop_ends_what_was_started_even_when_it_is_frozen(processes: Processes) -> None:
    port = free_ports(1)[0]
    processes.start("server", [*LISTENER, str(port)], os.environ)
    processes.wait_until("it listens", lambda: is_listening(port))
    pid = processes.children["server"].pid
    psutil.Process(pid).suspend()

    processes.stop()

    assert not is_running(pid)
    assert (processes.folder / "pids").read_text() == ""


@pytest.mark.parametrize(
    "end", [pytest.param("stop_one", id="stopped"), pytest.param("kill_one", id="killed")]
)
def test_server_that_is_ended_on_its_own_is_missed_by_nobody(processes: Processes, end: str) -> None:
    ports = dict(zip(("one", "other"), free_ports(2), strict=True))
    for name, port in ports.items():
        processes.start(name, [*LISTENER, str(port)], os.environ)
        processes.wait_until("it listens", partial(is_listening, port))

    getattr(processes, end)("one")

    processes.wait_until("the other one still listens", lambda: is_listening(ports["other"]))
    assert not is_listening(ports["one"])


def test_process_that_got_the_id_of_a_server_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        started = psutil.Process(stranger.pid).create_time()
        (tmp_path / "pids").write_text(f"server {stranger.pid} {started - 60}\n")

        stop_recorded(tmp_path)

        assert stranger.poll() is None
        stranger.kill()


def test_server_that_exits_shows_its_last_words(processes: Processes) -> None:
    processes.start("server", [sys.executable, "-c", "import sys; sys.exit('no such flag')"], os.environ)

    with pytest.raises(StartError, match=r"server exited with 1\n.*server\.log:\nno such flag"):
        processes.wait_until("it listens", lambda: False)


def test_server_that_never_gets_ready_shows_its_last_words(processes: Processes) -> None:
    port = free_ports(1)[0]
    processes.start("server", [*LISTENER, str(port)], os.environ)
    processes.wait_until("it listens", lambda: is_listening(port))

    with pytest.raises(StartError, match=r"it answers: not within 0 s\n.*server\.log:\n"):
        processes.wait_until("it answers", lambda: False, limit_seconds=0)


SESSION = """\
import os, pathlib, signal, sys
from tests.cluster.processes import Processes, is_listening
folder, port, *command = sys.argv[1:]
processes = Processes(pathlib.Path(folder))
processes.start("server", command, os.environ)
processes.wait_until("it listens", lambda: is_listening(int(port)))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_servers_end_with_a_session_that_is_killed(processes: Processes) -> None:
    port = str(free_ports(1)[0])
    session = [sys.executable, "-c", SESSION, str(processes.folder), port, *LISTENER, port]
    subprocess.run(session, cwd=Path(__file__).parents[2], check=False)

    _, pid, _ = (processes.folder / "pids").read_text().split()

    processes.wait_until("the server ends", lambda: not is_running(int(pid)))


def is_running(pid: int) -> bool:
    """Whether a process still does something; an ended one may linger until its parent asks for its code."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
