"""The liveness probe of a head, as bash runs it: the driver's signs of life, and Ray's answer."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest

from tests.cluster.processes import free_ports
from tests.support.listener import Listener
from trimtab_operator.resources.liveness import build_liveness_probe

SILENCE_SECONDS = 120
RAY_SECONDS = 600


class Agent(BaseHTTPRequestHandler):
    """Ray's agent, when it is well."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/local_raylet_healthz" else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def ray(port: int) -> Iterator[None]:
    listener = Listener(Agent, port)
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield
    listener.shutdown()
    thread.join()
    listener.server_close()


@pytest.fixture
def driver() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with the name of a driver in its command."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", "trimtab_jobs"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process


def probe(folder: Path, port: int) -> tuple[int, str]:
    """The probe's exit code and what becomes of its word, in a pod whose files lie in a folder."""
    bash, flag, script = build_liveness_probe(SILENCE_SECONDS)["exec"]["command"]
    here = script.replace("/tmp/", f"{folder}/").replace("/52365", f"/{port}")
    here = here.replace("/dev/termination-log", f"{folder}/termination-log")
    found = subprocess.run([bash, flag, here], check=False, capture_output=True, text=True, timeout=60)
    told = folder / "termination-log"
    assert (told.read_text() if told.exists() else "") == found.stdout
    return found.returncode, found.stdout.strip()


def sign(folder: Path, process: int, age_seconds: float) -> None:
    """A driver's last sign of life."""
    file = folder / "trimtab-driver"
    file.write_text(f"{process}\n")
    date = time.time() - age_seconds
    os.utime(file, (date, date))


def answered(folder: Path, age_seconds: float) -> None:
    """Ray's last answer."""
    file = folder / "trimtab-ray"
    file.touch()
    date = time.time() - age_seconds
    os.utime(file, (date, date))


def test_head_without_a_driver_is_alive(tmp_path: Path, port: int, ray: None) -> None:
    assert probe(tmp_path, port) == (0, "")
    assert (tmp_path / "trimtab-ray").exists()


@pytest.mark.parametrize("age_seconds", [0, SILENCE_SECONDS - 20, -3_600], ids=["now", "before", "ahead"])
def test_driver_that_gives_signs_is_alive(
    tmp_path: Path, port: int, ray: None, driver: "subprocess.Popen[bytes]", age_seconds: float
) -> None:
    sign(tmp_path, driver.pid, age_seconds)

    assert probe(tmp_path, port) == (0, "")


def test_driver_that_hangs_is_found_and_named(
    tmp_path: Path, port: int, ray: None, driver: "subprocess.Popen[bytes]"
) -> None:
    sign(tmp_path, driver.pid, SILENCE_SECONDS + 5)

    assert probe(tmp_path, port) == (1, "the driver has given no sign of life for 120 s")


def test_sign_of_a_process_that_is_no_driver_any_more_does_not_count(
    tmp_path: Path, port: int, ray: None
) -> None:
    sign(tmp_path, os.getpid(), SILENCE_SECONDS + 5)

    assert probe(tmp_path, port) == (0, "")


def test_ray_that_does_not_answer_is_waited_for(tmp_path: Path, port: int) -> None:
    answered(tmp_path, RAY_SECONDS - 20)

    assert probe(tmp_path, port) == (0, "")


def test_ray_that_has_not_answered_for_long_is_not_alive(tmp_path: Path, port: int) -> None:
    answered(tmp_path, RAY_SECONDS + 5)

    assert probe(tmp_path, port) == (1, "Ray has not answered for 600 s")
