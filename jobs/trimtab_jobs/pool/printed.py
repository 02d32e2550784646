"""What is printed while a work runs, by Python, by C code and by subprocesses alike.

The worker's file descriptors 1 and 2 become a file for good. A pipe would need a thread to drain it, and C
code that fills the pipe while it holds Python's lock would wait for that thread forever.
"""

import ctypes
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from trimtab_jobs.repeating import repeatedly

LIMIT_BYTES = 256 * 1024
"""What is kept of one work: the first half and the last half of it."""
TAIL_LINES = 20
TAIL_CHARACTERS = 2000
_WATCH_SECONDS = 0.1
_PUNCH_HOLE = 0x02 | 0x01
"""FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE of linux/falloc.h."""


class Printed:
    """The file that stands for the terminal in this process."""

    def __init__(self, path: Path) -> None:
        # Appending, so that a write after a truncation, also a subprocess's, starts at the new end.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        _flush_streams()
        os.dup2(self._file, 1)
        os.dup2(self._file, 2)

    def take(self) -> bytes:
        """What was printed since the last call, cut to LIMIT_BYTES."""
        _flush_streams()
        size = os.fstat(self._file).st_size
        if not size:
            return b""
        output = _read_ends(self._file, size)
        os.ftruncate(self._file, 0)
        return output

    def bounded(self) -> AbstractContextManager[None]:
        """Keep the file small on disk while the block lasts, however much is printed."""

        def watch() -> None:
            size = os.fstat(self._file).st_size
            if size > LIMIT_BYTES:
                _drop_middle(self._file, size)

        return repeatedly(watch, _WATCH_SECONDS, "printed")

    def so_far(self) -> bytes:
        """What was printed since the last `take`, cut in the same way; may be asked by another thread.

        Streams are not flushed: whoever forks meanwhile would hand a held lock on to the child. Ray's workers
        write through.
        """
        size = os.fstat(self._file).st_size
        return _read_ends(self._file, size) if size else b""


def read_printed(path: Path) -> str:
    """What a lost worker had printed for its last work; empty when its file is not on this machine."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return ""
    try:
        return _read_ends(file, os.fstat(file).st_size).decode(errors="replace")
    finally:
        os.close(file)


def last_lines(text: str) -> str:
    """The last lines of what was printed, for an error message."""
    return "\n".join(text.rstrip().splitlines()[-TAIL_LINES:])[-TAIL_CHARACTERS:]


def _read_ends(file: int, size: int) -> bytes:
    if size <= LIMIT_BYTES:
        return os.pread(file, size, 0)
    half = LIMIT_BYTES // 2
    left_out = f"\n… {size - 2 * half} bytes left out …\n".encode()
    return os.pread(file, half, 0) + left_out + os.pread(file, half, size - half)


def _drop_middle(file: int, size: int) -> None:
    """Give the disk back what `_read_ends` leaves out of the file, whose size stays (man 2 fallocate).

    Where a file cannot have holes, all that it holds by now is dropped.
    """
    half = LIMIT_BYTES // 2
    span = ctypes.c_int64(half), ctypes.c_int64(size - 2 * half)
    if sys.platform != "linux" or ctypes.CDLL(None).fallocate(file, _PUNCH_HOLE, *span):
        os.ftruncate(file, 0)


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
