"""The guardrail's statistics: known values, and how often a model with exactly the allowed drop passes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from trimtab_jobs.guard.bounds import (
    drop_score,
    drop_upper,
    is_binary,
    mean_upper,
    needed_examples,
    paired_drop_upper,
    unseen_share,
    value_lower,
    value_upper,
)


def accepted_losses(n: int, limit: float, level: float) -> list[int]:
    """By number of gains, the most losses that are accepted (-1: none), both below a third of n."""
    most, losses = [], -1
    for gains in range(n // 3):
        while losses < n // 3 and paired_drop_upper(losses + 1, gains, n, level) <= limit:
            losses += 1
        most.append(losses)
    return most


def acceptance(n: int, limit: float, level: float, p_loss: float, p_gain: float) -> float:
    """The probability of acceptance: all outcomes added up."""
    most = np.array(accepted_losses(n, limit, level))
    gains = np.arange(len(most))
    given_gains = binom.cdf(most, n - gains, p_loss / (1 - p_gain))
    return float((binom.pmf(gains, n, p_gain) * given_gains).sum())


@pytest.mark.parametrize("n", [100, 500])
@pytest.mark.parametrize("limit", [0.005, 0.01, 0.02, 0.05])
@pytest.mark.parametrize("level", [0.1, 0.05, 0.05 / 3], ids=["90%", "95%", "95%/3"])
def test_a_true_drop_at_the_limit_is_accepted_no_more_often_than_the_level(
    n: int, limit: float, level: float
) -> None:
    gains = [0.0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.03, 0.06]
    rates = [acceptance(n, limit, level, gain + limit, gain) for gain in gains]
    assert max(rates) <= level + 1e-9


@pytest.mark.parametrize("k", [1, 3])
def test_a_harmless_model_with_some_flips_is_accepted(k: int) -> None:
    assert acceptance(500, 0.02, 0.05 / k, p_loss=0.005, p_gain=0.005) > 0.8


@pytest.mark.parametrize(
    ("n", "k", "most_losses"),
    [
        pytest.param(540, 1, 1, id="540 examples, one candidate: one loss"),
        pytest.param(540, 3, 0, id="540 examples, three candidates: none"),
        pytest.param(114, 1, -1, id="114 examples: never"),
    ],
)
def test_losses_that_a_limit_of_one_percent_lets_pass(n: int, k: int, most_losses: int) -> None:
    accepted = [losses for losses in range(10) if paired_drop_upper(losses, 0, n, 0.05 / k) <= 0.01]
    assert max(accepted, default=-1) == most_losses


@pytest.mark.parametrize("gains", [0, 1, 20, 100])
def test_too_few_examples_are_never_enough_whatever_the_gains(gains: int) -> None:
    assert paired_drop_upper(0, gains, 114, 0.05) > 0.01


@pytest.mark.parametrize(
    ("max_drop", "confidence", "k", "expected"),
    [
        (0.01, 0.95, 1, 299),
        (0.01, 0.95, 3, 408),
        (0.02, 0.95, 2, 183),
        (0.5, 0.5, 1, 1),
        (1.0, 0.95, 1, 1),
        (0.0, 0.95, 1, None),
    ],
)
def test_needed_examples(max_drop: float, confidence: float, k: int, expected: int | None) -> None:
    assert needed_examples(max_drop, confidence, k) == expected


@given(max_drop=st.floats(1e-4, 0.9), confidence=st.floats(0.5, 0.999), k=st.integers(1, 3))
def test_needed_examples_is_the_smallest_number_that_zero_losses_can_pass(
    max_drop: float, confidence: float, k: int
) -> None:
    needed = needed_examples(max_drop, confidence, k)
    assert needed is not None
    level = (1 - confidence) / k
    assert unseen_share(needed, level) <= max_drop
    assert needed == 1 or unseen_share(needed - 1, level) > max_drop * (1 - 1e-9)


@given(st.data())
def test_more_losses_raise_the_bound_and_more_gains_never_do(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 2000))
    losses = data.draw(st.integers(0, n - 2))
    gains = data.draw(st.integers(0, n - 2 - losses))
    level = data.draw(st.sampled_from([0.1, 0.05, 0.025, 0.05 / 3, 0.01]))
    bound = paired_drop_upper(losses, gains, n, level)
    assert bound >= max((losses - gains) / n, unseen_share(n, level) - 1e-12)
    assert paired_drop_upper(losses + 1, gains, n, level) >= bound - 1e-9
    assert paired_drop_upper(losses, gains + 1, n, level) <= bound + 1e-9


def test_score_bound_lies_where_the_score_is_critical() -> None:
    bound = paired_drop_upper(8, 3, 500, 0.05)
    assert drop_score(8, 3, 500, bound) == pytest.approx(-1.6449, abs=1e-3)


def test_every_example_lost_bounds_nothing_away() -> None:
    assert paired_drop_upper(50, 0, 50, 0.05) == 1.0


def test_exact_bounds_of_a_proportion_against_published_values() -> None:
    # Clopper-Pearson, 10 of 100, two-sided 95 %: 0.0490 to 0.1762
    hits = np.array([1.0] * 10 + [0.0] * 90)
    assert (value_lower(hits, 0.025), value_upper(hits, 0.025)) == pytest.approx((0.0490, 0.1762), abs=5e-5)
    assert (value_lower(np.zeros(20), 0.05), value_upper(np.ones(20), 0.05)) == (0.0, 1.0)


def test_values_of_zero_and_one_are_judged_by_their_counts() -> None:
    reference = np.array([1.0] * 95 + [0.0] * 5)
    candidate = np.array([0.0] * 2 + [1.0] * 94 + [0.0] * 4)
    assert drop_upper(reference, candidate, 0.05) == paired_drop_upper(2, 1, 100, 0.05)


def test_other_values_without_any_difference_keep_the_floor() -> None:
    values = np.linspace(-1, 3, 100)
    assert drop_upper(values, values, 0.05) == pytest.approx(4 * unseen_share(100, 0.05))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.array([0.4]), id="one value"),
        pytest.param(np.full(100, 0.4), id="constant"),
        pytest.param(np.array([0.1, np.nan, 0.2]), id="not a number"),
    ],
)
def test_values_that_say_nothing_are_never_accepted(values: np.ndarray) -> None:
    assert drop_upper(values, values, 0.05) == math.inf


def test_values_that_are_not_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="not pairs"):
        drop_upper(np.zeros(3), np.zeros(4), 0.05)


@pytest.mark.parametrize("n", [100, 500])
@pytest.mark.parametrize("limit", [0.01, 0.05, 0.2])
def test_rare_large_harms_among_real_values_are_not_accepted_too_often(n: int, limit: float) -> None:
    # values 0 and 2: no proportions; a harm costs 1 and strikes a share `limit`, which is the mean drop
    reference = np.array([0.0, 2.0] * (n // 2))
    struck = [hits for hits in range(n + 1) if drop_upper(reference, _hit(reference, hits), 0.05) <= limit]
    assert binom.pmf(struck, n, limit).sum() <= 0.055


def _hit(reference: np.ndarray, hits: int) -> np.ndarray:
    return reference - (np.arange(len(reference)) < hits)


def test_a_clear_improvement_of_real_values_is_accepted() -> None:
    reference = np.random.default_rng(0).normal(0.0, 1.0, 2000)
    assert drop_upper(reference, reference + 0.05, 0.05) <= 0.02


def test_mean_bound_covers_a_skewed_mean_where_students_would_not() -> None:
    values = np.array([0.0] * 99 + [1.0])
    student = values.mean() + 1.6604 * values.std(ddof=1) / 10
    assert mean_upper(values, 0.05) > student


def test_bounds_of_a_mean_lie_around_it_and_leave_room_for_the_unseen() -> None:
    values = np.array([5.0] * 299 + [9.0])
    lower, upper = value_lower(values, 0.05), value_upper(values, 0.05)
    assert lower == pytest.approx(values.mean() - 4 * unseen_share(300, 0.05))
    assert upper > values.mean() + 4 * unseen_share(300, 0.05)


def test_rounding_does_not_hide_a_proportion() -> None:
    assert is_binary(np.array([0.0, 1.0 + 1e-12, -1e-13]))
    assert not is_binary(np.array([0.0, 0.5]))
