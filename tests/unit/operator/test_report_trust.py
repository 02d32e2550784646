"""What a driver says is believed as far as it goes: a hostile one ends, spends and breaks nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.worlds import (
    READY,
    SUCCEEDED,
    Document,
    conditions,
    ended,
    message,
    ray_job,
    reported,
    searching,
    status_of,
    tick,
)
from trimtab_operator.reading import Heard, heard_of
from trimtab_operator.world import Observed

REPORT = {"schemaVersion": 1, "name": "digits", "phase": "Searching"}


def written(content: Any, attempt: str = "1", segment: str = "search") -> Document:
    text = content if isinstance(content, str) else json.dumps(content)
    return {"data": {"report.json": text, "attempt": attempt, "segment": segment}}


def overwritten(world: Observed, config_map: Document) -> Observed:
    """The world after somebody has put this into its report."""
    assert world.report is not None
    return replace(world, report={**world.report, **config_map})


def told(**report: Any) -> Observed:
    """The world after a driver has told this of a running search."""
    return tick(reported(searching(), **{"phase": "Searching", **report}))


def test_what_was_found_stays_while_the_next_driver_starts() -> None:
    found = told(trials={"total": 40, "completed": 12}, best={"trial": 3})

    started = tick(reported(found, phase="Starting", stage="task"))

    status = status_of(started)
    assert status.best is not None
    assert (status.trials.completed, status.best.trial) == (12, 3)


NOT_BELIEVED = {
    "not JSON": (written("{"), "the report cannot be read: Expecting property name"),
    "another kind of JSON": (written("7"), "the report cannot be read: it: Input should be"),
    "nested without end": (written("[" * 60_000), "the report cannot be read: "),
    "too large": (written("x" * 70_000), "the report is larger than 64 KiB and was not read"),
    "large in another key": (
        {"data": {**written(REPORT)["data"], "more": "x" * 70_000}},
        "the report is larger than 64 KiB and was not read",
    ),
    "a later attempt": (written(REPORT, attempt="2"), "the report is of attempt '2', not 1"),
    "no attempt": (written(REPORT, attempt="first"), "the report is of attempt 'first', not 1"),
    "an attempt of many digits": (
        written(REPORT, attempt="9" * 5_000),
        f"the report is of attempt '{'9' * 20}', not 1",
    ),
    "another version": (
        written({**REPORT, "schemaVersion": 3}),
        "the report cannot be read: schemaVersion: ",
    ),
    "no number": (written('{"name": "digits", "speedup": NaN}'), "the report cannot be read: speedup: "),
    "infinite": (written('{"name": "digits", "speedup": Infinity}'), "the report cannot be read: speedup: "),
    "a number too large": (
        written({**REPORT, "trials": {"total": 10**30}}),
        "the report cannot be read: a number in it is too large",
    ),
    "a number beyond reading": (
        written('{"name": "digits", "x": 1' + "0" * 5_000 + "}"),
        "the report cannot be read: ",
    ),
    "a wrong type": (written({**REPORT, "trials": []}), "the report cannot be read: trials: "),
    "an unknown phase": (written({**REPORT, "phase": "Done"}), "the report cannot be read: phase: "),
    "below nothing": (
        written({**REPORT, "trials": {"completed": -1}}),
        "the report cannot be read: trials.completed: ",
    ),
}


@pytest.mark.parametrize(("config_map", "why"), NOT_BELIEVED.values(), ids=NOT_BELIEVED)
def test_what_is_no_report_is_not_believed_and_says_why(config_map: Document, why: str) -> None:
    heard = heard_of(config_map, 1, "search")

    assert heard.report is None
    assert heard.problem.startswith(why)


PASSED_OVER = {
    "nothing": None,
    "nothing yet": {"metadata": {}},
    "an earlier attempt": written(REPORT, attempt="2"),
    "an earlier segment": written(REPORT, attempt="3"),
}


@pytest.mark.parametrize("config_map", PASSED_OVER.values(), ids=PASSED_OVER)
def test_what_was_left_by_an_earlier_run_is_passed_over(config_map: Document | None) -> None:
    assert heard_of(config_map, 3, "export") == Heard()


def test_report_of_a_newer_driver_is_read_as_far_as_it_is_known() -> None:
    heard = heard_of(
        written({**REPORT, "novelty": {"a": 1}, "trials": {"total": 3, "skipped": 1}}), 1, "search"
    )

    assert heard.report is not None
    assert heard.report.trials.total == 3


def test_problem_is_said_where_people_look() -> None:
    world = tick(overwritten(searching(), written("{")))

    assert message(world, "Succeeded").startswith("not believed: the report cannot be read")
    assert (status_of(world).phase, conditions(world)["Reconciling"]) == ("Starting", "True/Starting")


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_end_that_is_claimed_early_does_not_count(phase: str) -> None:
    world = told(phase=phase, conditions=ended("True", "Completed"))

    assert conditions(world)["Succeeded"] == "Unknown/Searching"
    assert message(world, "Succeeded") == f"the report says {phase}; that counts once the RayJob has ended"


@pytest.mark.parametrize("phase", ["Suspended", "Pending", "Queued"])
def test_phase_that_is_not_the_drivers_to_tell_is_not_taken(phase: str) -> None:
    assert status_of(told(phase=phase)).phase == "Searching"


def test_conditions_that_are_not_the_drivers_to_tell_are_not_taken() -> None:
    mine = [
        {"type": kind, "status": "True", "reason": "Mine"}
        for kind in ("Ready", "Stalled", "Accepted", "ClusterReady", "Other", "SearchComplete")
    ]
    world = told(conditions=mine)

    found = conditions(world)
    assert (found["Ready"], found["Stalled"]) == ("False/Searching", "False/Searching")
    assert (found["SearchComplete"], "Other" in found) == ("True/Reported", False)


def test_cost_attempt_and_time_are_not_the_drivers_to_tell() -> None:
    world = told(cost={"seconds": 1e9, "amount": 0.0, "gpuHours": 1e9}, attempt=9)

    status = status_of(world)
    assert (status.cost.seconds, status.cost.gpu_hours, status.attempt) == (60.0, 0.0, 1)


def test_text_that_a_terminal_would_obey_is_taken_out() -> None:
    world = told(message="\x1b[31mred\u202e\nsecond", stage="a\x07b")

    assert (status_of(world).message, status_of(world).stage) == ("[31mred\nsecond", "ab")


def test_report_of_another_attempt_ends_nothing() -> None:
    world = reported(searching(), attempt=2, phase="Succeeded", conditions=ended("True", "Completed"))

    world = tick(ray_job(world, SUCCEEDED))

    assert status_of(world).runs[0].outcome == "Infrastructure"
    assert "but the report is of attempt '2', not 1" in status_of(world).runs[0].message


def test_what_was_found_stays_when_the_report_is_lost() -> None:
    world = told(trials={"total": 40, "completed": 12}, best={"trial": 3, "metrics": {"accuracy": 0.9}})

    world = tick(overwritten(world, written("{")))

    assert status_of(world).summary.trials == "12/40"


def test_what_was_found_is_told_in_short() -> None:
    world = told(
        trials={"total": 40, "completed": 31, "pruned": 8, "failed": 1, "running": 2},
        best={"trial": 17, "metrics": {"accuracy": 0.98765, "f1": 1.0}},
        final={"id": "int8", "metrics": {"sizeMB": 0.6123}},
        speedup=4.123,
    )

    summary = status_of(world).summary
    assert (summary.trials, summary.best, summary.size, summary.speedup) == (
        "40/40",
        "accuracy 0.9877",
        "0.612 MB",
        "4.12x",
    )


def test_status_of_a_ready_cluster_is_not_written_each_time_a_pod_changes() -> None:
    world = tick(ray_job(searching(), READY))

    pods = ({"metadata": {"name": "a"}, "status": {"phase": "Running"}},)

    assert tick(replace(world, pods=pods)).job == world.job
