"""Kopf, set up to watch and do nothing else."""

import asyncio
import itertools
from collections.abc import Collection
from typing import Any

import kopf

from trimtab_operator.cluster import PAGE_ITEMS
from trimtab_operator.kinds import WATCHED

_PATIENCE = (0.5, 1, 2, 3, *itertools.repeat(5, 100))
"""Seconds between attempts: watches go on 5 s after an API server that was away for minutes is back."""


class NothingKept(kopf.DiffBaseStorage):
    """Keeps no earlier state of an object, on it or elsewhere: nothing here depends on what has changed."""

    def build(self, **_: Any) -> Any:
        """Return nothing; Kopf would copy the whole object."""
        return {}

    def fetch(self, **_: Any) -> Any:
        """Return that there is nothing."""
        return None

    def store(self, **_: Any) -> None:
        """Keep nothing."""


def watch_settings() -> kopf.OperatorSettings:
    """Return Kopf's settings."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True  # it would list every CRD there is; see Lists.discover
    settings.persistence.diffbase_storage = NothingKept()
    settings.networking.connect_timeout = 5
    settings.networking.request_timeout = 60
    settings.networking.error_backoffs = _PATIENCE
    settings.watching.chunk_size = PAGE_ITEMS
    settings.queueing.idle_timeout = 0.2  # for so long Kopf holds on to each object that it has told of
    for kind, label in WATCHED.items():
        if label:
            group = kind.api_version.rpartition("/")[0]
            settings.watching.label_selectors[group, kind.plural] = label
    return settings


async def watch(registry: kopf.OperatorRegistry, namespaces: Collection[str], stop: asyncio.Event) -> None:
    """Watch until told to stop, by `stop` or by SIGINT or SIGTERM; an error that lasts is raised.

    What is not served yet is not watched: start anew when it is.
    """
    await kopf.operator(
        registry=registry,
        settings=watch_settings(),
        namespaces=namespaces,
        clusterwide=not namespaces,
        stop_flag=stop,
    )
