"""The work queue: which keys to look at, each once however often it was asked for.

    add, add_after ──> waiting ──take──> at work ──done──> (waiting again, if asked for meanwhile)

A key is never at work twice at a time. It belongs to one event loop, whose clock it goes by.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to leave a key alone that fails again and again."""

    first_seconds: float = 1.0
    most_seconds: float = 300.0

    def seconds(self, failures: int, spread: float) -> float:
        """Return the pause after so many failures in a row (from 1): doubled each time up to the most.

        `spread`, from 0 to 1, takes off up to half of it, so that what failed together does not come back
        together.
        """
        longest = min(self.most_seconds, self.first_seconds * 2.0 ** min(failures - 1, 60))
        return longest * (1 - spread / 2)


class WorkQueue(Generic[K]):
    """Keys waiting for work, and those at work."""

    def __init__(self, backoff: Backoff, spread: Callable[[], float] = random.random) -> None:
        self._backoff = backoff
        self._spread = spread
        self._waiting: dict[K, None] = {}  # in the order of their coming
        self._at_work: dict[K, bool] = {}  # whether it was asked for meanwhile
        self._later: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        """Return how many keys wait for work now."""
        return len(self._waiting)

    def add(self, key: K) -> None:
        """Have a key looked at as soon as possible, or again once the work on it is done."""
        if key in self._at_work:
            self._at_work[key] = True
        else:
            self._waiting[key] = None
            self._filled.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Have a key looked at after a time, unless it is looked at before: the soonest time counts."""
        loop = asyncio.get_running_loop()
        when, set_before = loop.time() + seconds, self._later.get(key)
        if set_before and set_before.when() <= when:
            return
        if set_before:
            set_before.cancel()
        self._later[key] = loop.call_at(when, self._due, key)

    def retry(self, key: K, at_least_seconds: float = 0.0) -> float:
        """Have a key that failed looked at again after a pause, longer each time; return the pause."""
        self._failures[key] = self._failures.get(key, 0) + 1
        pause = max(at_least_seconds, self._backoff.seconds(self._failures[key], self._spread()))
        self.add_after(key, pause)
        return pause

    def succeeded(self, key: K) -> None:
        """Forget that a key failed before."""
        self._failures.pop(key, None)

    async def take(self) -> K:
        """Return the key that has waited longest, which is at work until it is `done`."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        key = next(iter(self._waiting))
        del self._waiting[key]
        self._at_work[key] = False
        if later := self._later.pop(key, None):
            later.cancel()
        return key

    def done(self, key: K) -> None:
        """End the work on a key."""
        if self._at_work.pop(key):
            self.add(key)

    def _due(self, key: K) -> None:
        del self._later[key]
        self.add(key)
