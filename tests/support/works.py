"""Functions that the pools' tests run in workers, by the name "works:<function>"."""

import ctypes
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from trimtab_jobs.pool import CodeError, ConfigurationError, Session
from trimtab_jobs.store import StoreError


def give(session: Session, **payload: Any) -> dict[str, Any]:
    return payload


def see(session: Session) -> dict[str, Any]:
    """What a worker finds around it."""
    return {
        "pid": os.getpid(),
        "hash seed": os.environ.get("PYTHONHASHSEED"),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "niceness": os.nice(0),
        "scratch": session.scratch.parent == Path(tempfile.gettempdir()),
        "torch": "torch" in sys.modules,
    }


def count(session: Session) -> int:
    """How often this worker was asked."""
    session.cache["count"] = session.cache.get("count", 0) + 1
    return int(session.cache["count"])


def fail(session: Session, kind: str) -> None:
    errors = {
        "value": ValueError("lr is bad"),
        "code": CodeError("no method 'build'"),
        "configuration": ConfigurationError("accuracy is nan"),
        "store": StoreError("/data: the disk is full"),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
        "long": ValueError("x" * 10_000),
    }
    raise errors[kind]


def echo(session: Session, text: str) -> None:
    subprocess.run(["echo", text], check=True)


def speak(session: Session) -> None:
    """Print by Python, C and a subprocess."""
    print("python")
    print("error", file=sys.stderr)
    ctypes.CDLL(None).puts(b"c code")
    ctypes.CDLL(None).fflush(None)
    subprocess.run(["echo", "subprocess"], check=True)


def lock(session: Session) -> Any:
    """A value that cannot be sent."""
    return threading.Lock()


def crash(session: Session) -> None:
    print("before the crash", flush=True)
    os.kill(os.getpid(), 9)


def leave(session: Session) -> None:
    print("before the exit", flush=True)
    os._exit(3)


def hold(session: Session, fifo: str) -> None:
    """Take a long time, as does a subprocess that is never waited for; whoever opens the fifo knows."""
    subprocess.Popen(["sleep", "600"])
    Path(fifo).write_text("holding")
    time.sleep(600)
