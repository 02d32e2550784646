"""What a status adds to the counters when a job ends."""

from typing import Any

import pytest

from trimtab_operator.counting import count_end
from trimtab_operator.metrics import Metrics

RUNS = [{"startTime": "2026-11-24T08:00:10Z"}, {"startTime": None}, {"startTime": "2026-11-24T09:00:00Z"}]


def job(succeeded: str = "Unknown", reason: str = "Searching", **status: Any) -> dict[str, Any]:
    times = {"lastTransitionTime": "2026-11-24T10:00:10Z"}
    condition = {"type": "Succeeded", "status": succeeded, "reason": reason, **times}
    metadata = {"name": "digits", "creationTimestamp": "2026-11-24T08:00:00Z"}
    return {"metadata": metadata, "status": {"conditions": [condition], **status}}


def counted(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    """Counters of jobs and trials that are not 0."""
    metrics = Metrics()
    count_end(metrics, before, after)
    samples = [each for family in metrics.registry.collect() for each in family.samples]
    names = ("trimtab_job_ends_total", "trimtab_job_duration_seconds_sum", "trimtab_trials_total")
    return {
        f"{each.name[8:]} {' '.join(each.labels.values())}": each.value
        for each in samples
        if each.name in names and each.value
    }


def test_job_that_ends_is_counted_with_its_trials_and_its_time_since_the_first_run() -> None:
    trials = {"total": 40, "completed": 31, "pruned": 8, "failed": 1}

    assert counted(job(), job("True", "Completed", runs=RUNS, trials=trials)) == {
        "job_ends_total Completed": 1,
        "job_duration_seconds_sum Succeeded": 7200,
        "trials_total completed": 31,
        "trials_total pruned": 8,
        "trials_total failed": 1,
    }


def test_job_that_never_ran_is_counted_from_its_creation() -> None:
    assert counted(job(), job("False", "Configuration")) == {
        "job_ends_total Configuration": 1,
        "job_duration_seconds_sum Failed": 7210,
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(job(), job(), id="it goes on"),
        pytest.param(job("True", "Completed"), job("True", "Completed", stage="x"), id="it had ended before"),
        pytest.param({"metadata": {}}, {"metadata": {}}, id="nothing is known of it"),
    ],
)
def test_job_that_does_not_end_now_is_not_counted(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert counted(before, after) == {}
