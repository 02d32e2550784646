"""Edits of a job that runs: they reach its driver, or are refused; an ended job is tried again."""

from tests.support.driver_stand_in import DriverStandIn
from tests.support.operated import TWO_SEGMENTS, Document, Site, condition_of


def test_edits_of_trials_and_parallelism_reach_the_driver(site: Site) -> None:
    job = site.apply()
    job.submit()
    with job.driver() as driver:
        driver.searching(3)
        job.edit(search={"trials": 12, "parallelism": 2})
        job.wait("the edit", lambda: search_of(driver)["trials"] == 12)
        assert search_of(driver)["parallelism"] == 2
        driver.searching(4)

        edited = job.until("told", lambda found: found["status"]["summary"]["trials"] == "4/12")

    assert condition_of(edited, "Accepted")["reason"] == "Admitted"
    assert edited["status"]["observedGeneration"] == 2
    assert edited["status"]["attempt"] == 1


def search_of(driver: DriverStandIn) -> Document:
    """The search as the driver knows it now."""
    found: Document = spec_of(driver)["search"]
    return found


def spec_of(driver: DriverStandIn) -> Document:
    return driver.orders.plan.spec.model_dump(by_alias=True)


def test_edit_of_the_budget_reaches_the_driver(site: Site) -> None:
    job = site.apply(budget={"duration": "8h"})
    job.submit()
    with job.driver() as driver:
        job.edit(budget={"duration": "9h", "failedTrials": 3})

        job.wait("the edit", lambda: spec_of(driver)["budget"]["duration"] == "9h")

        assert spec_of(driver)["budget"]["failedTrials"] == 3


def test_edit_beyond_the_profile_is_refused_and_the_job_goes_on(site: Site) -> None:
    site.server.patch(site.profile, {"spec": {"caps": {"duration": "8h"}}})
    job = site.apply(budget={"duration": "2h"})
    job.submit()
    with job.driver() as driver:
        job.edit(budget={"duration": "80h"})

        refused = job.until("refused", lambda found: reason(found) == "EditRefused")
        driver.searching(3)
        job.stands("Searching")
        assert spec_of(driver)["budget"]["duration"] == "2h"
    job.edit(budget={"duration": "3h"})
    job.until("taken", lambda found: reason(found) == "Admitted")

    assert "spec.budget.duration" in condition_of(refused, "Accepted")["message"]


def reason(job: Document) -> str:
    """Of its admission."""
    return str(condition_of(job, "Accepted")["reason"])


def test_failed_job_that_is_tried_again_keeps_its_ledger(site: Site) -> None:
    job = site.apply()
    job.fail("NoTrialCompleted", "every trial failed")

    job.edit(retry=1)
    job.runs(attempt=2)
    ended = job.succeed()

    runs = [(run["attempt"], run["retry"], run["outcome"]) for run in ended["status"]["runs"]]
    assert runs == [(1, 0, "Failed"), (2, 1, "Succeeded")]
    assert (ended["status"]["retry"], ended["status"]["attempt"]) == (1, 2)


def test_job_that_was_suspended_goes_on_in_the_segment_where_it_was(site: Site) -> None:
    job = site.apply(**TWO_SEGMENTS)
    submitted = job.submit()
    with job.driver() as driver:
        driver.end_segment()
    submitted.end("SUCCEEDED")
    job.runs(1, "export")
    job.edit(suspend=True)
    job.stands("Suspended")
    job.wait("no cluster", lambda: "RayCluster" not in job.left())

    job.edit(suspend=False)
    job.runs(2, "export")
    ended = job.succeed()

    runs = [(run["attempt"], run["segment"], run["outcome"]) for run in ended["status"]["runs"]]
    assert runs == [(1, "search", "Succeeded"), (1, "export", "Suspended"), (2, "export", "Succeeded")]
