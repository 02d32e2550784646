"""How a driver in a pod ends before it has any worker: what its report says, and its exit code."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.driving import MANIFEST, SEARCH
from tests.support.jobs import job
from tests.unit.jobs.test_settings import NEEDED
from trimtab_api.control import Control
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Cost, Environment, Report
from trimtab_jobs.config_maps import ApiError
from trimtab_jobs.errors import JobError, RefusedError
from trimtab_jobs.in_cluster import (
    FENCED,
    NOT_REPORTED,
    REPORTED,
    STOPPED,
    Attempt,
    End,
    Stop,
    WorkersNote,
    data_of,
    drive,
    is_finished,
    main,
    printed,
    while_ours,
)
from trimtab_jobs.orders import Orders
from trimtab_jobs.progress import Progress
from trimtab_jobs.settings import Settings
from trimtab_jobs.store import Record, StoreError, open_store

TASK_WITH_DATA = {"entrypoint": "digits:Digits", "data": [{"name": "train", "uri": "digits.csv"}]}


def plan_of(**changes) -> Plan:
    return resolve(job(**MANIFEST | changes), LOCAL_PROFILE)


@dataclass
class Driver:
    """One driver whose orders are given by `read`."""

    settings: Settings
    read: Callable[[], Orders] = lambda: Orders(plan_of())
    reports: list[Report] | None = None
    stop: Stop | None = None

    def drive(self) -> End:
        self.reports = []
        progress = Progress(Report(name="digits"), self.reports.append)
        return drive(Attempt(self.settings, self.read, progress, self.stop or Stop()))

    @property
    def last(self) -> Report:
        assert self.reports
        return self.reports[-1]

    @property
    def succeeded(self) -> tuple[str, str]:
        (condition,) = (each for each in self.last.conditions if each.type == "Succeeded")
        return condition.status, condition.reason


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    code = tmp_path / "code"
    code.mkdir()
    (code / "digits.py").write_text("a = 1")
    return replace(
        Settings.read(NEEDED), store=str(tmp_path / "store"), code=str(code), data=tmp_path / "data"
    )


def raising(error: Exception) -> Callable[[], Orders]:
    def read() -> Orders:
        raise error

    return read


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"read": raising(RefusedError("plan.json cannot be read"))}, "plan.json cannot be read", id="plan"
        ),
        pytest.param(
            {"segment": "measure"}, "TRIMTAB_SEGMENT=measure: the plan has the segments search", id="segment"
        ),
        pytest.param(
            {"read": lambda: Orders(plan_of(task=TASK_WITH_DATA))}, "spec.task.data[train]: ", id="data"
        ),
    ],
)
def test_what_cannot_be_done_as_asked_for_is_the_jobs_failure(settings: Settings, changes, message: str):
    read = changes.pop("read", lambda: Orders(plan_of()))
    driver = Driver(replace(settings, **changes), read)

    assert driver.drive() == REPORTED
    assert (driver.last.phase, driver.succeeded) == ("Failed", ("False", "Configuration"))
    assert driver.last.message.startswith(message)


def test_data_is_read_where_it_is_mounted_or_from_its_uri(settings: Settings, tmp_path: Path):
    (tmp_path / "here.csv").touch()
    for name in ("claim", "names", "volume"):
        (settings.data / name).mkdir(parents=True)
    data = [
        {"name": "claim", "pvc": {"claim": "rows"}},
        {"name": "names", "configMap": "names"},
        {"name": "volume", "uri": "pvc://rows/train"},
        {"name": "file", "uri": f"file://{tmp_path}/here.csv"},
    ]

    assert data_of(settings, plan_of(task={"entrypoint": "digits:Digits", "data": data})) == {
        "claim": f"{settings.data}/claim",
        "names": f"{settings.data}/names",
        "volume": f"{settings.data}/volume",
        "file": f"file://{tmp_path}/here.csv",
    }


def test_another_state_of_the_code_is_the_jobs_failure_once_trials_have_results(settings: Settings):
    store = open_store(settings.store)
    store.put("code.sha256", b"0" * 64)
    Record.open(store).commit(b'{"op_code":8,"trial_id":0,"user_attr":{"result":{}}}\n')
    driver = Driver(settings)

    assert driver.drive() == REPORTED
    assert driver.last.message.startswith(
        f"spec.task.code: the code has changed since trials ran: its SHA-256 was {'0' * 64}"
    )


def test_an_attempt_that_another_one_follows_says_no_more(settings: Settings):
    driver = Driver(settings, lambda: Orders(plan_of(), Control(attempt=3)))

    assert driver.drive() == FENCED
    assert driver.reports == []


def test_one_that_is_followed_on_its_way_reports_no_more(settings: Settings):
    stop, sent = Stop(), list[Report]()
    patch = while_ours(sent.append, stop)
    patch(Report(name="digits"))

    stop.heed(Orders(plan_of(), Control(attempt=1)), own=1)
    assert not stop()
    stop.heed(Orders(plan_of(), Control(attempt=2)), own=1)

    patch(Report(name="digits", phase="Failed"))
    assert stop()
    assert sent == [Report(name="digits")]


@pytest.mark.parametrize(
    ("reason", "digest", "is_done"),
    [
        pytest.param("Completed", "of another edit", True, id="completed"),
        pytest.param("BudgetReached", plan_of().digest, True, id="budget as it was"),
        pytest.param("BudgetReached", "of another edit", False, id="budget raised"),
    ],
)
def test_a_published_model_is_all_there_is_unless_its_budget_was_raised(reason, digest, is_done):
    progress = Progress(Report(name="digits"), lambda report: None)
    progress.succeed(reason, "published")
    earlier = progress.report.model_copy(update={"plan_digest": digest})

    assert is_finished(earlier, plan_of()) is is_done


@pytest.mark.parametrize(
    ("parallelism", "notes"),
    [
        pytest.param([2, 1], "", id="fits"),
        pytest.param(
            [3, 4],
            "spec.search.parallelism: 3 trials at a time are asked for, this cluster has 2 workers; suspend "
            "and resume the job for more, as far as its profile allows",
            id="told once",
        ),
    ],
)
def test_more_trials_at_a_time_than_workers_is_told(parallelism: list[int], notes: str):
    progress = Progress(Report(name="digits"), lambda report: None)
    cap = WorkersNote(progress, workers=2)

    for each in parallelism:
        cap(Orders(plan_of(search=SEARCH | {"parallelism": each})))

    assert progress.report.message == notes


def test_another_jobs_store_is_the_jobs_failure(settings: Settings):
    other = plan_of(search=SEARCH | {"seed": 8}).model_dump_json(by_alias=True, exclude_none=True)
    open_store(settings.store).put("plan.json", other.encode())
    open_store(settings.store).put("journal/0001/00000002", b"recorded")
    driver = Driver(settings)

    assert driver.drive() == REPORTED
    assert "holds digits with another spec.search.seed" in driver.last.message


def test_a_store_that_fails_is_no_end_of_the_job(settings: Settings):
    Path(settings.store).write_text("a file, where a folder should be")
    driver = Driver(settings)

    assert driver.drive() == NOT_REPORTED
    assert (driver.last.phase, driver.succeeded) == ("Pending", ("Unknown", "Running"))
    assert "a file stands where a folder is needed" in driver.last.message


@pytest.mark.parametrize(
    "error",
    [StoreError("no answer"), JobError("Infrastructure", "no answer"), KeyError("no answer")],
    ids=["store", "machines", "bug"],
)
def test_whatever_else_happens_a_person_hears_of_it(settings: Settings, error: Exception):
    driver = Driver(settings, raising(error))

    assert driver.drive() == NOT_REPORTED
    assert "no answer" in driver.last.message


def test_what_an_earlier_driver_had_published_is_reported_again(settings: Settings):
    published = Report(
        name="digits", phase="Succeeded", cost=Cost(seconds=5.0), environment=Environment(cpu="a processor")
    )
    body = published.model_dump(mode="json", by_alias=True, exclude_none=True)
    open_store(settings.store).put("result.json", json.dumps(body).encode())
    driver = Driver(settings)

    assert driver.drive() == REPORTED
    assert driver.last == published


def test_told_to_stop_before_it_has_a_plan_it_ends(settings: Settings):
    stop = Stop()
    driver = Driver(settings, raising(ApiError("no answer")), stop=stop)

    with stop.listening():
        os.kill(os.getpid(), signal.SIGTERM)
        end = driver.drive()

    assert end == STOPPED
    assert STOPPED.code == 143


def test_without_its_environment_a_driver_says_what_is_missing(capsys: pytest.CaptureFixture[str]):
    assert main(NEEDED | {"TRIMTAB_STORE": ""}) == 1

    assert capsys.readouterr().out == (
        "error: TRIMTAB_STORE is not set: the operator sets these where it starts a driver\n"
    )


def test_the_log_has_a_line_for_each_stage_and_message(capsys: pytest.CaptureFixture[str]):
    reports: list[Report] = []
    publish = printed(reports.append)

    for message in ("", "", "trial 3 failed"):
        publish(Report(name="digits", phase="Searching", stage="search", message=message))

    assert capsys.readouterr().out == "Searching search\nSearching search trial 3 failed\n"
    assert len(reports) == 3


def test_driver_has_started_its_workers_before_it_imports_what_is_slow():
    script = "import sys, trimtab_jobs.in_cluster; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "optuna", "ray", "scipy", "torch"} & set(ran.stdout.split())
