"""A running operator, in parts: each runs until the operator ends, and the operator ends when one does.

watching   Kopf ─► view, queue; anew when the kinds that are served change
listing    every few minutes: view, queue
leading    the Lease ─► workers
working    queue ─► tick
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn

from trimtab_operator.errors import ClusterError
from trimtab_operator.health import Heartbeats
from trimtab_operator.lease import Elector
from trimtab_operator.lists import Lists
from trimtab_operator.metrics import Metrics
from trimtab_operator.observe import Observer
from trimtab_operator.queue import WorkQueue
from trimtab_operator.settings import Settings
from trimtab_operator.view import View
from trimtab_operator.work import Work
from trimtab_operator.world import Key

logger = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
SILENT_SECONDS = 60.0
"""How long the event loop may be silent before the kubelet is told."""
Watch = Callable[[asyncio.Event], Awaitable[None]]
"""Watches until the event is set, or the process is told to end."""


class LostError(Exception):
    """The Lease is lost: another operator may act by now, so that this one has to end."""


@dataclass
class Operator:
    """What the parts share."""

    settings: Settings
    view: View
    queue: WorkQueue[Key]
    lists: Lists
    observer: Observer
    elector: Elector
    work: Work
    metrics: Metrics
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    is_filled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once everything was listed."""
    is_leading: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once this operator acts."""
    is_list_due: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have everything listed at once."""
    has_new_kinds: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the kinds that are served have changed, so that Kopf has to start anew."""

    async def run(self, watch: Watch) -> None:
        """Run every part until one ends: watching when it is told to, another by the error that is raised."""
        parts = [self.beating(), self.listing(), self.discovering(), self.leading()]
        parts += [self.working() for _ in range(self.settings.concurrency)]
        tasks = [asyncio.create_task(part) for part in (*parts, self.watching(watch))]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()

    def look_at_all(self) -> None:
        """Put every job on the queue."""
        for key in self.view.jobs():
            self.queue.add(key)

    async def leading(self) -> NoReturn:
        """Stand by, then act for as long as the Lease is held; LostError when it no longer is."""
        await self.elector.acquire()
        self.metrics.leads(True)
        self.is_list_due.set()  # what the one before this did last may not have been told of yet
        await self.elector.hold()
        raise LostError(f"the Lease {self.settings.lease_namespace}/{self.settings.lease_name} is lost")

    async def working(self) -> NoReturn:
        """Look at jobs while this operator is the one that acts."""
        await self.is_leading.wait()
        await self.work.forever()

    async def listing(self) -> NoReturn:
        """Fill the view; then read everything anew and look at every job, when it is due and now and then."""
        await self.is_list_due.wait()
        await self.elector.has_asked.wait()  # where the Lease is free, one list does
        is_round = False
        while True:
            self.is_list_due.clear()
            may_lead = self.elector.holds
            self._seems_well(await self.lists.read(is_round))
            self.observer.forget()
            self.look_at_all()
            self.is_filled.set()
            if may_lead:
                self.is_leading.set()
            is_round = not await self._is_list_due_within(self.settings.resync_seconds)

    async def _is_list_due_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.is_list_due.wait()
        return self.is_list_due.is_set()

    def _seems_well(self, missed: int) -> None:
        """Note that watches work, unless they have not told of something for a whole round."""
        if missed:
            logger.error("watches have not told of %d changes in %g s", missed, self.settings.resync_seconds)
        else:
            self.heartbeats.beat("watches", 3 * self.settings.resync_seconds + SILENT_SECONDS)

    async def discovering(self) -> NoReturn:
        """Ask again and again which kinds are served, and have those that are new listed and watched."""
        while True:
            try:
                if await self.lists.discover():
                    self.is_list_due.set()
                    self.has_new_kinds.set()
            except ClusterError as error:
                logger.warning("cannot ask which kinds are served: %s", error)
            await asyncio.sleep(self.settings.discovery_seconds)

    async def beating(self) -> NoReturn:
        """Give signs of life."""
        while True:
            self.heartbeats.beat("event loop", SILENT_SECONDS)
            await asyncio.sleep(BEAT_SECONDS)

    async def watching(self, watch: Watch) -> None:
        """Watch until SIGINT or SIGTERM; again from the start when the kinds that are served change."""
        await self.is_filled.wait()
        while True:
            self.has_new_kinds.clear()
            await watch(self.has_new_kinds)
            if not self.has_new_kinds.is_set():
                return
            logger.info("watching anew: the kinds that are served have changed")
