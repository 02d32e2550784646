"""Perform: what was decided about a job's children, done on the API server one by one."""

import logging

from trimtab_operator.cluster import Cluster
from trimtab_operator.errors import ClusterError
from trimtab_operator.kinds import CONFIG_MAP, RAY_JOB, controller_of, describe, kind_of
from trimtab_operator.view import View
from trimtab_operator.world import Action, Apply, Create, Delete, Emit, Manifest, Observed

logger = logging.getLogger(__name__)
_WATCHED = (CONFIG_MAP, RAY_JOB)


async def perform(cluster: Cluster, view: View, seen: Observed, action: Action) -> None:
    """Do one thing; what was written is in the view at once, before a watch tells of it."""
    match action:
        case Apply(manifest):
            _take(view, await cluster.apply(manifest))
        case Create(manifest):
            _take(view, await cluster.create(manifest))
            logger.info("created %s", describe(manifest), extra=about(seen))
        case Delete(manifest):
            await _delete(cluster, manifest)
            logger.info("deleted %s", describe(manifest), extra=about(seen))
        case Emit():
            await _emit(cluster, seen, action)


def about(seen: Observed) -> dict[str, str]:
    """Return the fields of a log message that say which job it is about."""
    metadata = seen.job["metadata"]
    return {"job": f"{metadata['namespace']}/{metadata['name']}"}


def _take(view: View, child: Manifest) -> None:
    if kind_of(child) in _WATCHED:
        view.take(kind_of(child), child)


async def _delete(cluster: Cluster, manifest: Manifest) -> None:
    """Delete a child; one without a uid was not observed, and goes only if it has the same owner."""
    metadata = manifest["metadata"]
    if "uid" not in metadata:
        found = await cluster.get(kind_of(manifest), metadata["name"], metadata["namespace"])
        if found is None or controller_of(found) != controller_of(manifest):
            return
        manifest = found
    await cluster.delete(manifest)


async def _emit(cluster: Cluster, seen: Observed, event: Emit) -> None:
    try:
        await cluster.emit(seen.job, event, seen.now)
    except ClusterError as error:  # an event is a courtesy: what it says is in the status as well
        logger.warning("an event was not told: %s", error, extra=about(seen))
