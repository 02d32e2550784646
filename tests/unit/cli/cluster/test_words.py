"""Where a job stands in words, and what a person can do about it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cluster_jobs import cluster_job
from tests.support.reports import finished
from trimtab_cli.cluster.list import table
from trimtab_cli.cluster.reading import report_of, store_of
from trimtab_cli.cluster.words import (
    FIXES,
    NOT_SEEN,
    SILENT,
    Telling,
    exit_code,
    lines,
    short_age,
    title,
    worst,
)
from trimtab_operator.conditions import REASONS

NOW = datetime(2026, 11, 24, 15, 4, tzinfo=UTC)
FOUND = finished().model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
STATUS = {key: FOUND[key] for key in ("trials", "best", "baseline", "uncompressed", "candidates", "final")}
DONE = cluster_job(
    "Completed", "Succeeded", **STATUS, guardrail=FOUND["guardrail"], artifacts=FOUND["artifacts"]
)


def test_every_reason_has_its_fix_or_needs_none():
    reasons = {reason for each in REASONS.values() for reason in each}
    assert reasons - FIXES.keys() - set(SILENT) - {"Failed"} == set()
    assert FIXES.keys() & set(SILENT) == set()


def test_every_fix_is_of_a_reason_that_the_documentation_explains():
    page = (Path(__file__).parents[4] / "docs/reference/conditions.md").read_text()
    explained = set(re.findall(r"`([A-Z][A-Za-z]+)`", page))
    assert FIXES.keys() - explained == set()


@pytest.mark.parametrize(
    ("job", "headline"),
    [
        pytest.param(cluster_job(), "Pending", id="unseen"),
        pytest.param(
            cluster_job("Searching", "Searching", stage="search"), "Searching", id="stage-says-no-more"
        ),
        pytest.param(cluster_job("Verifying", "Verifying", stage="test"), "Verifying (test)", id="stage"),
        pytest.param(cluster_job("Code", "Failed"), "Failed", id="failed"),
        pytest.param(cluster_job("Code", "Failed", spec={"retry": 1}), "Asked to run again", id="retried"),
        pytest.param(DONE, "Guardrail met, int8 published", id="done"),
    ],
)
def test_headline_says_where_it_stands(job: dict, headline: str):
    assert title(job)[0] == headline


def test_waiting_job_says_why_and_what_to_do():
    job = cluster_job("Unschedulable", "Starting", message="pod a finds no node")
    told = lines(job, Telling(options=" -n vision"))
    assert told[:2] == ["pod a finds no node", f"To do: {FIXES['Unschedulable']}"]
    assert told[-1] == "Next: trimtab watch digits -n vision"


def test_job_that_no_operator_has_seen_says_so():
    assert lines(cluster_job(), Telling())[0] == NOT_SEEN


def test_finished_job_has_what_a_run_here_ends_with():
    told = "\n".join(lines(DONE, Telling(store="s3://models/vision/digits/uid-1")))
    assert "accuracy: at most 0.020 worse than uncompressed" in told
    assert "Trials  40/40 (8 ended early, 1 failed, 2 run again)" in told
    assert "Model  out/model/digits/1/model.onnx (1,081,234 bytes)" in told
    assert "Store  s3://models/vision/digits/uid-1" in told
    assert told.endswith("trimtab report digits --to report.html")


def test_wide_has_the_conditions_and_runs():
    runs = [{"name": "digits-s0-a1", "segment": "search", "attempt": 1, "outcome": "Infrastructure"}]
    told = "\n".join(lines(cluster_job("BackingOff", "Pending", runs=runs), Telling(wide=True)))
    assert "Runs  digits-s0-a1 Infrastructure" in told
    assert "Succeeded  Unknown  BackingOff  the condition's words" in told


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (cluster_job("Completed", "Succeeded"), 0),
        (cluster_job("Code", "Failed"), 1),
        (cluster_job("GuardrailNotMet", "Failed"), 3),
        (cluster_job("BudgetReached", "Succeeded"), 4),
    ],
)
def test_exit_code_is_that_of_a_run_here(job: dict, code: int):
    assert exit_code(job) == code


@pytest.mark.parametrize(("codes", "code"), [([], 0), ([0, 4], 4), ([3, 4, 1], 1), ([1, 5, 2], 5)])
def test_gravest_code_of_several_counts(codes: list[int], code: int):
    assert worst(codes) == code


def test_list_has_a_line_for_each_job():
    summary = {"trials": "12/40", "best": "accuracy 0.98", "size": "0.61 MB", "speedup": "4.1x"}
    job = cluster_job("Searching", "Searching", stage="search", summary=summary)
    assert table([job], NOW, everywhere=False, wide=False) == [
        "NAME    PHASE      STAGE   TRIALS  BEST           SIZE     SPEEDUP  AGE",
        "digits  Searching  search  12/40   accuracy 0.98  0.61 MB  4.1x     3h",
    ]
    assert table([job], NOW, everywhere=True, wide=False)[1].startswith("vision     digits")


def test_wide_list_has_cost_and_message():
    job = cluster_job(
        "Searching",
        "Searching",
        message="trial 3 failed",
        cost={"seconds": 90, "amount": 1.5, "newer": 1},
        attempt=2,
    )
    assert table([job], NOW, everywhere=False, wide=True)[1].endswith(
        "2        1m 30s, cost 1.50  trial 3 failed"
    )


@given(st.floats(0, 1e9))
def test_age_is_short(seconds: float):
    text = short_age(seconds)
    number, unit = int(text[:-1]), {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]
    assert number * unit <= seconds < (number + 1) * unit
    assert unit in (1, 86400) or 2 <= number < 120


def test_what_a_newer_operator_adds_is_left_out():
    best = {"trial": 1, "metrics": {"accuracy": 0.5}, "newer": {"a": 1}}
    job = cluster_job("Searching", "Searching", best=best, trials={"total": 3, "newer": 4}, newest=[1])
    report = report_of(job)
    assert (report.best and report.best.trial, report.trials.total) == (1, 3)


def test_store_is_told_by_the_result_and_before_by_the_plan():
    ended = cluster_job("Completed", "Succeeded", result="s3://models/vision/digits/uid-1/result.json")
    assert store_of(ended, None) == "s3://models/vision/digits/uid-1"
    assert store_of(cluster_job(), None) == ""
    assert store_of(cluster_job(), {"data": {"plan.json": "{}"}}) == ""
