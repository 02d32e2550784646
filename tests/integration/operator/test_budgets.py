"""Budgets count over all attempts: one that is used up ends the search, and the best so far is published."""

import pytest

from tests.support.operated import TWO_SEGMENTS, Document, Job, Site, condition_of

GPU = {"resources": {"search": {"pool": "gpu", "perTrial": {"gpu": 1}}}}
BUDGETS: dict[str, tuple[Document, str]] = {
    "duration": ({"budget": {"duration": "90m"}}, "Duration"),
    "gpuHours": ({"budget": {"gpuHours": 1.5}, **GPU}, "GpuHours"),
    "cost": ({"budget": {"cost": 4.5}, **GPU}, "Cost"),
}


def first_attempt(job: Job) -> None:
    """Run for an hour, then be suspended."""
    job.submit()
    job.rewind(hours=1)
    job.edit(suspend=True)
    job.stands("Suspended")
    job.edit(suspend=False)
    job.runs(attempt=2)


@pytest.mark.parametrize("budget", BUDGETS)
def test_budget_that_is_reached_in_the_second_attempt_ends_the_search(site: Site, budget: str) -> None:
    spec, reason = BUDGETS[budget]
    job = site.apply(**spec)
    first_attempt(job)
    submitted = job.submit()
    with job.driver() as driver:
        driver.searching(3)
        job.stands("Searching")
        assert driver.orders.control.stop_search is None

        job.rewind(hours=0.6)
        job.wait("the order", lambda: driver.orders.control.stop_search == budget)
        driver.progress.condition("SearchComplete", "True", reason, "the budget is used up")
        driver.succeed("BudgetReached")
    submitted.end("SUCCEEDED")
    ended = job.stands("BudgetReached")

    assert driver.orders.control.attempt == 2
    assert 3600 <= driver.orders.control.used_seconds < 5400
    assert condition_of(ended, "SearchComplete")["reason"] == reason
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["cost"]["seconds"] >= 1.6 * 3600


def test_budget_that_runs_out_is_noticed_without_anything_else_happening(site: Site) -> None:
    job = site.apply(budget={"duration": "3s"})
    submitted = job.submit()
    with job.driver() as driver:
        job.wait("the order", lambda: driver.orders.control.stop_search == "duration")
        driver.succeed("BudgetReached")
    submitted.end("SUCCEEDED")

    assert job.stands("BudgetReached")["status"]["cost"]["seconds"] >= 3


def test_compression_goes_on_after_the_budget(site: Site) -> None:
    job = site.apply(**TWO_SEGMENTS, budget={"duration": "90m"})
    submitted = job.submit()
    with job.driver() as driver:
        job.rewind(hours=2)
        job.wait("the order", lambda: driver.orders.control.stop_search == "duration")
        driver.end_segment()
    submitted.end("SUCCEEDED")
    job.runs(1, "export")

    assert job.succeed("BudgetReached")["status"]["phase"] == "Succeeded"
