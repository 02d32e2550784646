"""Each metric, and the page that lists them."""

import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from trimtab_api.report import Phase
from trimtab_operator.conditions import FAILED, SUCCEEDED
from trimtab_operator.metrics import Metrics, Outcome, TrialState

PAGE = Path(__file__).parents[3] / "docs/reference/operator-metrics.md"
Values = dict[str, float]


def values(metrics: Metrics, name: str) -> Values:
    """The samples of a name that are not zero, by their labels' values in the order of the labels' names."""
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {",".join(sample.labels.values()): sample.value for sample in samples if sample.value}


def labels(metrics: Metrics, name: str) -> set[str]:
    """The values of a metric's first label that are there from the start."""
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {next(iter(sample.labels.values())) for sample in samples}


def look_twice(metrics: Metrics) -> None:
    metrics.reconciled("done", 0.5)
    metrics.reconciled("conflict", 0.25)
    metrics.reconciled("done", 1.0)


def fail(metrics: Metrics) -> None:
    metrics.failed("Conflict")
    metrics.failed("Conflict")


def end(metrics: Metrics) -> None:
    metrics.ended("Completed", 100)
    metrics.ended("BudgetReached", 200)
    metrics.ended("GuardrailNotMet", 400)


def count_jobs_twice(metrics: Metrics) -> None:
    metrics.jobs({"Pending": 3, "Failed": 1})
    metrics.jobs({"Searching": 2})


SAID: dict[str, tuple[Callable[[Metrics], None], str, Values]] = {
    "build": (lambda m: None, "trimtab_build_info", {version("trimtab"): 1}),
    "leader": (lambda m: m.leads(True), "trimtab_leader", {"": 1}),
    "no longer leader": (lambda m: (m.leads(True), m.leads(False))[0], "trimtab_leader", {}),
    "queue": (lambda m: m.queue_depth(7), "trimtab_queue_depth", {"": 7}),
    "looks": (look_twice, "trimtab_reconcile_duration_seconds_count", {"done": 2, "conflict": 1}),
    "time of looks": (look_twice, "trimtab_reconcile_duration_seconds_sum", {"done": 1.5, "conflict": 0.25}),
    "errors": (fail, "trimtab_reconcile_errors_total", {"Conflict": 2}),
    "requests": (
        lambda m: m.requested("create", "RayJob", "409"),
        "trimtab_api_requests_total",
        {"409,RayJob,create": 1},
    ),
    "jobs": (count_jobs_twice, "trimtab_jobs", {"Searching": 2}),
    "ends": (end, "trimtab_job_ends_total", {"Completed": 1, "BudgetReached": 1, "GuardrailNotMet": 1}),
    "durations": (end, "trimtab_job_duration_seconds_count", {"Succeeded": 2, "Failed": 1}),
    "time of jobs": (end, "trimtab_job_duration_seconds_sum", {"Succeeded": 300, "Failed": 400}),
    "trials": (lambda m: m.trials("pruned", 12), "trimtab_trials_total", {"pruned": 12}),
}


@pytest.mark.parametrize(("say", "name", "expected"), SAID.values(), ids=list(SAID))
def test_what_was_said_is_counted(say: Callable[[Metrics], None], name: str, expected: Values) -> None:
    metrics = Metrics()
    say(metrics)
    assert values(metrics, name) == expected


FROM_THE_START = {
    "trimtab_reconcile_duration_seconds_count": set(get_args(Outcome)),
    "trimtab_reconcile_errors_total": {
        *("Error", "Unavailable", "Conflict", "Gone", "NotServed"),
        *("Refused", "Forbidden", "Invalid", "NameTaken", "Unexpected"),
    },
    "trimtab_jobs": set(get_args(Phase)),
    "trimtab_job_ends_total": {*SUCCEEDED, *FAILED},
    "trimtab_job_duration_seconds_count": {"Succeeded", "Failed"},
    "trimtab_trials_total": set(get_args(TrialState)),
}


@pytest.mark.parametrize(("name", "expected"), FROM_THE_START.items(), ids=list(FROM_THE_START))
def test_series_are_there_before_anything_happens(name: str, expected: set[str]) -> None:
    assert labels(Metrics(), name) == expected


def test_process_is_measured() -> None:
    assert values(Metrics(), "process_resident_memory_bytes")[""] > 1e6


def test_two_operators_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.queue_depth(3)
    assert values(other, "trimtab_queue_depth") == {}


def test_names_follow_the_conventions() -> None:
    families = [family for family in Metrics().registry.collect() if not family.name.startswith("process_")]
    for family in families:
        assert re.fullmatch(r"trimtab(_[a-z]+)+", family.name)
        assert family.type != "histogram" or family.name.endswith("_seconds")


def rows() -> list[str]:
    """The lines of the page's table."""
    metrics = Metrics()
    metrics.requested("get", "Pod", "200")
    found = []
    for family in metrics.registry.collect():
        if not family.name.startswith("process_"):
            kind = family.type.replace("info", "gauge")
            labels = ", ".join(f"`{label}`" for label in family.samples[0].labels if label != "le")
            name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
            found.append(f"| `{name}` | {kind} | {labels} | {family.documentation} |")
    return found


def test_page_lists_every_metric() -> None:
    _, _, table = PAGE.read_text().partition("|---|---|---|---|\n")
    assert table.partition("\n\n")[0].splitlines() == rows()
