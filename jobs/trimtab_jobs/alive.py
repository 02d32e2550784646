"""Signs of life of a driver in a pod: a file whose date says until when its silence means nothing.

The head's liveness probe looks at it. A thread of its own would give signs while the driver hangs, so they
are given where the driver's main thread passes by: wherever it asks whether to stop, and in what may take
long for good reasons, which says beforehand how long. Elsewhere a sign does nothing.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

_file: ContextVar[Path | None] = ContextVar("signs of life", default=None)
"""Where the signs of this thread go: other threads have contexts of their own."""


@contextmanager
def watched(file: Path | None) -> Iterator[None]:
    """Have the signs of this thread go to a file while the block lasts; its text is the process's number.

    None, or a file that cannot be written: nobody looks.
    """
    if file is None:
        yield
        return
    with suppress(OSError):
        file.write_text(f"{os.getpid()}\n")
    before = _file.set(file)
    try:
        yield
    finally:
        _file.reset(before)
        with suppress(OSError):
            file.unlink()


def sign(quiet_seconds: float = 0.0) -> None:
    """Tell that the driver is alive; what follows may take it so many seconds without another sign."""
    if file := _file.get():
        until = time.time() + quiet_seconds
        with suppress(OSError):  # a sign that is missing is no reason to end a run that is well
            os.utime(file, (until, until))
