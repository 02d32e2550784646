"""A run in progress in words."""

import pytest

from tests.support.reports import SEARCH, finished, plan, report
from trimtab_cli import progress
from trimtab_cli.progress import Step

SPEC = {"search": SEARCH, "compress": {"quantize": ["int8"]}}


@pytest.mark.parametrize(
    ("spec", "phase", "reached", "expected"),
    [
        pytest.param(
            SPEC,
            "Compressing",
            "Compressing",
            (Step("start", "done"), Step("search", "done"), Step("compress", "now"), Step("verify", "todo")),
            id="at-work",
        ),
        pytest.param(
            {},
            "Pending",
            "",
            (Step("start", "now"), Step("train", "todo"), Step("export", "todo"), Step("verify", "todo")),
            id="not-begun-without-search-or-compress",
        ),
        pytest.param(
            SPEC,
            "Failed",
            "Searching",
            (
                Step("start", "done"),
                Step("search", "failed"),
                Step("compress", "todo"),
                Step("verify", "todo"),
            ),
            id="failed",
        ),
        pytest.param(
            SPEC,
            "Succeeded",
            "Verifying",
            (Step("start", "done"), Step("search", "done"), Step("compress", "done"), Step("verify", "done")),
            id="succeeded",
        ),
    ],
)
def test_steps_of_a_run(spec, phase, reached, expected):
    assert progress.steps(plan(**spec), phase, reached) == expected


def test_last_active_phase_outlives_the_end():
    assert [progress.reached("Searching", phase) for phase in ("Failed", "Verifying")] == [
        "Searching",
        "Verifying",
    ]


def test_trials_that_ended_and_how_the_others_stand():
    one = report(trials={"total": 9, "completed": 3, "running": 2, "pruned": 2, "failed": 1, "retried": 1})
    assert progress.ended_trials(one) == 6
    assert progress.trial_counts(one) == "2 running, 2 ended early, 1 failed, 1 run again"


@pytest.mark.parametrize(
    ("one", "text"),
    [
        pytest.param(report(), "", id="none-yet"),
        pytest.param(
            finished(baseline=None, objectives=[]),
            "trial 17, accuracy 0.985",
            id="first-metric-without-objectives",
        ),
        pytest.param(
            finished(final=None, guardrail=[]),
            "trial 17, accuracy 0.985 (baseline 0.961, +0.024)",
            id="against-the-baseline",
        ),
        pytest.param(finished(), "trial 17, accuracy 0.985", id="baseline-on-the-test-split"),
        pytest.param(finished(final=None), "trial 17, accuracy 0.985", id="no-limit-held-on-the-test-split"),
        pytest.param(finished(best={"trial": 3}), "trial 3", id="without-the-metric"),
        pytest.param(report(best={"trial": 3}), "trial 3", id="without-any-metric"),
    ],
)
def test_best_trial(one, text):
    assert progress.best(one) == text


def test_ranking_metric_is_unknown_before_anything():
    assert progress.ranking_metric(report()) == ""


def test_candidate_on_one_line():
    assert [progress.candidate(one) for one in finished().candidates] == [
        "fp16: accuracy 0.985, size 2.11 MB, latency p50 0.318 ms: slower than its parent",
        "int8: accuracy 0.983, size 1.08 MB, latency p50 0.119 ms: ok",
    ]
