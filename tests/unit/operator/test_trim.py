"""A status of at most 32 KiB, however much a run has found and however fat it is."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fat_status import FATTEST, INTERVALS, METRICS, fattest
from tests.support.worlds import Document, reported, searching, status_of, tick
from trimtab_api.report import Cost
from trimtab_api.status import JobStatus
from trimtab_operator.trim import LARGEST_STATUS, STEPS, plain_json, size_of, trimmed


def test_fattest_status_fits() -> None:
    assert size_of(fattest()) > 10 * LARGEST_STATUS

    assert size_of(trimmed(fattest())) <= LARGEST_STATUS


def test_what_a_job_is_judged_by_is_kept() -> None:
    kept = trimmed(fattest())

    assert kept.conditions == fattest().conditions
    assert kept.runs == fattest().runs
    assert (kept.trials, kept.summary, kept.cost) == (fattest().trials, fattest().summary, fattest().cost)
    assert kept.final is not None
    assert kept.best is not None


def test_status_that_fits_is_left_as_it_is() -> None:
    status = JobStatus.model_validate(
        {
            **FATTEST,
            "front": [],
            "candidates": [],
            "artifacts": [],
            "best": None,
            "guardrail": [],
            "baseline": None,
            "uncompressed": None,
            "final": None,
        }
    )

    assert trimmed(status) is status


def test_little_too_much_costs_only_what_people_miss_least() -> None:
    candidates = [{"id": f"c{number}", "verdict": "v" * 1_000, "metrics": {"a": 1.0}} for number in range(20)]
    status = JobStatus.model_validate({"candidates": candidates, "message": "m" * 1_000, "stage": "s"})
    status = status.model_copy(update={"runs": fattest().runs, "conditions": fattest().conditions})

    kept = trimmed(status)

    assert [each.id for each in kept.candidates] == [f"c{number}" for number in range(20)]
    assert max(len(each.verdict) for each in kept.candidates) <= 120
    assert kept.message == status.message


def test_final_candidate_is_the_last_to_go() -> None:
    candidates = [{"id": f"c{number}", "metrics": METRICS, "interval": INTERVALS} for number in range(20)]
    rest = {
        "artifacts": [],
        "best": None,
        "front": [],
        "guardrail": [],
        "baseline": None,
        "uncompressed": None,
    }

    kept = trimmed(fattest(candidates=candidates, final={"id": "c19"}, **rest))

    assert [each.id for each in kept.candidates] == [*(f"c{number}" for number in range(9)), "c19"]


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_every_step_makes_it_smaller(number: int) -> None:
    status = fattest()
    for shorten in STEPS[: number - 1]:
        status = shorten(status)

    assert size_of(STEPS[number - 1](status)) < size_of(status)


PARTS = ("best", "front", "baseline", "uncompressed", "candidates", "final", "guardrail", "artifacts", "cost")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sets(st.sampled_from(PARTS)), st.integers(1_000, 60_000))
def test_trimming_twice_is_trimming_once(left_out: set[str], most_bytes: int) -> None:
    empty: Document = {
        part: None if part in ("best", "baseline", "uncompressed", "final") else () for part in left_out
    }
    status = fattest(**{part: Cost() if part == "cost" else value for part, value in empty.items()})

    once = trimmed(status, most_bytes)

    assert trimmed(once, most_bytes) == once or size_of(once) > most_bytes


def test_ten_thousand_fat_trials_fit_and_can_be_written() -> None:
    params = {f"p{number}": "x" * 200 for number in range(16)}
    best = {"trial": 9_999, "params": params, "metrics": {"accuracy": 0.98}}
    candidates = [{"id": f"c{number}", "verdict": "rejected: " * 60} for number in range(20)]
    counts = {"total": 10_000, "completed": 9_000, "pruned": 900, "failed": 100}

    world = tick(
        reported(
            searching(), phase="Searching", trials=counts, best=best, front=[best] * 10, candidates=candidates
        )
    )

    assert (status_of(world).summary.trials, len(status_of(world).candidates)) == ("10000/10000", 20)
    assert len(json.dumps(world.job["status"])) <= LARGEST_STATUS


def test_whole_numbers_are_written_as_the_api_server_keeps_them() -> None:
    assert json.dumps(plain_json(JobStatus(speedup=4.0))["speedup"]) == "4"
