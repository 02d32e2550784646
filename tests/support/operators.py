"""The operator's inside on a cluster in memory: what it was told of a job, and its looks at it.

vision = Vision()       a namespace with a profile, and KubeRay
vision.put(job())       a user's job, of which a watch tells
vision.look()           one look at it
"""

from datetime import datetime
from functools import partial
from typing import Any

from tests.support.fake_cluster import FakeCluster
from tests.support.virtual_time import run
from tests.support.worlds import DEFAULTS, PROFILE, START
from trimtab_operator.kinds import JOB, KINDS, RAY_JOB, WATCHED, Kind
from trimtab_operator.observe import Observer
from trimtab_operator.reconcile import reconcile
from trimtab_operator.tick import Tick
from trimtab_operator.view import View
from trimtab_operator.world import Key, Manifest

Document = dict[str, Any]
DIGITS = Key("vision", "digits")


class Vision:
    """The namespace vision, in which jobs are named digits."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.view = View()
        self.now: datetime = START
        self.statuses: list[tuple[Document, Document]] = []
        """The job before and after each status written."""
        observer = Observer(self.cluster, self.view, lambda: self.now)
        decide = partial(reconcile, defaults=DEFAULTS)
        self.has_lease = True
        self.tick = Tick(self.cluster, self.view, observer, decide, self._written, lambda: self.has_lease)
        self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vision"}})
        self.put(PROFILE)

    def put(self, document: Document) -> Document:
        """An object as another party leaves it; a watch tells of it."""
        stored = self.cluster.put(document)
        self.tell(stored)
        return stored

    def tell(self, document: Document) -> None:
        """A watch tells of an object."""
        kind = KINDS[document["kind"]]
        if kind in WATCHED:
            self.view.hear(kind, document)

    def look(self) -> float | None:
        """One look at the job; in how many seconds the next one is due."""
        return run(self.tick(DIGITS))

    def lose_lease(self) -> None:
        """Another operator may act from now on."""
        self.has_lease = False

    def asked(self) -> list[str]:
        """The requests since this was asked last."""
        requests = [each.replace("vision/", "") for each in self.cluster.requests]
        self.cluster.requests.clear()
        return requests

    def job(self) -> Document:
        return self.only(JOB)

    def ray_job(self) -> Document:
        return self.only(RAY_JOB)

    def only(self, kind: Kind) -> Document:
        (found,) = self.cluster.all(kind)
        return found

    def condition(self, kind: str) -> Document:
        return next(each for each in self.job()["status"]["conditions"] if each["type"] == kind)

    def _written(self, before: Manifest, after: Manifest) -> None:
        self.statuses.append((dict(before), dict(after)))
