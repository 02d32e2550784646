"""The draw of splits: disjoint and complete by construction, whole groups together, classes alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import unhurried
from trimtab_jobs.tasks.drawing import counts_of, draw_groups, draw_rows

shares = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)
strata = st.lists(st.integers(0, 4), min_size=1, max_size=200).map(np.array)
seeds = st.integers(0, 2**31 - 1)


@unhurried
@given(strata, shares, seeds)
def test_every_row_is_in_one_split_and_every_class_is_shared_out_within_one_row(
    strata: np.ndarray, shares: tuple[float, ...], seed: int
) -> None:
    places = draw_rows(strata, shares, seed)
    assert set(places) <= {0, 1, 2}
    for stratum in np.unique(strata):
        counts = np.bincount(places[strata == stratum], minlength=3)
        assert counts.sum() == np.sum(strata == stratum)
        assert np.all(np.abs(counts - counts.sum() * np.array(shares)) < 1)


@unhurried
@given(strata, st.lists(st.integers(0, 20), min_size=200, max_size=200), shares, seeds)
def test_the_rows_of_a_group_are_in_one_split(
    strata: np.ndarray, groups: list[int], shares: tuple[float, ...], seed: int
) -> None:
    numbers = np.array(groups[: len(strata)]) * 7
    places = draw_groups(numbers, strata, shares, seed)
    distinct = np.unique(numbers)
    assert all(len(set(places[numbers == group])) == 1 for group in distinct)
    assert len(distinct) < 3 or set(places) == {0, 1, 2}


def test_small_groups_are_shared_out_as_rows_would_be() -> None:
    groups = np.repeat(np.arange(200), 3)
    strata = np.arange(600) % 2
    counts = np.bincount(draw_groups(groups, strata, (0.6, 0.2, 0.2), 0))
    assert np.abs(counts - [360, 120, 120]).max() <= 3


def test_another_seed_is_another_draw_and_the_same_seed_the_same() -> None:
    first, again, other = (draw_rows(np.zeros(50), (0.6, 0.2, 0.2), seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(10, [6, 2, 2]), (3, [2, 1, 0]), (1, [1, 0, 0]), (0, [0, 0, 0])],
)
def test_what_is_left_goes_to_the_largest_remainder(rows: int, expected: list[int]) -> None:
    assert counts_of(rows, (0.6, 0.2, 0.2)).tolist() == expected
