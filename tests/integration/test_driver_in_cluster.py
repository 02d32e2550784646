"""The real driver of a pod: a real API server under its own rights, a real Ray cluster, a real small job."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.cluster import ApiServer
from tests.support.driver_account import DriverAccount
from tests.support.jobs import job
from tests.support.ray_nodes import ray_nodes
from tests.support.tasks import BLOBS
from trimtab_api.control import Control
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Report
from trimtab_api.segments import WorkerGroup, segments_of
from trimtab_jobs.store import Store, open_store

WAIT_SECONDS = 240
NAMESPACE = "driver-in-cluster"
GATED = (
    BLOBS
    + '''

import os, time


class Gated(Blobs):
    """Each trial begins by a file of its own in the folder, and waits until a file allows so many."""

    epochs = 1
    gate = ""

    def train(self, model, params, context):
        number = len(os.listdir(self.gate + "/started")) + 1
        open(f"{self.gate}/started/{number}-{os.getpid()}", "w").close()
        while number > int(open(self.gate + "/allowed").read() or 0):
            time.sleep(0.05)
        super().train(model, params, context)
'''
)
SEARCH = {
    "seed": 7,
    "trials": 3,
    "parameters": [{"name": "width", "int": {"low": 4, "high": 64}, "default": "8"}],
}
TARGETS = [{"name": "edge", "pool": "arm"}]


@pytest.fixture(scope="module", autouse=True)
def nodes() -> Iterator[None]:
    with ray_nodes() as nodes:
        nodes.add(WorkerGroup(name="workers"), slots=1)
        nodes.add(WorkerGroup(name="edge"), slots=1)
        yield


@dataclass
class Job:
    """One job in the cluster: its account, its code, its store, and its drivers."""

    account: DriverAccount
    folder: Path
    drivers: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return open_store(str(self.folder / "store"))

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self, segment: str = "search", attempt: int = 1, **others: str) -> "subprocess.Popen[str]":
        environment = self.account.environment(
            str(self.folder / "store"), segment, attempt, TRIMTAB_CODE=str(self.folder / "code"), **others
        )
        with (self.folder / "log").open("a") as log:
            driver = subprocess.Popen(
                [sys.executable, "-m", "trimtab_jobs"],
                env=os.environ | environment,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.drivers.append(driver)
        return driver

    def run(self, segment: str = "search", attempt: int = 1) -> int:
        return self.start(segment, attempt).wait(WAIT_SECONDS)

    def allow(self, trials: int) -> None:
        partial = self.folder / "gate" / "partial"
        partial.write_text(str(trials))
        partial.replace(self.folder / "gate" / "allowed")

    @property
    def started(self) -> int:
        return len(list((self.folder / "gate" / "started").iterdir()))

    def edit(self, control: Control | None = None, **changes: Any) -> None:
        plan = plan_of(self.folder, **changes)
        self.account.server.apply(self.account.plan_map(plan, control))

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        self.account.server.plane.processes.wait_until(
            what, lambda: is_so() or self._has_ended(), WAIT_SECONDS
        )
        assert is_so(), self.log

    def _has_ended(self) -> bool:
        return self.drivers[-1].poll() is not None


def plan_of(folder: Path, **changes: Any) -> Plan:
    """The plan of a small job: two models more than it trains, and no limit."""
    task = {"entrypoint": "user_task:Gated", "args": {"gate": str(folder / "gate")}}
    spec = {"task": task, "search": SEARCH, "compress": {"quantize": ["fp16"]}} | changes
    plan = resolve(job(**spec), LOCAL_PROFILE)
    return plan.model_copy(update={"namespace": NAMESPACE})


@pytest.fixture
def make_job(api_server: ApiServer, tmp_path: Path) -> Iterator[Callable[..., Job]]:
    made: list[Job] = []

    def make(**changes: Any) -> Job:
        (tmp_path / "gate" / "started").mkdir(parents=True)
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "user_task.py").write_text(GATED)
        account = DriverAccount(api_server, plan_of(tmp_path, **changes), tmp_path).make()
        api_server.apply(account.report_map())
        made.append(Job(account, tmp_path))
        made[-1].allow(99)
        return made[-1]

    yield make
    for each in made:
        for driver in each.drivers:
            driver.kill()
            driver.wait()
        api_server.delete(each.account.report_map())


@contextmanager
def paused(server: ApiServer) -> Iterator[None]:
    """The API server takes connections, but answers nothing."""
    process = psutil.Process(server.plane.processes.children["kube-apiserver"].pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def test_a_job_is_carried_out_whatever_becomes_of_the_api_server_and_the_report(make_job: Callable[..., Job]):
    job = make_job()
    server = job.account.server
    job.allow(1)
    driver = job.start()
    job.wait_until("the second trial waits", lambda: job.started == 2)

    server.delete(job.account.report_map())
    with paused(server):
        job.allow(99)
        job.wait_until("the job is done", lambda: "Succeeded fp16 is published" in job.log)
    server.apply(job.account.report_map())

    assert driver.wait(WAIT_SECONDS) == 0, job.log
    report = job.account.report()
    assert (report.phase, report.message) == ("Succeeded", "fp16 is published")
    assert report.trials.completed == 3
    assert {"result.json", "report.html", "code.sha256"} <= set(job.store.list())
    assert job.store.list("model") != []
    assert (job.account.reported()["segment"], job.account.reported()["attempt"]) == ("search", "1")
    assert "Searching search" in job.log


def test_edits_reach_the_running_search_and_after_a_used_up_budget_a_raised_one_goes_on(
    make_job: Callable[..., Job],
):
    job = make_job()
    job.allow(1)
    driver = job.start()
    job.wait_until("the second trial waits", lambda: job.started == 2)
    job.edit(search=SEARCH | {"trials": 5})
    job.wait_until("the edit is reported", lambda: job.account.report().trials.total == 5)

    job.edit(Control(stop_search="gpuHours"), search=SEARCH | {"trials": 2})
    assert driver.wait(WAIT_SECONDS) == 0, job.log
    published = job.account.report()
    job.allow(99)
    job.edit(Control(attempt=2), search=SEARCH | {"trials": 2}, budget={"gpuHours": 9})
    assert job.run(attempt=2) == 0, job.log

    assert published.message == "spec.budget.gpuHours is used up; fp16 is published"
    assert (reason(published), published.trials.completed) == ("BudgetReached", 1)
    assert (reason(job.account.report()), job.account.report().trials.completed) == ("Completed", 2)


def reason(report: Report) -> str:
    return next(each.reason for each in report.conditions if each.type == "Succeeded")


def test_a_pod_that_is_told_to_end_saves_and_the_next_attempt_goes_on_with_the_same_code(
    make_job: Callable[..., Job],
):
    job = make_job()
    code = job.folder / "code" / "user_task.py"
    job.allow(2)
    driver = job.start()
    job.wait_until("the third trial waits", lambda: job.started == 3)

    driver.send_signal(signal.SIGTERM)
    assert driver.wait(WAIT_SECONDS) == 143, job.log
    assert job.account.report().message == "stopped, with all that is recorded; the next attempt goes on"
    assert json.loads(job.store.get("result.json"))["trials"]["completed"] == 2
    job.allow(99)
    code.write_text(GATED + "\n")
    assert job.run(attempt=2) == 0, job.log
    other = job.account.report()
    code.write_text(GATED)
    job.edit(Control(attempt=3, used_seconds=500.0))
    assert job.run(attempt=3) == 0, job.log

    assert reason(other) == "Configuration"
    assert other.message.startswith("spec.task.code: the code has changed since trials ran: ")
    report = job.account.report()
    assert (report.phase, report.trials.completed, job.started) == ("Succeeded", 3, 4)
    assert job.account.reported()["attempt"] == "3"
    assert (report.cost.seconds or 0) > 500


def test_segments_follow_each_other_on_workers_of_their_own(make_job: Callable[..., Job]):
    job = make_job(targets=TARGETS)
    first, second = (segment.name for segment in segments_of(job.account.plan.spec))

    assert job.run(first) == 0, job.log
    before = job.account.report()
    job.edit(search=SEARCH | {"trials": 9}, targets=TARGETS)
    assert job.run(second) == 0, job.log

    assert (before.phase, before.message) == ("Compressing", "segment search is done")
    report = job.account.report()
    assert (report.phase, report.trials.completed, job.started) == ("Succeeded", 3, 3)
    assert report.final is not None
    assert report.final.targets["edge"].measured_on == "arm"
