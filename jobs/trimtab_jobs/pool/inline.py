"""A pool without workers: works run in this process, one at a time, when polled for."""

from collections import deque

from trimtab_jobs.pool.base import Done, Work, WorkerSetup
from trimtab_jobs.pool.perform import perform
from trimtab_jobs.pool.session import Session


class InlinePool:
    """For tests and debuggers: breakpoints work, printing goes to the terminal, nothing is isolated."""

    capacity = 1

    def __init__(self, setup: WorkerSetup) -> None:
        self._session = Session(setup)
        self._queue: deque[Work] = deque()

    def submit(self, work: Work) -> None:
        """Keep the work for the next poll."""
        if self._queue:
            raise RuntimeError(f"work {work.id!r} submitted while {self._queue[0].id!r} is under way")
        self._queue.append(work)

    def poll(self, timeout_seconds: float) -> list[Done]:
        """Run the work that was submitted, however long it takes."""
        return [perform(self._session, self._queue.popleft(), worker=0)] if self._queue else []

    def abandon(self) -> None:
        """Drop the work that was submitted."""
        self._queue.clear()

    def close(self) -> None:
        """Let the session go."""
        self.abandon()
        self._session.close()
