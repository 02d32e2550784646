"""The log of a work while it goes on: what it has printed so far, kept in the store now and then.

So a person can follow a long trial, and the log of a worker that is lost is not lost with it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from trimtab_jobs.pool.base import Work
from trimtab_jobs.pool.session import Session
from trimtab_jobs.store import StoreError

KEEP_SECONDS = 5.0
"""How often at most: so much later than printed, a line is in the store."""


class SoFar(Protocol):
    """What is printed."""

    def so_far(self) -> bytes:
        """What the work has printed by now."""
        ...


@contextmanager
def streamed(
    session: Session, work: Work, printed: SoFar | None, every_seconds: float = KEEP_SECONDS
) -> Iterator[None]:
    """Keep the log of the work while the block lasts; the whole of it is to be written after the block.

    A store that fails is left to that last write, whose failure is the work's.
    """
    if work.log is None or printed is None:
        yield
        return
    key, ended = work.log, threading.Event()

    def keep() -> None:
        kept = b""
        while not ended.wait(every_seconds):
            now = printed.so_far()
            if now != kept:
                with suppress(StoreError):
                    session.store.put(key, now)
                    kept = now

    thread = threading.Thread(target=keep, name="log", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()  # else an older state could be written over the whole log
