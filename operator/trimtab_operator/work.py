"""Work: takes jobs from the queue, looks at each, and has it looked at again when that is due."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

from trimtab_operator.errors import ClusterError, ConflictError, RefusedError, TransientError
from trimtab_operator.metrics import UNEXPECTED, Metrics, Outcome
from trimtab_operator.queue import WorkQueue
from trimtab_operator.world import Key

logger = logging.getLogger(__name__)
LOOK_SECONDS = 120.0
"""How long one look at a job may take; each of its requests has a limit of its own."""
REFUSED_SECONDS = 30.0
"""How long to leave a job alone whose children the API server refuses."""


@dataclass(frozen=True, slots=True)
class Work:
    """What workers share."""

    queue: WorkQueue[Key]
    tick: Callable[[Key], Awaitable[float | None]]
    """Looks at a job; returns when to look again even if nothing happens."""
    may_act: Callable[[], bool]
    """Whether this operator is the one that acts."""
    metrics: Metrics

    async def forever(self) -> NoReturn:
        """Look at one job after the other."""
        while True:
            key = await self.queue.take()
            try:
                await self.look(key)
            finally:
                self.queue.done(key)
            await asyncio.sleep(0)  # a look may wait for nothing, and the Lease has to be renewed meanwhile

    async def look(self, key: Key) -> None:
        """Look at a job once; whatever goes wrong is logged, counted and tried again later."""
        if not self.may_act():  # nothing ran for so long that the Lease ran out
            self.queue.retry(key)
            return
        clock = asyncio.get_running_loop().time
        started = clock()
        outcome = await self._look(key)
        self.metrics.reconciled(outcome, clock() - started)

    async def _look(self, key: Key) -> Outcome:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                again_seconds = await self.tick(key)
        except ConflictError:  # somebody is quicker, time and again
            self.queue.retry(key)
            return "conflict"
        except (ClusterError, TimeoutError) as error:
            self._put_off(key, error)
            return "failed"
        except Exception:  # a fault in what one job needs must not end the work on all others
            logger.exception("looking at a job failed", extra={"job": str(key)})
            self.metrics.failed(UNEXPECTED)
            self.queue.retry(key)
            return "failed"
        self.queue.succeeded(key)
        if again_seconds is not None:
            self.queue.add_after(key, again_seconds)
        return "done"

    def _put_off(self, key: Key, error: ClusterError | TimeoutError) -> None:
        at_least, reason = 0.0, TransientError.reason
        if isinstance(error, TransientError):
            at_least = error.retry_after_seconds
        elif isinstance(error, ClusterError):
            at_least, reason = REFUSED_SECONDS if isinstance(error, RefusedError) else 0.0, error.reason
        pause = self.queue.retry(key, at_least)
        self.metrics.failed(reason)
        message = str(error) or f"no end after {LOOK_SECONDS:.0f} s"
        logger.warning("%s; again in %.1f s", message, pause, extra={"job": str(key), "reason": reason})
