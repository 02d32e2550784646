"""What is waited for, and the exit code once it is reached or out of reach."""

import click
import pytest

from tests.support.cluster_jobs import cluster_job
from trimtab_cli.cluster.wait import Goal, GoalParam, TimeParam, reached

SUSPENDED = {"type": "Suspended", "status": "True", "reason": "Suspended"}
RUNNING = cluster_job("Searching", "Searching")
ENDS = {
    0: cluster_job("Completed", "Succeeded"),
    1: cluster_job("Code", "Failed"),
    3: cluster_job("GuardrailNotMet", "Failed"),
    4: cluster_job("BudgetReached", "Succeeded"),
}


def code(job: dict, goal: Goal) -> int | None:
    verdict = reached(job, goal)
    return None if verdict is None else verdict[0]


@pytest.mark.parametrize("goal", [Goal("finished"), Goal("succeeded"), Goal("", "Suspended")])
def test_running_job_is_waited_for(goal: Goal):
    assert reached(RUNNING, goal) is None
    assert reached(cluster_job(), goal) is None


@pytest.mark.parametrize(
    ("goal", "codes"),
    [
        pytest.param(Goal("finished"), {0: 0, 1: 1, 3: 3, 4: 4}, id="finished"),
        pytest.param(Goal("succeeded"), {0: 0, 1: 1, 3: 3, 4: 0}, id="succeeded"),
        pytest.param(Goal("", "Suspended"), {0: 1, 1: 1, 3: 3, 4: 1}, id="condition-that-never-holds"),
        pytest.param(Goal("", "Succeeded", "False"), {0: 1, 1: 0, 3: 0, 4: 1}, id="condition"),
    ],
)
def test_end_of_the_job_is_the_exit_code(goal: Goal, codes: dict[int, int]):
    assert {end: code(job, goal) for end, job in ENDS.items()} == codes


def test_condition_that_holds_ends_it():
    job = cluster_job("Suspended", "Suspended")
    job["status"]["conditions"].append(SUSPENDED)
    assert reached(job, Goal("", "Suspended")) == (0, "digits: Suspended is True")


def test_condition_of_an_earlier_spec_is_not_believed():
    job = cluster_job("Suspended", "Suspended", observedGeneration=0)
    job["status"]["conditions"].append(SUSPENDED)
    assert reached(job, Goal("", "Suspended")) is None


def test_job_that_is_asked_to_run_again_has_not_ended():
    assert reached(cluster_job("Code", "Failed", spec={"retry": 1}), Goal()) is None


def test_job_that_was_refused_is_looked_at_anew_after_an_edit():
    assert reached(cluster_job("Refused", "Failed", observedGeneration=0), Goal()) is None
    assert code(cluster_job("Refused", "Failed"), Goal()) == 1


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("finished", Goal("finished")),
        ("succeeded", Goal("succeeded")),
        ("condition=Suspended", Goal("condition=Suspended", "Suspended", "True")),
        ("condition=Succeeded=false", Goal("condition=Succeeded=false", "Succeeded", "False")),
    ],
)
def test_goal_is_read(text: str, goal: Goal):
    assert GoalParam().convert(text, None, None) == goal


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1h30m", 5400), ("0.5m", 30), ("2d", 172800)]
)
def test_time_is_read(text: str, seconds: float):
    assert TimeParam().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    ("kind", "text"),
    [(GoalParam(), "done"), (GoalParam(), "condition="), (TimeParam(), "soon"), (TimeParam(), "1x")],
)
def test_what_cannot_be_read_is_refused(kind: click.ParamType, text: str):
    with pytest.raises(click.UsageError, match="write"):
        kind.convert(text, None, None)
