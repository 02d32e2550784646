"""A job as it changes: one state after the other, through restarts of the API server and expired watches.

read the job → yield it → watch from there until the watch ends, breaks off or has expired → read it again
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from trimtab_cli.cluster.errors import ClusterError, ExpiredError, MissingError, UnavailableError

Document = dict[str, Any]
PATIENCE_SECONDS = 600.0
"""How long an API server that does not answer is asked again."""
QUIET_SECONDS = 5.0
"""How long it may be away without a word about it."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0


class Source(Protocol):
    """Where a job is read and watched."""

    def get(self, name: str) -> Document:
        """The job as it is."""
        ...

    def watch(self, job: Document, seconds: float) -> Iterator[tuple[str, Document]]:
        """Its changes since then, for so long at most."""
        ...


class DeletedError(ClusterError):
    """The job is gone."""


class TimeUpError(ClusterError):
    """What was waited for has not come in time."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, and what is said while it passes."""

    say: Callable[[str], object]
    """Takes a sentence for the person."""
    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


def states(source: Source, name: str, clock: Clock, deadline: float | None = None) -> Iterator[Document]:
    """The job as it is, and again whenever it has changed; without an end, as a job may be run again.

    DeletedError when it is deleted, also if another has its name by then; TimeUpError at the deadline of the
    clock; UnavailableError when the API server is away at first, or later for too long.
    """
    seen: Document | None = None
    away = _Away(clock)
    while True:
        try:
            seen = _same(source.get(name), seen)
            away.is_back()
            yield seen
            yield from _changes(source, seen, _left(clock, deadline))
        except ExpiredError:
            pass
        except (MissingError, UnavailableError) as error:
            if seen is None:
                raise
            if isinstance(error, MissingError):
                raise DeletedError(f"{name} was deleted") from None
            away.wait(error, _left(clock, deadline))
        if _left(clock, deadline) <= 0:
            raise TimeUpError(f"{name}: time is up")
        clock.pause(FIRST_PAUSE_SECONDS)


def _changes(source: Source, job: Document, seconds: float) -> Iterator[Document]:
    """The job after each change; the watch's own marks are passed over."""
    for kind, document in source.watch(job, seconds):
        if kind == "DELETED":
            raise DeletedError(f"{job['metadata']['name']} was deleted")
        if kind in ("ADDED", "MODIFIED"):
            yield _same(document, job)


def _same(found: Document, seen: Document | None) -> Document:
    if seen is not None and found["metadata"]["uid"] != seen["metadata"]["uid"]:
        raise DeletedError(f"{found['metadata']['name']} was deleted, and another job has its name now")
    return found


def _left(clock: Clock, deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - clock.now()


class _Away:
    """How long an API server has been away, and when to ask it again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._is_told = False

    def is_back(self) -> None:
        """It has answered."""
        if self._is_told:
            self._clock.say("the API server answers again")
        self._since, self._pause, self._is_told = None, FIRST_PAUSE_SECONDS, False

    def wait(self, error: UnavailableError, left: float) -> None:
        """Pause before asking again; the error itself when that has gone on for too long."""
        now = self._clock.now()
        since = self._since = now if self._since is None else self._since
        if now - since >= PATIENCE_SECONDS:
            raise error
        if now - since >= QUIET_SECONDS and not self._is_told:
            self._clock.say(f"{error.message}; asking again")
            self._is_told = True
        self._clock.pause(max(0.0, min(self._pause, left)))
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
