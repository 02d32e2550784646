"""Limits and measured models to verdicts: which bound, which side, which words."""

from typing import Any

import numpy as np
import pytest

from trimtab_api.job import GuardrailLimit, Objective
from trimtab_api.report import GuardrailVerdict
from trimtab_jobs.guard import (
    Candidate,
    Quality,
    Rules,
    check_limits,
    intervals,
    judge,
    known_direction,
    rejection,
)
from trimtab_jobs.guard.bounds import proportion_upper

DROP = GuardrailLimit(metric="accuracy", max_drop=0.02)


def quality(right: int, n: int = 540, **metrics: float) -> Quality:
    """A model that is right on the first `right` of n examples."""
    correct = (np.arange(n) < right).astype(float)
    values = {"accuracy": correct} | {name: np.full(n, value) for name, value in metrics.items()}
    return Quality({"accuracy": right / n, **metrics}, values, n)


def candidate(tested: Quality, **speed: Any) -> Candidate:
    return Candidate("int8", tested, {"": {"sizeMB": 0.6, "latencyMs": 0.04, "throughput": 4e4, **speed}})


def verdict_on(
    limit: GuardrailLimit, tested: Candidate, k: int = 1, **references: Quality
) -> GuardrailVerdict:
    (verdict,) = judge(Rules((limit,)), tested, references, k)
    return verdict


def test_a_drop_within_the_limit_is_met_by_its_bound() -> None:
    verdict = verdict_on(DROP, candidate(quality(532)), k=2, uncompressed=quality(534))
    assert verdict.model_dump(exclude_defaults=True) == {
        "metric": "accuracy",
        "limit": {"maxDrop": 0.02},
        "measured": pytest.approx(2 / 540),
        "upper": pytest.approx(proportion_upper(2, 540, 0.025)),
        "n": 540,
        "met": True,
        "against": "uncompressed",
        "confidence": 0.95,
    }


def test_a_small_measured_drop_with_a_large_bound_is_rejected_in_words() -> None:
    verdict = verdict_on(DROP, candidate(quality(526)), uncompressed=quality(534))
    assert not verdict.met
    assert rejection([verdict]) == (
        "rejected: accuracy drop upper bound 0.02657 > 0.02 (measured 0.01481, n=540)"
    )


def test_too_few_examples_are_named_in_the_rejection() -> None:
    verdict = verdict_on(DROP, candidate(quality(100, n=100)), uncompressed=quality(100, n=100))
    assert rejection([verdict]) == (
        "rejected: accuracy drop upper bound 0.02951 > 0.02 (measured 0, n=100); needs ≥149 test examples "
        "for maxDrop 0.02 at confidence 0.95; there are 100: add examples or raise it to ≥0.0296"
    )


def test_a_drop_counts_from_the_model_that_the_limit_names() -> None:
    limit = GuardrailLimit(metric="accuracy", max_drop=0.02, against="baseline")
    verdict = verdict_on(limit, candidate(quality(530)), uncompressed=quality(540), baseline=quality(530))
    assert (verdict.measured, verdict.against, verdict.met) == (0.0, "baseline", True)


def test_with_more_candidates_to_try_each_is_judged_more_strictly() -> None:
    tested = candidate(quality(529)), quality(534)
    uppers = [verdict_on(DROP, tested[0], k=k, uncompressed=tested[1]).upper or 0 for k in (1, 2, 3)]
    assert uppers == sorted(uppers)
    assert len(set(uppers)) == 3


def test_a_drop_of_a_metric_of_which_less_is_better_is_a_rise_and_is_called_so() -> None:
    rng = np.random.default_rng(0)
    before = rng.exponential(1.0, 2000)
    loss = {
        name: Quality({"loss": v.mean()}, {"loss": v}, 2000)
        for name, v in (("a", before), ("b", before + 0.2))
    }
    limit = GuardrailLimit(metric="loss", max_drop=0.1)
    worse = verdict_on(limit, candidate(loss["b"]), uncompressed=loss["a"])
    better = verdict_on(limit, candidate(loss["a"]), uncompressed=loss["b"])
    assert (worse.measured, worse.met) == (pytest.approx(0.2), False)
    assert (better.measured, better.met) == (pytest.approx(-0.2), True)
    assert (worse.message or "").startswith("loss rise upper bound ")


def test_an_objective_says_which_way_an_unknown_metric_is_better() -> None:
    limit = GuardrailLimit(metric="regret", max_drop=0.1)
    rules = Rules((limit,), (Objective(metric="regret", direction="minimize"),))
    tested, reference = quality(1, regret=3.0), quality(1, regret=2.0)
    (verdict,) = judge(rules, candidate(tested), {"uncompressed": reference}, 1)
    assert verdict.measured == 1.0


def test_values_without_spread_prove_nothing() -> None:
    limit = GuardrailLimit(metric="f1", max_drop=0.1)
    verdict = verdict_on(limit, candidate(quality(1, f1=0.5)), uncompressed=quality(1, f1=0.5))
    assert (verdict.met, verdict.upper) == (False, None)
    assert verdict.message == "f1 drop upper bound unknown > 0.1 (measured 0, n=540)"


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("accuracy", "maximize"),
        ("balancedAccuracy", "maximize"),
        ("valF1", "maximize"),
        ("logloss", "minimize"),
        ("valLoss", "minimize"),
        ("cross_entropy", "minimize"),
        ("mean_absolute_error", "minimize"),
        ("testError", "minimize"),
        ("wer", "minimize"),
        ("inaccuracy", "minimize"),
        ("latencyMs", "minimize"),
        ("throughput", "maximize"),
        ("score", None),
        ("distance", None),
    ],
)
def test_which_way_a_metric_is_better_is_known_by_its_name_or_not_at_all(
    metric: str, direction: str | None
) -> None:
    assert known_direction(metric) == direction


def test_a_minimum_with_confidence_that_too_few_examples_could_ever_prove_is_refused() -> None:
    rules = Rules((GuardrailLimit(metric="accuracy", min=0.9999, confidence=0.95),))
    (problem,) = check_limits(rules, ["accuracy"], ["accuracy"], 540, 1)
    assert problem.startswith(
        "spec.guardrail[0].min: needs ≥29956 test examples for min 0.9999 at confidence 0.95"
    )


def test_a_drop_of_a_metric_that_could_go_either_way_is_refused_by_its_field() -> None:
    rules = Rules((GuardrailLimit(metric="score", max_drop=0.1),))
    assert check_limits(rules, ["score"], [], 540, 1) == (
        "spec.guardrail[0].metric: whether more or less of 'score' is better is not known; "
        "add {metric: score, direction: maximize} (or minimize) to spec.objectives",
    )


@pytest.mark.parametrize(
    ("limit", "measured", "met", "message"),
    [
        pytest.param({"metric": "accuracy", "min": 0.95}, 513 / 540, True, None, id="figure at the minimum"),
        pytest.param(
            {"metric": "accuracy", "min": 0.96},
            0.95,
            False,
            "accuracy 0.95 < 0.96",
            id="figure below the minimum",
        ),
        pytest.param({"metric": "sizeMB", "max": 0.6}, 0.6, True, None, id="size at the maximum"),
        pytest.param({"metric": "sizeMB", "max": 0.5}, 0.6, False, "sizeMB 0.6 > 0.5", id="size too large"),
        pytest.param(
            {"metric": "throughput", "min": 5e4}, 4e4, False, "throughput 4e+04 < 50000", id="too few rows"
        ),
    ],
)
def test_minimum_and_maximum_are_judged_by_the_figure_itself(
    limit: dict[str, Any], measured: float, met: bool, message: str | None
) -> None:
    verdict = verdict_on(GuardrailLimit(**limit), candidate(quality(513)))
    assert (verdict.measured, verdict.met, verdict.message) == (pytest.approx(measured), met, message)
    assert (verdict.upper, verdict.lower, verdict.confidence) == (None, None, None)


def test_a_minimum_with_a_confidence_is_judged_by_its_lower_bound() -> None:
    limit = GuardrailLimit(metric="accuracy", min=0.95, confidence=0.9)
    verdict = verdict_on(limit, candidate(quality(516)), k=2)
    assert verdict.lower == pytest.approx(1 - proportion_upper(24, 540, 0.05))
    assert verdict.message == "accuracy lower bound 0.9381 < 0.95 (measured 0.9556, n=540)"


def test_a_maximum_with_a_confidence_is_judged_by_its_upper_bound() -> None:
    limit = GuardrailLimit(metric="accuracy", max=0.99, confidence=0.95)
    verdict = verdict_on(limit, candidate(quality(513)))
    assert verdict.upper == pytest.approx(proportion_upper(513, 540, 0.05))


@pytest.mark.parametrize(
    ("limit", "met"),
    [
        pytest.param(
            {"metric": "latencyMs", "max": 0.045, "confidence": 0.95}, False, id="latency by its rounds"
        ),
        pytest.param({"metric": "latencyMs", "max": 0.045}, True, id="latency itself"),
        pytest.param(
            {"metric": "latencyMs", "min": 0.039, "confidence": 0.95}, False, id="a floor on latency"
        ),
        pytest.param({"metric": "sizeMB", "max": 0.6, "confidence": 0.95}, True, id="size has no spread"),
    ],
)
def test_efficiency_with_a_confidence(limit: dict[str, Any], met: bool) -> None:
    tested = candidate(quality(513), rounds=[0.03, 0.05, 0.03, 0.05])
    assert verdict_on(GuardrailLimit(**limit), tested).met is met


def test_a_limit_without_a_target_is_decided_by_the_worst_one() -> None:
    speed = {"edge": {"latencyMs": 6.0, "sizeMB": 1.0}, "cloud": {"latencyMs": 1.0, "sizeMB": 1.0}}
    tested = Candidate("int8", quality(513), speed, measured_on={"cloud": "cpu"})
    limits = [GuardrailLimit(metric="latencyMs", max=5, target=target) for target in (None, "edge", "cloud")]
    verdicts = judge(Rules(tuple(limits)), tested, {}, 1)
    assert [(one.met, one.indicative) for one in verdicts] == [(False, False), (False, True), (True, False)]
    assert rejection(verdicts) == "rejected: latencyMs 6 > 5; latencyMs 6 > 5 on edge"


def test_no_limit_missed_is_no_rejection() -> None:
    assert rejection(judge(Rules(()), candidate(quality(1)), {}, 1)) is None


@pytest.mark.parametrize(
    ("limit", "examples", "problems"),
    [
        pytest.param({"metric": "accuracy", "max_drop": 0.02}, 540, (), id="enough"),
        pytest.param({"metric": "accuracy", "max_drop": 0.02}, None, (), id="number of examples not known"),
        pytest.param({"metric": "loss", "max_drop": 0.02}, 10, (), id="not a proportion"),
        pytest.param({"metric": "sizeMB", "max": 2}, 10, (), id="not of the examples"),
        pytest.param({"metric": "accuracy", "min": 0.9}, 10, (), id="no drop"),
        pytest.param(
            {"metric": "accuracy", "max_drop": 0.01},
            114,
            (
                "spec.guardrail[0].maxDrop: needs ≥368 test examples for maxDrop 0.01 at confidence 0.95 "
                "with 2 candidates to try; there are 114: add examples or raise it to ≥0.0319",
            ),
            id="too few",
        ),
        pytest.param(
            {"metric": "accuracy", "max_drop": 0},
            540,
            ("spec.guardrail[0].maxDrop: no number of test examples proves maxDrop 0; allow more than 0",),
            id="zero",
        ),
        pytest.param(
            {"metric": "f1", "min": 0.9},
            540,
            (
                "spec.guardrail[0].metric: the task has no metric 'f1'; it has accuracy, loss, sizeMB, "
                "latencyMs, latencyP95Ms, throughput, memoryMB",
            ),
            id="unknown metric",
        ),
    ],
)
def test_limits_that_cannot_be_met_are_found_before_anything_runs(
    limit: dict[str, Any], examples: int | None, problems: tuple[str, ...]
) -> None:
    rules = Rules((GuardrailLimit(**limit),))
    assert check_limits(rules, ["accuracy", "loss"], ["accuracy"], examples, k=2) == problems


def test_intervals_hold_the_figure_and_leave_out_what_says_nothing() -> None:
    assert intervals(quality(513, score=0.5)) == {
        "accuracy": (
            pytest.approx(1 - proportion_upper(27, 540, 0.025)),
            pytest.approx(proportion_upper(513, 540, 0.025)),
        )
    }
