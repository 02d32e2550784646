"""Numbers of a report as people read them."""

# ruff: noqa: RUF001  typographic signs are what is tested

from typing import Any

import pytest

from tests.support.reports import ended, finished, report
from trimtab_api.metrics import EFFICIENCY
from trimtab_api.report import GuardrailVerdict
from trimtab_jobs.report import figures
from trimtab_jobs.report.figures import Row
from trimtab_jobs.report.outcome import ExitCode, Outcome, outcome


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0, "0", id="zero"),
        pytest.param(0.04118, "0.0412", id="small"),
        pytest.param(0.332, "0.332", id="below-one"),
        pytest.param(0.9999, "1.00", id="rounds-up-to-one"),
        pytest.param(5.1, "5.10", id="ones"),
        pytest.param(9.996, "10.0", id="rounds-up-to-ten"),
        pytest.param(71.31, "71.3", id="tens"),
        pytest.param(8424.4, "8,424", id="thousands"),
        pytest.param(-12.34, "−12.3", id="negative"),
        pytest.param(0.00001234, "1.23e−05", id="tiny"),
        pytest.param(2.5e9, "2.50e+09", id="huge"),
    ],
)
def test_number_has_three_significant_digits(value, text):
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.98333, "0.983", id="share"),
        pytest.param(0, "0.000", id="zero"),
        pytest.param(0.00042, "0.000420", id="too-small-for-three-decimals"),
        pytest.param(-0.25, "−0.250", id="negative"),
        pytest.param(1234.5, "1,234", id="large-error"),
    ],
)
def test_score_has_three_decimals_where_they_say_something(value, text):
    assert figures.score(value) == text


@pytest.mark.parametrize(
    ("metric", "times", "text"),
    [
        pytest.param("sizeMB", 3.94, "3.9× smaller", id="smaller"),
        pytest.param("sizeMB", 0.5, "2.0× larger", id="larger"),
        pytest.param("latencyMs", 1.24, "1.24× faster", id="a-little"),
        pytest.param("latencyMs", 0.99999, "as before", id="same"),
        pytest.param("throughput", 128.4, "128× more", id="hundredfold"),
        pytest.param("latencyP95Ms", 0.85, "as before", id="noise-of-a-tail"),
        pytest.param("latencyP95Ms", 0.5, "2.0× slower", id="a-tail-that-did-move"),
    ],
)
def test_ratio_is_said_in_words(metric, times, text):
    assert figures.ratio(metric, times) == text


@pytest.mark.parametrize(
    ("metric", "before", "after", "text"),
    [
        pytest.param("accuracy", 0.96, 0.983, "+0.023", id="quality-up"),
        pytest.param("accuracy", 0.985, 0.983, "−0.002", id="quality-down"),
        pytest.param("accuracy", 0.985, 0.985, "0.000", id="quality-same"),
        pytest.param("accuracy", None, 0.985, "–", id="unknown-before"),
        pytest.param("latencyMs", 0.3, 0.1, "3.0× faster", id="efficiency"),
        pytest.param("throughput", 1000, 3000, "3.0× more", id="more-is-better"),
        pytest.param("memoryMB", 0, 12, "–", id="no-ratio-to-zero"),
    ],
)
def test_change_is_a_ratio_of_efficiency_and_a_difference_of_quality(metric, before, after, text):
    assert figures.change(metric, before, after) == text


def test_rows_hold_before_and_after_quality_first():
    size, accuracy = figures.rows(finished())[1], figures.rows(finished())[0]
    assert accuracy == Row(
        "accuracy", "accuracy", "0.961", "0.985", "0.983", "0.968 to 0.992", "+0.022", "−0.002"
    )
    assert size == Row("sizeMB", "size (MB)", "5.10", "4.21", "1.08", "", "4.7× smaller", "3.9× smaller")


def test_rows_take_the_ratio_that_the_report_states():
    stated = finished(savings={"baseline": {"size": 4.0}})
    assert figures.rows(stated)[1].against_baseline == "4.0× smaller"


def test_rows_of_a_run_without_a_model_leave_its_column_empty():
    row = figures.rows(finished(final=None))[0]
    assert (row.final, row.against_baseline, row.interval) == ("–", "–", "")


def test_rows_are_none_before_anything_is_measured():
    assert figures.rows(report()) == ()


def verdict(**fields: Any) -> GuardrailVerdict:
    return GuardrailVerdict.model_validate({"metric": "accuracy", "limit": {}, "met": True, **fields})


@pytest.mark.parametrize(
    ("one", "limit", "finding"),
    [
        pytest.param(
            verdict(
                limit={"maxDrop": 0.02},
                against="uncompressed",
                measured=0.0019,
                upper=0.0082,
                confidence=0.95,
                n=1540,
            ),
            "accuracy: at most 0.020 worse than uncompressed",
            "0.002 worse, at most 0.008 worse with 95 % confidence, on 1,540 test rows",
            id="max-drop",
        ),
        pytest.param(
            verdict(metric="mae", limit={"maxDrop": 0.5}, against="baseline", measured=-0.25, upper=-0.1),
            "mae: at most 0.500 worse than baseline",
            "0.250 better, at least 0.100 better",
            id="max-drop-of-what-got-better",
        ),
        pytest.param(
            verdict(limit={"maxDrop": 0.02}, measured=0.0, upper=0.0041, n=1000),
            "accuracy: at most 0.020 worse than uncompressed",
            "no worse, at most 0.004 worse, on 1,000 test rows",
            id="max-drop-of-nothing",
        ),
        pytest.param(
            verdict(metric="mae", limit={"max": 3}, measured=2.5, upper=2.75, confidence=0.9),
            "mae: at most 3.000",
            "measured 2.500, at most 2.750 with 90 % confidence",
            id="max-by-its-bound",
        ),
        pytest.param(
            verdict(limit={"min": 0.9}, measured=0.93, lower=0.91, slice="class=7"),
            "accuracy where class=7: at least 0.900",
            "measured 0.930, at least 0.910",
            id="min-of-a-slice",
        ),
        pytest.param(
            verdict(metric="latencyMs", limit={"max": 5}, measured=0.1187, target="edge", indicative=True),
            "latency p50 on edge: at most 5.00 ms",
            "measured 0.119 ms, indicative: not measured on its target",
            id="max-on-a-target",
        ),
        pytest.param(verdict(message="no test rows"), "accuracy: at most –", "no test rows", id="message"),
        pytest.param(verdict(), "accuracy: at most –", "not measured", id="nothing-known"),
    ],
)
def test_guardrail_verdict_in_words(one, limit, finding):
    assert (figures.limit(one), figures.finding(one)) == (limit, finding)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.2, "0 s", id="none"),
        pytest.param(59.4, "59 s", id="seconds"),
        pytest.param(200, "3m 20s", id="minutes"),
        pytest.param(7500, "2h 05m", id="hours"),
    ],
)
def test_duration_in_words(seconds, text):
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.00042, "0.00042", id="float"),
        pytest.param(True, "True", id="truth"),
        pytest.param("a  b\n c", "a b c", id="lines"),
        pytest.param("x" * 9999, "x" * 59 + "…", id="long"),
    ],
)
def test_value_of_a_parameter_is_one_short_line(value, text):
    assert figures.value_text(value) == text


@pytest.mark.parametrize(("part", "text"), [(0.424, "42 %"), (0.001, "<1 %"), (0.0, "0 %"), (1.0, "100 %")])
def test_share_in_percent(part, text):
    assert figures.share(part) == text


def test_parameters_on_one_line():
    assert (
        figures.parameters({"lr": 0.0031234, "width": 48, "opt": "sgd"}) == "lr 0.003123, width 48, opt sgd"
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(
            finished(),
            Outcome(ExitCode.DONE, "good", "Guardrail met, int8 published", "told by the condition"),
            id="done",
        ),
        pytest.param(
            finished(guardrail=[], message="from the driver"),
            Outcome(ExitCode.DONE, "good", "int8 published", "from the driver"),
            id="done-without-limits",
        ),
        pytest.param(
            ended("True", "BudgetReached", "Succeeded"),
            Outcome(
                ExitCode.BUDGET_REACHED,
                "warning",
                "Budget reached, best parameters found",
                "told by the condition",
            ),
            id="budget-reached",
        ),
        pytest.param(
            ended("False", "GuardrailNotMet", "Failed"),
            Outcome(
                ExitCode.GUARDRAIL_NOT_MET,
                "bad",
                "Guardrail not met, nothing published",
                "told by the condition",
            ),
            id="guardrail-not-met",
        ),
        pytest.param(
            ended("False", "Code", "Failed", stage="search"),
            Outcome(ExitCode.FAILED, "bad", "Failed in search", "told by the condition"),
            id="failed",
        ),
        pytest.param(
            report(phase="Searching", stage="search"),
            Outcome(ExitCode.INTERRUPTED, "neutral", "Not finished in search", ""),
            id="not-finished",
        ),
        pytest.param(
            ended("False", "Interrupted", "Failed"),
            Outcome(ExitCode.INTERRUPTED, "neutral", "Not finished", "told by the condition"),
            id="interrupted",
        ),
    ],
)
def test_outcome_of_a_run(one, expected):
    assert outcome(one) == expected


def test_every_built_in_metric_has_words():
    assert list(figures.EFFICIENCY) == list(EFFICIENCY)
