"""Reports that are lost, garbage, too large or lies: a job ends as its RayJob does, never by a report alone.

A hostile job has the token of its driver, with which it may write one ConfigMap.
"""

import json
from collections.abc import Callable

import pytest

from tests.faults.conftest import Recovery
from tests.support.driver_stand_in import DriverStandIn
from tests.support.operated import Document, Site, uid_of

HUGE = 70 * 1024
Write = Callable[[DriverStandIn], None]


def report_of(driver: DriverStandIn, **fields: object) -> dict[str, str]:
    """What the driver's ConfigMap holds when it reports this."""
    report = driver.progress.report.model_copy(update=fields)
    settings = driver.settings
    return {
        "report.json": report.model_dump_json(by_alias=True),
        "attempt": str(settings.attempt),
        "segment": settings.segment,
    }


def garbage(driver: DriverStandIn) -> None:
    driver.write({"report.json": "{\x1b[2J", "attempt": "1", "segment": driver.settings.segment})


def huge(driver: DriverStandIn) -> None:
    driver.write(report_of(driver, message="m" * HUGE))


def of_another_attempt(driver: DriverStandIn) -> None:
    driver.write(report_of(driver, phase="Failed") | {"attempt": "7"})


PROBLEMS: dict[str, tuple[Write, str]] = {
    "garbage": (garbage, "not believed: the report cannot be read"),
    "more than 64 KiB": (huge, "not believed: the report is larger than 64 KiB and was not read"),
    "of another attempt": (of_another_attempt, "not believed: the report is of attempt '7', not 1"),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_report_that_is_none_is_said_and_the_next_one_counts(
    site: Site, recovery: Recovery, what: str
) -> None:
    write, said = PROBLEMS[what]
    job = site.apply()
    submitted = job.submit()
    with job.driver() as driver:
        driver.searching(3)
        job.stands("Searching")
        write(driver)
        job.until(said, lambda found: found["status"]["phase"] == "Starting" and says(found, said))

        with recovery(f"report {what}"):
            driver.searching(4)
            searching = job.stands("Searching")
        driver.succeed()
    submitted.end("SUCCEEDED")

    assert searching["status"]["trials"]["completed"] == 4
    assert_one_run(job.stands("Completed"), "Succeeded")


def says(document: Document, text: str) -> bool:
    conditions = document["status"]["conditions"]
    return any(each["type"] == "Ready" and each["message"].startswith(text) for each in conditions)


def assert_one_run(document: Document, outcome: str) -> None:
    runs = document["status"]["runs"]
    assert [(run["attempt"], run["outcome"]) for run in runs] == [(1, outcome)]


def test_report_that_claims_success_early_ends_nothing(site: Site, recovery: Recovery) -> None:
    job = site.apply()
    submitted = job.submit()
    with job.driver() as driver:
        driver.succeed()
        claimed = job.until("told", lambda found: says(found, "the report says Succeeded; that counts once"))
        assert claimed["status"]["phase"] == "Searching"

        with recovery("report claimed success, then the RayJob was lost"):
            submitted.end("FAILED")
            lost = job.stands("BackingOff")

    assert_one_run(lost, "Infrastructure")


def test_report_that_claims_cost_and_times_changes_none(site: Site, recovery: Recovery) -> None:
    job = site.apply()
    job.submit()
    with job.driver() as driver:
        driver.searching(3)
        content = json.loads(report_of(driver)["report.json"])
        content |= {
            "cost": {"seconds": 0.001, "cpuHours": -5, "gpuHours": 1e6, "amount": 1e9},
            "attempt": 40,
            "runs": [],
            "planDigest": "f" * 64,
            "startTime": "1970-01-01T00:00:00Z",
            "trials": {"total": 40, "completed": 39},
        }
        with recovery("report claimed cost, attempt and times"):
            driver.write(report_of(driver) | {"report.json": json.dumps(content)})
            told = job.until("told", lambda found: found["status"]["trials"]["completed"] == 39)["status"]

    assert told["cost"] == {"seconds": 0, "cpuHours": 0, "gpuHours": 0}
    assert told["attempt"] == 1
    assert told["planDigest"] == driver.orders.plan.digest
    assert told["runs"][0]["outcome"] == "Running"


def test_report_that_was_deleted_is_made_again(site: Site, recovery: Recovery) -> None:
    job = site.apply()
    submitted = job.submit()
    with job.driver() as driver:
        driver.searching(3)
        job.stands("Searching")

        report = job.server.get(job.child("ConfigMap", "report"))

        with recovery("report's ConfigMap deleted"):
            job.server.delete(report)
            job.wait("another report", lambda: job.uid_of("ConfigMap", "report") not in ("", uid_of(report)))
        driver.succeed()
    submitted.end("SUCCEEDED")

    assert_one_run(job.stands("Completed"), "Succeeded")


def test_job_that_ends_without_a_report_is_tried_again(site: Site, recovery: Recovery) -> None:
    job = site.apply()
    with recovery("RayJob succeeded without a report"):
        job.submit().end("SUCCEEDED")
        lost = job.stands("BackingOff")

    assert_one_run(lost, "Infrastructure")
