"""Which trial leads, what the Pareto front holds, and when the goal is reached."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab_api.job import Objective
from trimtab_jobs.search.ranking import Leaders
from trimtab_jobs.search.trial import Trial

ACCURACY = Objective(metric="accuracy", direction="maximize")
LATENCY = Objective(metric="latencyMs", direction="minimize")


def trial_of(number: int, accuracy: float, latency: float = 1.0) -> Trial:
    metrics = {"accuracy": accuracy, "latencyMs": latency}
    return Trial(number, number, params={}, seed=0, state="completed", metrics=metrics)


def leaders_of(objectives: list[Objective], *figures: tuple[float, ...]) -> Leaders:
    leaders = Leaders(objectives)
    for number, each in enumerate(figures):
        leaders.add(trial_of(number, *each))
    return leaders


def numbers(leaders: Leaders) -> tuple[int | None, list[int]]:
    return leaders.best.number if leaders.best else None, [trial.number for trial in leaders.front]


@pytest.mark.parametrize(
    ("objectives", "figures", "best", "front"),
    [
        pytest.param([ACCURACY], [], None, [], id="no trial yet"),
        pytest.param([ACCURACY], [(0.5,), (0.9,), (0.7,)], 1, [1], id="one objective: the best alone"),
        pytest.param([ACCURACY], [(0.9,), (0.9,)], 0, [0], id="of equals the first"),
        pytest.param([LATENCY], [(0.5, 3), (0.5, 2)], 1, [1], id="minimized"),
        pytest.param(
            [ACCURACY, LATENCY], [(0.9, 3), (0.8, 1), (0.7, 2)], 0, [0, 1], id="a front, best first"
        ),
        pytest.param([ACCURACY, LATENCY], [(0.9, 3), (0.9, 2)], 1, [1], id="ties by the next objective"),
        pytest.param([LATENCY, ACCURACY], [(0.9, 3), (0.8, 1)], 1, [1, 0], id="the first objective ranks"),
    ],
)
def test_leaders(
    objectives: list[Objective], figures: list[tuple[float, ...]], best: int | None, front: list[int]
) -> None:
    assert numbers(leaders_of(objectives, *figures)) == (best, front)


@pytest.mark.parametrize(
    ("goals", "figures", "reached"),
    [
        pytest.param({}, [(1.0, 0.0)], False, id="no goal"),
        pytest.param({"accuracy": 0.9}, [(0.89,), (0.9,)], True, id="reached exactly"),
        pytest.param({"latencyMs": 2.0}, [(0.0, 2.1)], False, id="minimized, missed"),
        pytest.param({"latencyMs": 2.0}, [(0.0, 2.0)], True, id="minimized, reached"),
        pytest.param({"accuracy": 0.9, "latencyMs": 2.0}, [(0.9, 3), (0.8, 2)], False, id="by no one trial"),
        pytest.param({"accuracy": 0.9, "latencyMs": 2.0}, [(0.9, 2)], True, id="both by one trial"),
    ],
)
def test_goal(goals: dict[str, float], figures: list[tuple[float, ...]], reached: bool) -> None:
    objectives = [each.model_copy(update={"goal": goals.get(each.metric)}) for each in (ACCURACY, LATENCY)]

    assert leaders_of(objectives, *figures).reached_goal is reached


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_front_is_what_no_other_trial_beats(figures: list[Any]) -> None:
    leaders = leaders_of([ACCURACY, LATENCY], *figures)

    def is_beaten(mine: tuple[int, int]) -> bool:
        return any(other[0] >= mine[0] and other[1] <= mine[1] and other != mine for other in figures)

    expected = {mine for mine in figures if not is_beaten(mine)}
    front = [(trial.metrics["accuracy"], trial.metrics["latencyMs"]) for trial in leaders.front]
    assert set(front) == expected
    assert len(front) == len(expected)
