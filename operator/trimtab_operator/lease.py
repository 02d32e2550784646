"""The Lease by which one of several operators is the one that acts.

    stand by ──(free, released, or not renewed for its duration)──> hold ──(renewed in time)──> hold
                                                                      └──(not renewed in time, taken)──> lost

Other machines' clocks are never trusted: a holder counts as gone when its record has not changed for the
Lease's duration on this machine's own clock. Who holds it stops acting before anybody else may take it,
since `renew_seconds`, after which it counts as lost, is shorter than the duration.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trimtab_operator.cluster import Cluster
from trimtab_operator.errors import ClusterError
from trimtab_operator.kinds import LEASE
from trimtab_operator.world import Manifest

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Which Lease, for whom, and how long it is good."""

    name: str
    namespace: str
    identity: str
    """This operator's own name; one that starts again under the same name goes on at once."""
    duration_seconds: float = 15.0
    """How long the others wait for a holder that does not renew."""
    renew_seconds: float = 10.0
    """How long a holder tries to renew before it stops acting."""
    retry_seconds: float = 2.0
    """How often the Lease is looked at or renewed."""


class Elector:
    """Acquires the Lease and holds it."""

    def __init__(self, cluster: Cluster, terms: LeaseTerms, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._terms = terms
        self._now = now
        self._seen: tuple[str, float] | None = None
        """The version last seen, and since when by the loop's clock."""
        self._good_until = -math.inf
        self.has_asked = asyncio.Event()
        """Set once it is known, or cannot be known, whether the Lease is free."""

    @property
    def holds(self) -> bool:
        """Whether the Lease is this operator's and still good, also after a time in which nothing ran."""
        return asyncio.get_running_loop().time() < self._good_until

    async def acquire(self) -> None:
        """Return once this operator holds the Lease, however long that takes."""
        while True:
            try:
                if await self._try():
                    logger.info("lease acquired", extra={"identity": self._terms.identity})
                    return
            except (ClusterError, TimeoutError) as error:
                logger.warning("cannot look at the lease: %s", str(error) or "no answer in time")
            finally:
                self.has_asked.set()
            await asyncio.sleep(self._terms.retry_seconds)

    async def hold(self) -> None:
        """Renew the Lease for as long as that works; return when it is lost."""
        while self.holds:
            await asyncio.sleep(self._terms.retry_seconds)
            try:
                async with asyncio.timeout_at(self._good_until):
                    if not await self._try():
                        break
            except (ClusterError, TimeoutError) as error:
                logger.warning("cannot renew the lease: %s", str(error) or "no answer in time")
        self._good_until = -math.inf
        logger.error("lease lost", extra={"identity": self._terms.identity})

    async def release(self) -> None:
        """Let the next one take the Lease at once, for who has stopped acting; nothing if it is another's."""
        self._good_until = -math.inf
        try:
            async with self._patience():
                found = await self._read()
                if found is None or not self._is_mine(found):
                    return
                end = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": self._moment()}
                await self._cluster.replace({**found, "spec": found["spec"] | end})
        except (ClusterError, TimeoutError) as error:  # it then runs out by itself
            logger.warning("cannot release the lease: %s", str(error) or "no answer in time")

    async def _try(self) -> bool:
        """Return whether the Lease is this operator's now; ClusterError and TimeoutError leave that open."""
        asked = asyncio.get_running_loop().time()
        async with self._patience():
            found = await self._read() or await self._cluster.create(self._record(None))
            if not self._may_take(found):
                return False
            await self._cluster.replace(self._record(found))
        self._good_until = asked + self._terms.renew_seconds
        return True

    async def _read(self) -> Manifest | None:
        return await self._cluster.get(LEASE, self._terms.name, self._terms.namespace)

    def _patience(self) -> asyncio.Timeout:
        """How long to wait for answers: half the time to renew, so that one lost answer is not the end."""
        return asyncio.timeout(self._terms.renew_seconds / 2)

    def _may_take(self, found: Manifest) -> bool:
        """Whether the Lease is this operator's, nobody's, or has not been renewed for its duration."""
        spec, version = found.get("spec") or {}, found["metadata"]["resourceVersion"]
        time = asyncio.get_running_loop().time()
        if self._seen is None or self._seen[0] != version:
            self._seen = version, time
        is_free = not spec.get("holderIdentity") or time - self._seen[1] >= self._duration(spec)
        return is_free or self._is_mine(found)

    def _is_mine(self, found: Manifest) -> bool:
        return (found.get("spec") or {}).get("holderIdentity") == self._terms.identity

    def _duration(self, spec: Manifest) -> float:
        """How long the holder says to wait for it, at least as long as this operator would say."""
        return max(self._terms.duration_seconds, float(spec.get("leaseDurationSeconds") or 0))

    def _record(self, found: Manifest | None) -> dict[str, Any]:
        """Return the Lease as held by this operator from now on, or still."""
        terms, moment = self._terms, self._moment()
        metadata, spec = (found["metadata"], found.get("spec") or {}) if found else ({}, {})
        is_mine = found is not None and self._is_mine(found)
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.name,
            "metadata": {"name": terms.name, "namespace": terms.namespace} | dict(metadata),
            "spec": {
                "holderIdentity": terms.identity,
                "leaseDurationSeconds": max(1, math.ceil(terms.duration_seconds)),
                "acquireTime": spec.get("acquireTime") if is_mine else moment,
                "renewTime": moment,
                "leaseTransitions": spec.get("leaseTransitions", 0) + (not is_mine and found is not None),
            },
        }

    def _moment(self) -> str:
        """The time as the API's MicroTime, in UTC: for people; nobody decides by it."""
        return self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
