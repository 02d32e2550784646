"""Several works of one kind, run on the pool to their end; how every step after the search uses workers."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from trimtab_jobs.errors import StoppedError
from trimtab_jobs.pool import Done, TrialPool, Work
from trimtab_jobs.pool.base import CRASHES

ATTEMPTS = 3
"""Times a work is started before a lost worker is reported as its failure."""
POLL_SECONDS = 0.5
"""How often a person's Ctrl-C is looked for while workers are busy."""


def gather(pool: TrialPool, works: Sequence[Work], should_stop: Callable[[], bool]) -> dict[str, Done]:
    """Each work's end by its id, in the order of `works`; one whose worker was lost is started again.

    Raises StoppedError when `should_stop` says so; what the works had stored by then stays.
    """
    waiting = list(reversed(works))
    attempts = {work.id: 1 for work in works}
    running: dict[str, Work] = {}
    ended: dict[str, Done] = {}
    while len(ended) < len(works):
        if should_stop():
            raise StoppedError
        while waiting and len(running) < pool.capacity:
            work = waiting.pop()
            pool.submit(work)
            running[work.id] = work
        for done in pool.poll(POLL_SECONDS):
            work = running.pop(done.id)
            if _lost(done) and attempts[done.id] < _most_attempts(done):
                attempts[done.id] += 1
                waiting.append(work)
            else:
                ended[done.id] = _settled(done)
    return {work.id: ended[work.id] for work in works}


def _lost(done: Done) -> bool:
    return done.failure is not None and done.failure.kind == "infrastructure"


def _most_attempts(done: Done) -> int:
    return CRASHES if _is_crash(done) else ATTEMPTS


def _is_crash(done: Done) -> bool:
    return done.failure is not None and done.failure.cause == "crash"


def _settled(done: Done) -> Done:
    """What became of a work for good: one that ended each of its workers itself is wrong code."""
    if done.failure is None or not _is_crash(done):
        return done
    told = f"{CRASHES} times in a row: {done.failure.error}"
    return replace(done, failure=replace(done.failure, kind="code", error=told))
