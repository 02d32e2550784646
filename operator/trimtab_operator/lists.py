"""Lists: everything that is watched, read whole now and then, since watches may miss what happens."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from trimtab_operator.cluster import Cluster, Selection
from trimtab_operator.errors import ClusterError, NotServedError
from trimtab_operator.kinds import RAY_JOB, WATCHED, Kind
from trimtab_operator.view import View

logger = logging.getLogger(__name__)
RETRY_SECONDS = 2.0
_NEWEST = str(2**63 - 1)


@dataclass
class Lists:
    """Reads what is there into the view."""

    cluster: Cluster
    view: View
    namespaces: Sequence[str] = ()
    """Those that are served; all when empty."""
    served: frozenset[Kind] = field(default=frozenset(), init=False)
    """The kinds that are watched and that the API server knows."""

    async def discover(self) -> bool:
        """Ask which kinds the API server knows; return whether that has changed, or seemed to in between."""
        served = frozenset([kind for kind in WATCHED if kind.is_core or await self.cluster.serves(kind)])
        has_kuberay, self.view.has_kuberay = self.view.has_kuberay, RAY_JOB in served
        for kind in sorted(served ^ self.served, key=lambda each: each.name):
            logger.info("%s %s served", kind.plural, "are" if kind in served else "are not")
        has_changed = served != self.served or has_kuberay != self.view.has_kuberay
        self.served = served
        return has_changed

    async def read(self, is_round: bool) -> int:
        """Replace the view by what is there, however often that has to be tried.

        Returns how many changes from before the last round watches have not told of since. Rounds are the
        lists that are far enough apart for that; any other list returns 0.
        """
        reading = (self._read_at_last(kind, is_round) for kind in WATCHED)
        return sum(await asyncio.gather(*reading))  # one page is taken in while the server makes another

    async def _read_at_last(self, kind: Kind, is_round: bool) -> int:
        """Read a kind until that works: each once a round, or what was read before would count as missed."""
        while True:
            try:
                return await self._read(kind, is_round)
            except ClusterError as error:
                logger.warning("cannot list what is there: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read(self, kind: Kind, is_round: bool) -> int:
        refresh, versions = self.view.refresh(kind, is_round), [_NEWEST]
        places = (self.namespaces or (None,)) if kind.namespaced else (None,)
        for namespace in places if kind in self.served else ():
            try:
                async for page in self.cluster.pages(kind, Selection(namespace, WATCHED[kind])):
                    for manifest in page.items:
                        refresh.add(manifest)
                    versions.append(page.version)
            except NotServedError:  # since the kinds were asked for
                continue
        refresh.finish(min(versions, key=int))
        return refresh.missed
