"""Ends a cluster of nodes when the process that started it is gone without having done so."""

import os
import signal
import sys
from pathlib import Path

from tests.cluster.clearing import clear
from tests.cluster.processes import Processes

ROOT = Path(__file__).parents[2]
FOLDER = "guard"


def start_guard(folder: Path) -> Processes:
    """Start a process that hears of the end of this one, and then clears the folder's cluster."""
    guard = Processes(folder / FOLDER)
    guard.start("guard", [sys.executable, "-m", __name__, folder], {**os.environ, "PYTHONPATH": str(ROOT)})
    return guard


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})
    clear(Path(sys.argv[1]))
