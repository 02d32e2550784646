"""Ends a cluster of nodes when the process that started it is gone without having done so."""

import os
import signal
import sys
from pathlib import Path

from tests.cluster.clearing import clear
from tests.cluster.processes import Processes

ROOT = Path(__file__).parents[2]
FOLDER = "guard"
AWAITED = {signal.SIGTERM}


def start_guard(folder: Path) -> Processes:
    """Start a process that is sent a signal at the end of this one, and then clears the folder's cluster."""
    guard = Processes(folder / FOLDER)
    command: list[str | Path] = [sys.executable, "-m", __name__, folder]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)  # it inherits this, to miss no early signal
    guard.start("guard", command, {**os.environ, "PYTHONPATH": str(ROOT)})
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return guard


if __name__ == "__main__":
    signal.sigwait(AWAITED)
    clear(Path(sys.argv[1]))
