"""How long a store is waited for that does not do its part, and who hears of it meanwhile."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from trimtab_jobs import alive
from trimtab_jobs.store.errors import StoreError

VARIABLE = "TRIMTAB_STORE_PATIENCE"
"""Seconds that a pod waits: nobody sits in front of it who could mend the store and start again."""
TOLD_AFTER_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    request: float = 20
    """One request, its body included (parts of at most 8 MiB)."""
    first: float = 8
    """All attempts before the server has ever answered: a wrong address is told soon."""
    total: float = 60
    """All attempts afterwards: a server may take its time to restart."""
    room: float = 0
    """All attempts on a disk that is full."""

    @classmethod
    def usual(cls) -> "Patience":
        """What the environment says; StoreError when that is no number of seconds."""
        usual, given = cls(), os.environ.get(VARIABLE)
        if not given:
            return usual
        if not given.isdecimal():
            raise StoreError(f"{VARIABLE}={given!r} is no whole number of seconds; correct or remove it")
        seconds = float(given)
        return cls(first=max(usual.first, seconds / 5), total=seconds, room=seconds)


def in_silence(problem: str) -> None:
    """Tell nobody."""


class Wait:
    """One operation that is tried again and again, at growing distances."""

    def __init__(
        self,
        tell: Tell,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tell = tell
        self._now = now
        self._sleep = sleep
        self._started = now()
        self._pause = _FIRST_PAUSE_SECONDS
        self._told = ""

    def go_on(self, problem: str, limit_seconds: float) -> bool:
        """Whether to try again, once a pause is over; False when that would be too late."""
        waited = self._now() - self._started
        if waited + self._pause > limit_seconds:
            return False
        if waited >= TOLD_AFTER_SECONDS and problem != self._told:
            self._tell(f"the store is waited for: {problem}")
            self._told = problem
        alive.sign(self._pause)
        self._sleep(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return True

    def succeed(self) -> None:
        """Take back what was told."""
        if self._told:
            self._tell("")
