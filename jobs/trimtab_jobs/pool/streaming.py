"""The log of a work while it goes on: what it has printed so far, kept in the store now and then.

So a person can follow a long trial, and the log of a worker that is lost is not lost with it.
"""

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Protocol

from trimtab_jobs.pool.base import Work
from trimtab_jobs.pool.session import Session
from trimtab_jobs.repeating import repeatedly
from trimtab_jobs.store import StoreError

KEEP_SECONDS = 5.0
"""How often at most: so much later than printed, a line is in the store."""


class SoFar(Protocol):
    """What is printed."""

    def so_far(self) -> bytes:
        """What the work has printed by now."""
        ...


def streamed(
    session: Session, work: Work, printed: SoFar | None, every_seconds: float = KEEP_SECONDS
) -> AbstractContextManager[None]:
    """Keep the log of the work while a block lasts; the whole of it is to be written after the block.

    A store that fails is left to that last write, whose failure is the work's.
    """
    if work.log is None or printed is None:
        return nullcontext()
    key, kept = work.log, b""

    def keep() -> None:
        nonlocal kept
        now = printed.so_far()
        if now != kept:
            with suppress(StoreError):
                session.store.put(key, now)
                kept = now

    return repeatedly(keep, every_seconds, "log")
