"""Charts, axes and markup of the page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reports import finished, trials
from trimtab_jobs.report.bars import bars
from trimtab_jobs.report.candidates import candidates
from trimtab_jobs.report.history import Dot, course
from trimtab_jobs.report.markup import Html, element, json_block
from trimtab_jobs.report.scale import axis, powers, ticks
from trimtab_jobs.report.scatter import Point, scatter


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(0, 10, (0, 2, 4, 6, 8, 10), id="whole"),
        pytest.param(0.9, 1.0, (0.9, 0.92, 0.94, 0.96, 0.98, 1.0), id="shares"),
        pytest.param(-3, 3, (-2, 0, 2), id="through-zero"),
        pytest.param(0.011, 0.0123, (0.011, 0.0115, 0.012), id="small"),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high, 5) == expected


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        pytest.param([0.5, 1.5], 0.42, 1.58, id="room-on-both-sides"),
        pytest.param([0.01, 1.0], 0, 1.0792, id="not-below-zero"),
        pytest.param([-1.0, 1.0], -1.16, 1.16, id="negative"),
        pytest.param([5.0, 5.0], 4.5, 5.5, id="all-alike"),
        pytest.param([0.0], 0, 1, id="only-zero"),
    ],
)
def test_axis_has_room_for_all_values(values, low, high):
    made = axis(values, 0, 100)
    assert (made.low, made.high) == (pytest.approx(low), pytest.approx(high))


def test_axis_may_run_downwards():
    made = axis([0.0, 10.0], 300, 0)
    assert made.at(0) > made.at(10)


def test_element_escapes_what_is_not_markup():
    made = element("td", "<b>", Html("<i>x</i>"), None, class_="a", data_value='"1"', hidden=None)
    assert made == '<td class="a" data-value="&quot;1&quot;">&lt;b&gt;<i>x</i></td>'


def test_element_shows_signs_that_turn_text_around():
    assert element("td", "a\u202eb", title="\ud800") == '<td title="\ufffd">a\ufffdb</td>'


def test_element_that_is_void_has_no_end():
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_json_block_cannot_be_ended_from_inside():
    block = json_block("x", {"a": "</script><!--\u2028\u2029"})
    assert block == (
        '<script type="application/json" id="x">{"a":"\\u003c/script>\\u003c!--\\u2028\\u2029"}</script>'
    )


def point(name: str, x: float, y: float, kind: str = "plain") -> Point:
    return Point(name, x, y, None, kind, f"tip of {name}")


def test_scatter_joins_the_front_from_left_to_right():
    chart = scatter(
        [point("b", 2, 2, "front"), point("a", 1, 1, "front"), point("c", 2, 1)], "latencyMs", "accuracy"
    )
    assert chart.count("<polyline") == 1
    assert "tip of c" in chart


def test_scatter_of_one_point_on_the_front_has_no_line():
    assert "<polyline" not in scatter([point("a", 1, 1, "front"), point("b", 2, 1)], "sizeMB", "accuracy")


def test_scatter_shows_bounds_as_a_line():
    assert 'class="whisker"' in scatter([Point("a", 1, 0.9, (0.8, 1.0), "plain", "")], "sizeMB", "accuracy")


def test_scatter_shortens_long_names_and_leaves_out_those_without_room():
    crowd = [point("x" * 40, 1, 1, "final"), *(point(f"name-{index}", 1, 1) for index in range(9))]
    chart = scatter(crowd, "sizeMB", "accuracy")
    assert f"{'x' * 27}…" in chart
    assert chart.count('class="name') < len(crowd)


def test_scatter_of_a_crowd_names_what_stands_out_only():
    crowd = [
        point("best", 25, 5, "front"),
        *(Point(f"p{n}", n, n, (n, n + 1), "plain", "") for n in range(50)),
    ]
    chart = scatter(crowd, "sizeMB", "accuracy")
    assert chart.count('class="name') == 1
    assert "whisker" not in chart


def test_scatter_of_figures_far_apart_is_logarithmic():
    chart = scatter([point("a", 0.01, 1), point("b", 5, 2)], "latencyMs", "accuracy")
    assert "latency p50 (ms), logarithmic" in chart


def test_scatter_has_models_far_worse_than_the_others_at_its_edge():
    good = [point(f"good-{n}", n + 1, 0.98 + n / 1000, "front") for n in range(5)]
    chart = scatter([*good, point("broken", 1, 0.1, "rejected")], "sizeMB", "accuracy")
    assert '<path d="M' in chart
    assert "tip of broken" in chart
    assert ">0.2<" not in chart


def test_course_marks_trials_by_how_they_ended():
    dots = [
        Dot(0, 0.9, "completed"),
        Dot(1, 0.95, "completed"),
        Dot(2, 0.8, "pruned"),
        Dot(3, None, "failed"),
        Dot(4, 0.1, "pruned"),
    ]
    chart = course(dots, "accuracy", maximize=True, baseline=0.9)
    groups = dict(re.findall(r'class="(dots \w+|failed|beyond)" d="[^"]+" data-n="([\d ]+)"', chart))
    assert groups == {"dots completed": "0 1", "dots early": "2", "failed": "3", "beyond": "4"}


def test_course_names_the_baseline():
    dots = [Dot(0, 0.9, "completed"), Dot(1, 0.95, "completed")]
    assert ">baseline</text>" in course(dots, "accuracy", True, baseline=0.9)
    assert "baseline" not in course(dots, "accuracy", True, baseline=None)


def test_course_follows_the_smallest_when_it_minimizes():
    falling = [Dot(0, 3.0, "completed"), Dot(1, 5.0, "completed"), Dot(2, 1.0, "completed")]
    steps = course(falling, "loss", maximize=False, baseline=None)
    assert steps.count("V") == 2  # at trial 2, and the last trial


def test_course_of_trials_that_all_ended_early_has_no_line():
    assert 'd="" class="best-line"' in course([Dot(0, 0.5, "pruned")], "accuracy", True, None)


def test_course_thins_out_what_nobody_could_tell_apart():
    chart = course([Dot(index, index / 1e4, "completed") for index in range(5000)], "accuracy", True, None)
    assert 900 < chart.count("h0") <= 1200


def test_bars_are_as_long_as_their_figures():
    assert [f'width="{width}"' in bars(4, 1) for width in ("100", "25")] == [True, True]
    assert 'width="0"' in bars(0, 0)


@given(values=st.lists(st.floats(-1e200, 1e200), min_size=1, max_size=20))
def test_every_value_lies_on_its_axis(values: list[float]):
    made = axis(values, 10, 110)
    assert all(10 <= made.at(value) <= 110 for value in values)
    assert all(made.text(tick) for tick in made.ticks)


@given(values=st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=20))
def test_every_positive_value_lies_on_a_logarithmic_axis(values: list[float]):
    made = axis(values, 10, 110, logarithmic=True)
    assert all(10 <= made.at(value) <= 110 for value in values)
    assert len(made.ticks) > 0


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        pytest.param(0.03, 0.3, (0.05, 0.1, 0.2), id="one-decade"),
        pytest.param(1, 11, (1, 2, 5, 10), id="ones"),
        pytest.param(1e-5, 1, (1e-5, 1e-4, 1e-3, 0.01, 0.1, 1), id="decades"),
        pytest.param(3, 4, (3, 3.2, 3.4, 3.6, 3.8, 4), id="too-close-for-powers"),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_round(low, high, expected):
    assert powers(low, high, 5) == expected


def figure_of(**fields) -> str:
    return str(candidates(finished(**fields), trials(40)))


def test_candidates_are_shown_by_what_was_optimized():
    by_size = [{"metric": "sizeMB", "direction": "minimize"}, {"metric": "accuracy", "direction": "maximize"}]
    assert "Chart: accuracy by size (MB)" in figure_of(objectives=by_size)
    assert "Chart: accuracy by latency p50 (ms)" in figure_of()


def test_candidates_whose_quality_is_an_error_are_better_further_down():
    metrics = {"mae": 3.0, "latencyMs": 0.2}
    section = figure_of(
        objectives=[{"metric": "mae", "direction": "minimize"}],
        candidates=[{"id": "a", "metrics": metrics}, {"id": "b", "metrics": {**metrics, "latencyMs": 0.1}}],
    )
    assert "Better is to the left and down." in section


def test_candidates_without_an_efficiency_have_a_table_only():
    section = figure_of(candidates=[{"id": "a", "metrics": {"accuracy": 0.9}}])
    assert "<figure" not in section
    assert "<table" in section


def test_candidates_need_two_points_for_a_chart():
    alone = {"candidates": [{"id": "a", "metrics": {"accuracy": 0.9, "latencyMs": 0.1}}]}
    assert "<figure" not in figure_of(**alone, baseline=None, uncompressed=None, final=None)


def test_baseline_and_uncompressed_are_shown_with_their_quality_on_validation():
    section = figure_of()
    assert "<title>baseline: accuracy 0.900, latency p50 0.332 ms</title>" in section
    assert "<title>fp32: accuracy 0.900, latency p50 0.291 ms</title>" in section


def test_baseline_keeps_the_speed_of_its_onnx_model_where_the_search_measured_its_trials():
    slow = [{**trial, "metrics": {**trial["metrics"], "latencyMs": 9.0}} for trial in trials(40)]
    assert "<title>baseline: accuracy 0.900, latency p50 0.332 ms</title>" in str(
        candidates(finished(), slow)
    )


def test_candidate_that_was_published_is_set_off():
    section = figure_of()
    assert '<tr class="chosen"><th scope="row" class="name">int8<small>on the front</small></th>' in section
    assert '<td class="wide good">published</td>' in section


@pytest.mark.parametrize(
    ("verdict", "shown"),
    [
        pytest.param("ok; slower than fp32", "published; slower than fp32", id="with-a-remark"),
        pytest.param("", "published", id="without-a-verdict"),
    ],
)
def test_candidate_that_was_published_keeps_what_its_verdict_says(verdict, shown):
    section = figure_of(candidates=[{"id": "int8", "verdict": verdict}])
    assert f'<td class="wide good">{shown}</td>' in section


def test_baseline_whose_worker_was_lost_is_the_trial_that_took_its_place():
    first, second, third = trials(3)
    lost = {**first, "state": "lost", "metrics": {}}
    again = {**third, "params": first["params"], "metrics": {"accuracy": 0.77}}
    section = str(candidates(finished(), [lost, second, again]))
    assert "<title>baseline: accuracy 0.770, latency p50 0.332 ms</title>" in section


def test_candidate_that_was_rejected_is_marked():
    rejected = [{"id": "a", "metrics": {"accuracy": 0.9, "latencyMs": 0.1}, "verdict": "rejected: too bad"}]
    section = figure_of(candidates=rejected, final=None)
    assert '<td class="wide bad">rejected: too bad</td>' in section
    assert 'class="mark rejected"' in section
