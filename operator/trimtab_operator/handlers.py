"""What Kopf calls: each handler notes what it is told and puts a job's key on the queue, and nothing else.

So Kopf keeps nothing on anybody's object: no annotation, no finalizer, no result.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Any

import kopf

from trimtab_operator.cluster import Connection
from trimtab_operator.kinds import PROFILE, WATCHED, Kind
from trimtab_operator.queue import WorkQueue
from trimtab_operator.view import View, key_of
from trimtab_operator.world import Key, Manifest


def handlers(
    view: View, queue: WorkQueue[Key], connect: Callable[[], Awaitable[Connection]]
) -> kopf.OperatorRegistry:
    """Return a handler for each kind that is watched, and one that tells how to reach the API server."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(**asdict(await connect()))

    def watch(kind: Kind) -> None:
        group, _, version = kind.api_version.rpartition("/")

        @kopf.on.event(group, version, kind.plural, id=kind.plural, registry=registry)
        async def note(event: kopf.RawEvent, **_: Any) -> None:
            told = view.lose if event["type"] == "DELETED" else view.hear
            if told(kind, event["object"]):
                for key in concerned(view, kind, event["object"]):
                    queue.add(key)

    for kind in WATCHED:
        watch(kind)
    return registry


def concerned(view: View, kind: Kind, manifest: Manifest) -> Iterable[Key]:
    """Return the jobs that an object is about: a profile is about all, as any may be waiting for it."""
    return view.jobs() if kind is PROFILE else (key_of(kind, manifest),)
