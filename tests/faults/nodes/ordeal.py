"""One job on real nodes that meets faults, from its beginning to what has to hold at its end.

    with Ordeal(ground, "worker-killed", recovery) as ordeal:
        ordeal.begin()
        with ordeal.met("worker killed, until another ends trials in its place"):
            ordeal.kill(ordeal.workers()[0])
            ordeal.goes_on()
        ordeal.end_well()

The job searches on until `end_well` lowers the number of its trials.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple

import psutil
import pytest

from tests.faults.conftest import Recovery
from tests.faults.nodes.ground import HOURLY_PRICE, Ground
from tests.faults.runs import Piece, recorded_pieces
from tests.support.counted import counted
from tests.support.lives import CHILDREN, History
from tests.support.operated import Job, condition_of
from tests.support.platform import Team
from tests.support.published import assert_published
from trimtab_jobs.store import Store
from trimtab_operator import names

Document = dict[str, Any]
WORKERS = 2
MANY_TRIALS = 400
PAUSE_SECONDS = 0.7
"""Of each of a trial's three epochs: a fault finds trials under way, and few of them fill the record."""
WHOLE = [3]
"""Trials without early stopping are one piece of three epochs."""
CLOCKS_SECONDS = 10.0
"""How far what KubeRay's objects tell may be behind what the operator saw, on a busy machine."""


class Mark(NamedTuple):
    """What was recorded, and how many pieces had been started, when a fault was about to happen."""

    recorded: set[Piece]
    executions: int


@dataclass
class Ordeal:
    """A job that meets faults; `needs` says of what kind its store, driver and image are."""

    ground: Ground
    name: str
    recovery: Recovery
    needs: Collection[str] = ()
    pool: str = "seats"
    attempt: int = 1
    marks: list[Mark] = field(default_factory=list)

    def __enter__(self) -> "Ordeal":
        self.team: Team = self.ground.platform.team(self.name)
        self.team.server.apply(self.ground.profile(self.name, self.needs))
        self.history = History(self.team.server, self.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.history.stop()

    # What a person does.

    def begin(self) -> None:
        """Apply the job."""
        workers = {"pool": self.pool, "workers": WORKERS}
        search = workers | ({"perTrial": {"gpu": 1}} if self.pool == "seats" else {})
        manifest = counted(
            "counted",
            trials=MANY_TRIALS,
            pause=PAUSE_SECONDS,
            profile=self.name,
            resources={"search": search, "compress": workers},
        )
        self.job: Job = self.team.apply(manifest)
        self.uid = str(self.job.now()["metadata"]["uid"])
        self.store: Store = self.team.store(self.job)

    def kill(self, *pods: Document) -> None:
        """Delete pods by force: their containers get no time to end."""
        killed = [pod["metadata"]["name"] for pod in pods]
        self.team.kubectl("delete", "pod", *killed, "--force", "--grace-period=0", "--wait=false")

    # Where its parts are.

    def head(self) -> Document:
        (head,) = self._pods({"ray.io/node-type": "head"})
        return head

    def workers(self) -> list[Document]:
        """Those that are not going, and belong to the attempt that runs."""
        return self._pods({"ray.io/node-type": "worker"})

    def submitters(self) -> list[Document]:
        """Those that are not going."""
        return [pod for pod in self._pods({}) if "ray.io/node-type" not in pod["metadata"]["labels"]]

    def _pods(self, labels: dict[str, str]) -> list[Document]:
        return self.team.pods(**{names.JOB: self.job.name, names.ATTEMPT: str(self.attempt)}, **labels)

    def driver(self) -> "Driver":
        """The process of the driver that runs, on whichever node."""
        (found,) = [
            process
            for process in self.processes()
            if (process.info["cmdline"] or [])[-2:] == ["-m", "trimtab_jobs"]
            and process.info["environ"]["TRIMTAB_ATTEMPT"] == str(self.attempt)
        ]
        return Driver(found)

    def processes(self) -> list[psutil.Process]:
        """All processes of the job's heads, those of lost pods too."""
        running = psutil.process_iter(["cmdline", "environ", "status"])
        return [
            each
            for each in running
            if (each.info["environ"] or {}).get("TRIMTAB_UID") == self.uid
            and each.info["status"] != psutil.STATUS_ZOMBIE
        ]

    # What becomes of it.

    def status(self) -> Document:
        found: Document = self.job.now()["status"]
        return found

    def completed(self) -> int:
        """Trials that the status tells of."""
        return int(self.status().get("trials", {}).get("completed", 0))

    def executions(self) -> list[Piece]:
        """The pieces of trials that were ever started."""
        file = self.team.notes / "executions"
        return file.read_text().splitlines() if file.exists() else []

    def searches(self) -> None:
        """Return once the attempt runs trials, as the status tells."""

        def is_so(found: Document) -> bool:
            status = found["status"]
            is_searching = status.get("attempt") == self.attempt and status.get("phase") == "Searching"
            return bool(is_searching and status["trials"]["running"])

        self.job.until(f"searching in attempt {self.attempt}", is_so)

    def goes_on(self, trials: int = 2) -> None:
        """Return once so many further trials are recorded, and told, in the same attempt."""
        self.searches()
        aim = self.completed() + trials
        self.job.until(f"{aim} trials", lambda found: found["status"]["trials"]["completed"] >= aim)
        assert self.status()["attempt"] == self.attempt

    def begins_again(self) -> None:
        """Return once the first trial of the next attempt has started."""
        self.attempt += 1
        self.searches()

    def is_told(self, text: str) -> Document:
        """The condition whose message has this text, once there is one."""
        found: list[Document] = []

        def is_so(job: Document) -> bool:
            conditions = job["status"].get("conditions", [])
            found[:] = [each for each in conditions if text in each.get("message", "")]
            return bool(found)

        self.job.until(f"told: {text}", is_so)
        return found[0]

    def has_all_workers(self, but: Document) -> None:
        """Return once all workers are ready, none of which is a certain one."""

        def are_there() -> bool:
            uids = [pod["metadata"]["uid"] for pod in self.workers() if is_ready(pod)]
            return len(uids) == WORKERS and but["metadata"]["uid"] not in uids

        self.team.wait_until("all workers are there", are_there)

    # Faults, and what has to hold afterwards.

    def mark(self) -> None:
        """Remember what is recorded before a fault."""
        recorded = set(recorded_pieces(self.store, WHOLE))
        self.marks.append(Mark(recorded, len(self.executions())))

    @contextmanager
    def met(self, fault: str) -> Iterator[None]:
        """Measure from a fault, with which the block begins, to the last thing that it waits for."""
        self.mark()
        with self.recovery(fault):
            yield

    def end_well(self) -> None:
        """Let the job end, and check all of it, up to the last thing that it leaves behind."""
        self.job.edit(search={"trials": self.completed() + 1})
        ended = self.job.until("ended", lambda found: found["status"]["phase"] in ("Succeeded", "Failed"))
        status = ended["status"]
        assert condition_of(ended, "Succeeded")["status"] == "True", status["conditions"]
        assert [run["outcome"] for run in status["runs"]] == outcomes(self.attempt), status["runs"]
        assert_published(self.store, status)
        self._assert_nothing_repeated(status["trials"]["failed"])
        self._assert_costs(status)
        self._assert_nothing_is_left()

    def _assert_nothing_repeated(self, failed: int) -> None:
        """No trial was started again once it was recorded; each fault cost those under way at most."""
        executions, recorded = self.executions(), recorded_pieces(self.store, WHOLE)
        for mark in self.marks:
            assert mark.recorded.isdisjoint(executions[mark.executions :])
            assert mark.recorded <= set(recorded)
        assert set(recorded) <= set(executions)
        assert len(set(executions)) <= len(recorded) + failed
        assert len(executions) <= len(recorded) + failed + WORKERS * len(self.marks)
        assert all(len(each) <= 1 for each in self.history.at_once), self.history.at_once

    def _assert_costs(self, status: Document) -> None:
        """Each run took as long as KubeRay told of its cluster; all took their sum, by the price."""
        seconds = [run["cost"]["seconds"] for run in status["runs"]]
        seen = [self.history.seconds_ready(run["name"]) for run in status["runs"]]
        assert seconds == pytest.approx(seen, abs=CLOCKS_SECONDS)
        cost, hours = status["cost"], WORKERS * sum(seconds) / 3600
        assert cost["seconds"] == pytest.approx(sum(seconds), abs=0.01)
        assert cost["cpuHours"] == pytest.approx(hours, rel=0.01)
        assert cost["amount"] == pytest.approx(HOURLY_PRICE * hours, rel=0.01)
        assert cost.get("gpuHours", 0) == pytest.approx(hours if self.pool == "seats" else 0, rel=0.01)

    def _assert_nothing_is_left(self) -> None:
        """The job's own objects stay, and go with it; pods, clusters and processes are gone before."""
        self.team.wait_until("cluster and pods are gone", self.team.nothing_runs)
        assert not self.store.list("checkpoints")
        assert {kind: len(each) for kind, each in self.job.left().items()} == LEFT
        assert not self.processes()
        self.job.delete()
        self.team.wait_until("nothing is left", lambda: not self.job.left())


LEFT = {kind: len(each) for kind, each in CHILDREN.items()} | {"RayJob": 1, "Job": 1, "Pod": 1}
"""How many objects of each kind a job has that has ended, until it is deleted or its time is over.

The pod is the submitter's, which has ended; it keeps the driver's log.
"""


def outcomes(attempts: int) -> list[str]:
    """Those of the runs of a job that has succeeded in its last attempt."""
    return ["Infrastructure"] * (attempts - 1) + ["Succeeded"]


def is_ready(pod: Document) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


class Driver:
    """A driver's process, seen from the machine that its node is on."""

    def __init__(self, process: psutil.Process) -> None:
        self.process = process
        self._printed = open(f"/proc/{process.pid}/fd/1", encoding="utf-8")  # noqa: SIM115 it outlives the process

    def hang(self) -> None:
        """Let it do nothing more."""
        self.process.suspend()

    def is_there(self) -> bool:
        return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE

    def printed(self) -> str:
        """All that it has said."""
        self._printed.seek(0)
        return self._printed.read()


def over(seconds: float) -> "Elapsed":
    """What is so once so many seconds have passed."""
    return Elapsed(time.monotonic() + seconds)


@dataclass(frozen=True, slots=True)
class Elapsed:
    end: float

    def __call__(self) -> bool:
        return time.monotonic() >= self.end
