"""One job's whole life on a real control plane, with drivers that run by themselves; all RayJobs it ever had.

    with Life(Site(control_plane, rays, "vision", folder)) as life:
        life.hold()                        # drivers search until `let_go`
        life.begin()
        life.wait_for_driver(SEARCHED)
        life.let_go()
        life.wait_until_succeeded()
        life.assert_came_to(SEARCHED, COMPRESSED)

The job has two segments, so that one RayJob follows the other.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from types import TracebackType
from typing import Any, NamedTuple

from tests.support.cluster import ApiServer, RefusedError
from tests.support.driver_stand_in import DriverStandIn
from tests.support.operated import Job, Site, names_of
from tests.support.rays import TERMINAL, SubmittedJob
from tests.support.watch import Watch
from trimtab_operator.names import ray_job_name

Document = dict[str, Any]
LIMIT_SECONDS = 240
"""Patience with a busy machine, with pauses between attempts, and with KubeRay after an outage."""
DRIVER_SECONDS = 240.0
"""How long a driver tries to tell its last report."""
OVER = ("Complete", "Failed", "ValidationFailed")
AWAY = (RefusedError, OSError, HTTPException)
"""What a server says that is away, or not all there yet."""
SEGMENTS = ("search", "export")
TWO_SHAPES: Document = {"search": {"pool": "cpu", "workers": 2}, "compress": {"pool": "cpu", "workers": 1}}
CHILDREN = {
    "ConfigMap": ["plan", "report"],
    "ServiceAccount": ["driver"],
    "Role": ["driver"],
    "RoleBinding": ["driver"],
    "NetworkPolicy": ["ray"],
}
"""What a job has beside its RayJobs, by what follows its name."""


class Run(NamedTuple):
    """One run in the ledger of a job's status; its RayJob's name follows from the first two."""

    segment: int
    attempt: int
    outcome: str = "Succeeded"


SEARCHED, COMPRESSED = Run(0, 1), Run(1, 1)


class History:
    """Every RayJob that there ever was in a namespace, as a watch tells of them until it is stopped."""

    def __init__(self, server: ApiServer, namespace: str) -> None:
        self.server = server
        self.names: set[str] = set()
        self.at_once: set[frozenset[str]] = set()
        """Which of them were under way at a time, for every such time."""
        self._ready: dict[str, float] = {}
        self._over: dict[str, float] = {}
        self._path = server.collection("ray.io/v1", "RayJob", namespace)
        self._live: dict[str, bool] = {}
        self._stopping = threading.Event()
        self._watch = server.watch(self._path)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._watch.close()
        self._thread.join()

    def seconds_ready(self, name: str) -> float:
        """From when a RayJob's cluster was told to be ready until its end or deletion was told."""
        return self._over[name] - self._ready[name]

    def _follow(self) -> None:
        """Go on from the last version whenever the stream ends, so that nothing is missed."""
        version = ""
        while True:
            for kind, ray_job in self._watch:
                version = "" if kind == "ERROR" else ray_job["metadata"]["resourceVersion"]
                if kind != "ERROR":
                    self._note(kind, ray_job)
            if self._stopping.wait(0.1):
                return
            with suppress(*AWAY):
                self._watch = self._open(version)
            if self._stopping.is_set():  # since then: what was closed is the one before
                self._watch.close()

    def _open(self, version: str) -> Watch:
        return self.server.watch(self._path, **({"resourceVersion": version} if version else {}))

    def _note(self, kind: str, ray_job: Document) -> None:
        name = ray_job["metadata"]["name"]
        is_going = kind == "DELETED" or "deletionTimestamp" in ray_job["metadata"]
        is_over = ray_job.get("status", {}).get("jobDeploymentStatus") in OVER
        self.names.add(name)
        self._live[name] = not is_going and not is_over
        if ray_job.get("status", {}).get("rayClusterStatus", {}).get("state") == "ready":
            self._ready.setdefault(name, time.monotonic())
        if is_going or is_over:
            self._over.setdefault(name, time.monotonic())
        self.at_once.add(frozenset(each for each, is_live in self._live.items() if is_live))


@dataclass
class Life:
    """A job of a site, from before its creation to after its deletion, while entered as a context manager."""

    site: Site
    drivers: list[tuple[int, int]] = field(default_factory=list)
    """Segment and attempt of each driver that has begun."""

    def __post_init__(self) -> None:
        self._may_end = threading.Event()
        self._may_end.set()
        self._driver: DriverStandIn | None = None
        self.job: Job = self.site.job("digits", resources=TWO_SHAPES)

    def __enter__(self) -> "Life":
        self.site.rays.run(self.site.namespace, self._drive)
        self.history = History(self.site.server, self.site.namespace)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()
        self.history.stop()

    def begin(self) -> None:
        """Create the job."""
        self.job.document = self.site.server.create(self.job.document)

    def hold(self) -> None:
        """Have drivers go on with what they do until they are let go."""
        self._may_end.clear()

    def let_go(self) -> None:
        self._may_end.set()

    def search_on(self, completed: int) -> None:
        """Have the driver that searches tell of so many trials, as soon as the API server takes it."""
        assert self._driver
        self._driver.searching(completed)

    def completed(self) -> int:
        """Trials that the status tells of."""
        return int(self.job.now().get("status", {}).get("trials", {}).get("completed", 0))

    def ray_job(self, run: Run) -> Document:
        """What identifies the RayJob of a run."""
        uid = self.job.document["metadata"]["uid"]
        name = ray_job_name(self.job.name, uid, run.segment, run.attempt)
        metadata = {"name": name, "namespace": self.site.namespace}
        return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata}

    def runs(self) -> list[Run]:
        """The ledger in the status."""
        ledger = self.job.now().get("status", {}).get("runs", [])
        return [Run(SEGMENTS.index(each["segment"]), each["attempt"], each["outcome"]) for each in ledger]

    def wait_for_driver(self, run: Run) -> None:
        """Return once its driver is at work, and the job's status tells what it found."""
        running, phase = run._replace(outcome="Running"), ("Searching", "Compressing")[run.segment]

        def is_told() -> bool:
            return self.runs()[-1:] == [running] and self.job.status["phase"] == phase

        self.wait(f"{run} is told", lambda: run[:2] in self.drivers and is_told())

    def wait_until_succeeded(self) -> None:
        self.wait("it has ended", lambda: self.succeeded() != "Unknown")
        assert self.succeeded() == "True", self.job.status

    def succeeded(self) -> str:
        """What the condition Succeeded says."""
        conditions = self.job.now().get("status", {}).get("conditions", [])
        return next((each["status"] for each in conditions if each["type"] == "Succeeded"), "Unknown")

    def wait(self, what: str, is_so: Callable[[], bool]) -> None:
        """Return once this holds, asked again and again, also of a server that is away meanwhile."""

        def is_so_now() -> bool:
            try:
                return is_so()
            except AWAY:
                return False

        plane = self.site.server.plane
        try:
            plane.processes.wait_until(f"{self.site.namespace}: {what}", is_so_now, LIMIT_SECONDS)
        except Exception as error:
            with suppress(*AWAY):
                error.add_note(f"{self.history.names}, drivers {self.drivers}\n{self.job.status}")
            raise

    def assert_came_to(self, *runs: Run) -> None:
        """These runs happened and no others, one at a time; what is left is a job that has ended, and its
        children, which go with it."""
        assert self.runs() == list(runs), self.job.status
        assert (self.job.status["phase"], self.job.status["attempt"]) == ("Succeeded", runs[-1].attempt)
        assert self.history.names == {self.ray_job(run)["metadata"]["name"] for run in runs}
        assert all(len(each) <= 1 for each in self.history.at_once), self.history.at_once
        assert self.drivers == [run[:2] for run in runs]
        self.wait("no cluster is left", lambda: "RayCluster" not in self.job.left())
        for kind, endings in CHILDREN.items():
            expected = [f"{self.job.name}-{ending}" for ending in endings]
            assert names_of(self.job.children(kind)) == expected
        self.job.delete()
        self.wait("nothing is left", lambda: not self.job.left())

    def _drive(self, submitted: SubmittedJob) -> int:
        """What a driver does, by the environment that its RayJob gives it and with its account's token."""
        metadata = {"name": submitted.name, "namespace": self.site.namespace}
        ray_job = self.site.server.get({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata})
        token = self.site.folder / f"{submitted.id}.token"
        token.write_text(self.site.server.token_of(self.site.namespace, f"{self.job.name}-driver"))
        plane = self.site.server.plane
        with DriverStandIn.of(ray_job, plane.url, token, plane.certificate) as driver:
            driver.unreliable()
            self._driver, segment = driver, SEGMENTS.index(driver.settings.segment)
            driver.compressing() if segment else driver.searching(3)
            self.drivers.append((segment, driver.settings.attempt))
            while not self._may_end.wait(0.1):
                if submitted.status in TERMINAL:  # its RayJob is deleted
                    return 1
            driver.succeed() if segment else driver.end_segment()
            return 0 if driver.finish(DRIVER_SECONDS) else 1
