"""The search on the page: which parameters mattered, parallel coordinates, the trade-off, the ladder."""

# ruff: noqa: RUF001  typographic signs are what is tested

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reports import figures, finished, trials
from trimtab_api.report import Candidate
from trimtab_jobs.report.coordinates import best_and_rest, coordinates, dimensions_of
from trimtab_jobs.report.importance import encoded, importance, ranked
from trimtab_jobs.report.ladder import ladder
from trimtab_jobs.report.models import parent_of
from trimtab_jobs.report.search import search
from trimtab_jobs.report.tradeoff import front, tradeoff
from trimtab_jobs.report.trials import Ranking

ACCURACY = Ranking("accuracy", maximize=True)


def trial(number: int, accuracy: float | None, state: str = "completed", **params: Any) -> dict[str, Any]:
    metrics = {} if accuracy is None else {"accuracy": accuracy}
    return {"number": number, "state": state, "params": params, "metrics": metrics, "seconds": 1.0}


def searched(count: int) -> list[dict[str, Any]]:
    """Trials whose accuracy follows lr, and momentum where there is one; noise does nothing."""
    draw = random.Random(0)
    made = []
    for number in range(count):
        params: dict[str, Any] = {"noise": draw.random(), "optimizer": draw.choice(["sgd", "adamw"])}
        params["lr"] = draw.random()
        if params["optimizer"] == "sgd":
            params["momentum"] = draw.random()
        reached = -((params["lr"] - 0.3) ** 2) - 0.1 * params.get("momentum", 0)
        made.append(trial(number, reached, **params))
    return made


def text_of(*parts: str | None) -> str:
    return " ".join(re.sub("<[^>]+>", " ", " ".join(filter(None, parts))).split())


def test_importance_tells_what_the_objective_follows_from_what_it_does_not():
    found = importance(searched(200), ACCURACY)
    assert found is not None
    assert next(iter(found.losses)) == "lr"
    assert found.losses["lr"] > 0.5 > 0.05 > found.losses["noise"]
    assert found.losses["momentum"] > found.losses["noise"]
    assert found.explained > 0.7


def test_importance_is_the_same_every_time():
    assert importance(searched(60), ACCURACY) == importance(searched(60), ACCURACY)


def test_importance_of_a_thousand_trials_is_found_on_an_even_sample():
    found = importance(searched(1000), ACCURACY)
    assert found is not None
    assert found.trials == 500


@pytest.mark.parametrize(
    "some",
    [
        pytest.param(searched(19), id="too-few"),
        pytest.param([trial(n, n / 100, lr=0.1) for n in range(30)], id="nothing-varied"),
        pytest.param([trial(n, 0.5, lr=n) for n in range(30)], id="all-alike"),
        pytest.param([trial(n, None, "failed", lr=n) for n in range(30)], id="all-failed"),
        pytest.param([], id="none"),
    ],
)
def test_importance_of_trials_that_say_nothing_is_none(some: list[dict[str, Any]]):
    assert importance(some, ACCURACY) is None


def test_ranks_are_shares_that_equal_values_have_in_common():
    assert ranked([5.0, 1.0, 5.0, 9.0]).tolist() == [0.625, 0.25, 0.625, 1.0]


def test_parameters_are_encoded_as_numbers_and_one_column_for_each_category():
    columns, table = encoded(
        [{"lr": 0.1, "opt": "sgd", "same": 1}, {"lr": 0.2, "opt": "adam", "same": 1}, {"opt": "x"}]
    )
    assert columns == {"lr": (0,), "opt": (1, 2, 3), "same": (4,)}
    assert table.shape == (3, 5)
    assert table[:2, 1:4].tolist() == [[0, 1, 0], [1, 0, 0]]
    assert str(table[2, 0]) == "nan"


def test_page_says_that_there_are_too_few_trials_to_tell_what_mattered():
    assert "Too few trials to say: it takes 20" in text_of(*search(finished(), trials(8)))


def test_page_lists_what_mattered_with_how_much_is_explained():
    text = text_of(*search(finished(), searched(80)))
    assert re.search(r"Unshuffled it explains \d\d % of the differences", text)
    assert re.search(r"loss of R² lr \d\.\d\d", text)


def test_page_claims_nothing_when_the_parameters_explain_nothing():
    draw = random.Random(1)
    noise = [trial(number, draw.random(), lr=draw.random()) for number in range(40)]
    assert "Nothing can be said: a random forest explains" in text_of(*search(finished(), noise))


def test_search_of_a_task_without_parameters_says_nothing_of_them():
    text = text_of(*search(finished(best={"trial": 0}), [trial(0, 0.9)]))
    assert "It has no parameters." in text
    assert "Which parameters mattered" not in text


def lines_of(drawing: str | None) -> dict[str, list[int]]:
    found = re.findall(r'class="(line[ \w]*)" d="[^"]+" data-n="([\d ]+)"', drawing or "")
    return {kind: list(map(int, numbers.split())) for kind, numbers in found}


def test_coordinates_draw_the_best_trial_and_the_best_tenth_apart():
    some = [trial(number, number / 100, lr=number) for number in range(40)]
    lines = lines_of(coordinates(some, ACCURACY, []))
    assert lines["line best"] == [39]
    assert lines["line top"] == [38, 37, 36]
    assert len(lines["line"]) == 36


def test_coordinates_follow_the_smallest_when_it_minimizes():
    some = [trial(number, number + 1, lr=number) for number in range(5)]
    assert lines_of(coordinates(some, Ranking("accuracy", maximize=False), []))["line best"] == [0]


def test_coordinates_of_a_thousand_trials_are_thinned_out():
    top, rest = best_and_rest([trial(number, number, lr=number) for number in range(1000)], ACCURACY)
    assert [each["number"] for each in top[:2]] == [999, 998]
    assert len(top) == 40
    assert 90 <= len(rest) <= 120


def test_coordinates_have_the_most_important_parameters_first():
    some = [trial(number, number, **{f"p{index}": number for index in range(14)}) for number in range(3)]
    assert [each.name for each in dimensions_of(some, ["p9", "p3", "gone"])][:3] == ["p9", "p3", "p0"]
    assert len(dimensions_of(some, [])) == 10


@pytest.mark.parametrize(
    ("values", "labels", "is_logarithmic"),
    [
        pytest.param([16, 32, 64], ["16", "32", "64"], False, id="few-integers"),
        pytest.param([1e-4, 2e-4, 5e-4, 0.1], ["0.0001", "0.001", "0.01", "0.1"], True, id="logarithmic"),
        pytest.param([0.0, 0.5, 1.0], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"], False, id="share"),
        pytest.param([True, False, True], ["False", "True"], False, id="truths"),
        pytest.param(["b", "a", None], ["unset", "a", "b"], False, id="unset"),
    ],
)
def test_axis_of_a_parameter_suits_its_values(values: list[Any], labels: list[str], is_logarithmic: bool):
    some = [trial(n, 0.5, **({} if value is None else {"p": value})) for n, value in enumerate(values)]
    (dimension,) = dimensions_of(some, [])
    assert [text for _, text in dimension.labels()] == labels
    assert (dimension.scale is not None and dimension.scale.logarithmic) is is_logarithmic


@pytest.mark.parametrize(
    "some", [[trial(0, 0.9, lr=1)], [trial(0, 0.9), trial(1, 0.8)], []], ids=["one", "same", "none"]
)
def test_coordinates_need_two_trials_and_a_parameter_that_varied(some: list[dict[str, Any]]):
    assert coordinates(some, ACCURACY, []) is None


@given(
    points=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=12),
    up=st.booleans(),
    right=st.booleans(),
)
def test_front_is_what_nothing_beats_in_both_figures(
    points: list[tuple[float, float]], up: bool, right: bool
):
    found = [(number, x, y) for number, (x, y) in enumerate(points)]
    turned = {n: (x if right else -x, y if up else -y) for n, x, y in found}
    beaten = {
        n
        for n, one in turned.items()
        if any(o[0] >= one[0] and o[1] >= one[1] and o != one for o in turned.values())
    }
    kept = front(found, up, right)
    assert {turned[n] for n in kept} == {turned[n] for n in turned if n not in beaten}


def test_tradeoff_needs_two_objectives_and_trials_with_both():
    two = [{"metric": "accuracy", "direction": "maximize"}, {"metric": "latencyMs", "direction": "minimize"}]
    some = [{**each, "metrics": {**each["metrics"], "latencyMs": 1.0 + each["number"]}} for each in trials(6)]
    drawing = tradeoff(finished(objectives=two), some)
    assert drawing is not None
    assert "accuracy by latency p50 (ms) of each trial" in drawing
    assert tradeoff(finished(objectives=two), trials(6)) is None
    assert tradeoff(finished(), some) is None
    assert "Trade-off between objectives" in text_of(*search(finished(objectives=two), some))


STEPS = [("structured-0.5",), ("structured-0.5", "int8"), ("int8",)]


def made(steps: tuple[str, ...], **fields: Any) -> dict[str, Any]:
    return {
        "id": "+".join(steps),
        "steps": steps,
        "metrics": figures(0.9, 1 / len(steps), 0.1, 9000),
        "verdict": "ok",
        **fields,
    }


def test_parent_of_a_candidate_is_the_one_with_all_steps_but_the_last():
    every = [Candidate.model_validate(made(steps)) for steps in STEPS]
    assert [parent_of(each, every) for each in every] == [None, "structured-0.5", None]


def test_ladder_has_each_model_below_the_one_it_was_made_from():
    drawing = ladder(finished(candidates=[made(steps) for steps in STEPS]), trials(20), "accuracy")
    rungs = re.findall(r'rung depth-(\d)[^>]*><strong class="model">([^<]+)<', str(drawing))
    assert rungs == [
        ("0", "baseline"),
        ("1", "fp32, uncompressed"),
        ("2", "structured-0.5"),
        ("3", "structured-0.5+int8"),
        ("2", "int8"),
    ]


def test_ladder_compares_each_model_with_the_one_above():
    drawing = ladder(finished(candidates=[made(steps) for steps in STEPS]), trials(20), "accuracy")
    assert "structured-0.5+int8 size 0.500 MB 2.0× smaller" in text_of(drawing)


def test_ladder_shows_a_candidate_that_could_not_be_made_with_its_reason():
    failed = {"id": "int8", "steps": ("int8",), "verdict": "rejected: no calibration data"}
    assert "int8 size – latency p50 – accuracy – rejected: no calibration data" in text_of(
        ladder(finished(candidates=[failed], final=None), trials(20), "accuracy")
    )


def test_ladder_of_many_candidates_keeps_the_published_one_and_what_it_was_made_from():
    many = [made((f"structured-{n}",)) for n in range(40)] + [made(("structured-39", "int8"), pareto=True)]
    drawing = text_of(
        ladder(finished(candidates=many, final={"id": "structured-39+int8"}), trials(20), "accuracy")
    )
    assert "structured-39 size" in drawing
    assert "structured-39+int8 size" in drawing
    assert "25 more are in the table." in drawing


def test_ladder_without_anything_to_compare_with_is_left_out():
    alone = finished(candidates=[made(("int8",))], baseline=None, uncompressed=None)
    assert ladder(alone, trials(20), "accuracy") is None
