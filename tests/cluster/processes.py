"""Server processes of one test run: started, awaited and ended, and never anybody else's.

What runs is written to `pids` in the run's folder as name, process id and start time. A process is ended
only while both still match, so an id that has passed to another program is left alone.
"""

import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PATIENCE_SECONDS = 15
LINE_LENGTH = 300
CLOCK_TOLERANCE_SECONDS = 1.0  # start times are derived from the boot time, which may be corrected


class StartError(RuntimeError):
    """A server exited or did not become ready; the message ends with its last words."""


@dataclass
class Processes:
    """The processes of one folder; `outlive` lets them go on after the process that started them."""

    folder: Path
    outlive: bool = False
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start one server with its output in `logs/NAME.log`."""
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            child = subprocess.Popen(
                [*self._leash(), *map(str, command)],
                cwd=self.folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the tests alone, which then stop their servers
            )
        self.children[name] = child
        with (self.folder / "pids").open("a") as record:
            record.write(f"{name} {child.pid} {psutil.Process(child.pid).create_time()}\n")

    def wait_until(
        self, what: str, is_ready: Callable[[], bool], limit_seconds: float = 90, every_seconds: float = 0.02
    ) -> None:
        """Return once `is_ready()`; StartError when a server exits or the limit passes first."""
        end = time.monotonic() + limit_seconds
        while not is_ready():
            for name, child in self.children.items():
                if child.poll() is not None:
                    raise StartError(f"{name} exited with {child.returncode}\n{self.last_words(name)}")
            if time.monotonic() > end:
                words = "\n".join(self.last_words(name) for name in self.children)
                raise StartError(f"{what}: not within {limit_seconds:.0f} s\n{words}")
            time.sleep(every_seconds)

    def stop(self) -> None:
        """End every process of the folder, the last started first."""
        stop_recorded(self.folder)
        for child in self.children.values():
            child.wait()
        self.children.clear()

    def stop_one(self, name: str) -> None:
        """End one process; what waits for the others no longer minds that it is gone."""
        child = self.children.pop(name)
        with suppress(psutil.NoSuchProcess):
            end_process(child.pid, psutil.Process(child.pid).create_time())
        child.wait()

    def kill_one(self, name: str) -> None:
        """End one process at once, unasked."""
        child = self.children.pop(name)
        child.kill()
        child.wait()

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def last_words(self, name: str) -> str:
        """The last lines that a server wrote, cut to a readable length, under the log's path."""
        lines = self.log(name).read_text(errors="replace").splitlines()
        return "\n".join([f"{self.log(name)}:", *(line[:LINE_LENGTH] for line in lines[-15:])])

    def _leash(self) -> list[str]:
        """A prefix that ends the server with its parent, even one that is killed, where Linux offers it."""
        if self.outlive or (setpriv := shutil.which("setpriv")) is None:
            return []
        return [setpriv, "--pdeathsig", "TERM"]


def stop_recorded(folder: Path) -> None:
    """End the processes that a folder's record names, the last started first, and empty the record."""
    record = folder / "pids"
    if not record.exists():
        return
    for line in reversed(record.read_text().splitlines()):
        _, pid, started = line.split()
        end_process(int(pid), float(started))
    record.write_text("")


def end_process(pid: int, started: float) -> None:
    """End one process, asked first and killed later, unless the id belongs to a younger one by now."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > CLOCK_TOLERANCE_SECONDS:
            return
        process.resume()  # a frozen process would not hear the request
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE_SECONDS)
    except psutil.NoSuchProcess:
        return


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address on which nothing listens.

    They lie below those that systems give to outgoing connections, so that none of these takes a port
    before its server does, or while a server is restarted.
    """
    ports: list[int] = []
    for port in random.sample(range(20_000, 32_000), 12_000):
        if len(ports) == count:
            break
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            ports.append(port)
    return ports


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts connections on this port of an address of this host."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
