"""What is left of a pool is removed when its driver ends, however it ends, `kill -9` included.

Run as a script with the pool's folder as argument, in a session of its own and on the standard library alone.
Its standard input is a pipe that only the driver holds open: end of file means that the driver is gone. Ray's
processes die with it by themselves, but two of its agents wait a minute for a server that will not come back,
and what the user's code has started waits for nobody.
"""

import os
import shutil
import signal
import sys
import time
from typing import BinaryIO

_PATIENCE_SECONDS = 10.0


def main(folder: str, driver: BinaryIO) -> None:
    """Wait for the driver's end, then end every process that has a file of `folder` open, then remove it."""
    driver.read()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and (left := processes_in(folder)):
        for process in left:
            _kill(process)
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def processes_in(folder: str) -> list[int]:
    """The processes that have a file below `folder` open; the driver, if it lives, is not counted."""
    spared = {os.getpid(), os.getppid()}
    names = os.listdir("/proc") if os.path.isdir("/proc") else []  # else not Linux
    pids = {int(name) for name in names if name.isdigit()} - spared
    return sorted(pid for pid in pids if _has_open(pid, f"{folder}/"))


def _has_open(pid: int, prefix: str) -> bool:
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:  # ended meanwhile, or another user's
        return False
    return any(_link_of(pid, descriptor).startswith(prefix) for descriptor in descriptors)


def _link_of(pid: int, descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")
    except OSError:  # closed meanwhile
        return ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.buffer)
