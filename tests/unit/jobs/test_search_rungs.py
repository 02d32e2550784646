"""ASHA: rungs, and who is promoted, for any order in which results arrive."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab_api.job import Asha, NoOptions, Pruner
from trimtab_jobs.search.rungs import RungTable, reduction_of, rungs_of

ASHA = Pruner(asha=Asha(min_epochs=1, reduction=3))
NONE = Pruner(none=NoOptions())
values = st.lists(st.floats(0, 1), max_size=40)


@pytest.mark.parametrize(
    ("pruner", "epochs", "rungs"),
    [
        pytest.param(ASHA, 27, (1, 3, 9, 27), id="a power"),
        pytest.param(ASHA, 10, (1, 3, 9, 10), id="the whole training tops it"),
        pytest.param(ASHA, 1, (1,), id="one epoch leaves nothing to prune"),
        pytest.param(Pruner(asha=Asha(min_epochs=4, reduction=2)), 10, (4, 8, 10), id="minEpochs"),
        pytest.param(NONE, 27, (27,), id="no pruner"),
    ],
)
def test_rungs(pruner: Pruner, epochs: int, rungs: tuple[int, ...]) -> None:
    assert rungs_of(pruner, epochs) == rungs


def test_reduction_is_the_manifests() -> None:
    assert (reduction_of(ASHA), reduction_of(NONE)) == (3, 1)


def table_of(recorded: list[float], maximize: bool = True) -> RungTable:
    table = RungTable(rungs=3, reduction=3, maximize=maximize)
    for trial, value in enumerate(recorded):
        table.record(trial, 0, value)
    return table


@pytest.mark.parametrize(
    ("recorded", "maximize", "promoted"),
    [
        pytest.param([0.1, 0.9], True, None, id="fewer than the reduction: nobody"),
        pytest.param([0.1, 0.9, 0.5], True, (1, 1), id="the best of three"),
        pytest.param([0.1, 0.9, 0.5], False, (0, 1), id="the smallest when minimizing"),
        pytest.param([0.5, 0.5, 0.5], True, (0, 1), id="the oldest of equals"),
    ],
)
def test_best_third_is_promotable(
    recorded: list[float], maximize: bool, promoted: tuple[int, int] | None
) -> None:
    assert table_of(recorded, maximize).promotable() == promoted


def test_higher_rung_is_promoted_first() -> None:
    table = table_of([0.9, 0.8, 0.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    for trial in (0, 1, 2):
        table.promote(trial, 1)
        table.record(trial, 1, 0.5 + trial / 10)
    table.record(9, 0, 1.0)

    assert table.promotable() == (2, 2)


def test_retired_trial_ranks_but_is_never_promoted() -> None:
    table = table_of([0.1, 0.9, 0.5])
    table.retire(1)

    assert table.promotable() is None
    assert table.leader() == (2, 1)


def test_leader_is_the_best_of_the_highest_rung_where_one_waits() -> None:
    table = table_of([0.1, 0.9])
    table.promote(0, 1)
    table.record(0, 1, 0.2)

    assert table.leader() == (0, 2)
    assert RungTable(rungs=1, reduction=1, maximize=True).leader() is None


def promotions(table: RungTable) -> list[tuple[int, int]]:
    """Everyone who is promoted if no further result arrives."""
    found = []
    while promotion := table.promotable():
        table.promote(*promotion)
        found.append(promotion)
    return found


@given(values)
def test_promoted_are_the_best_third_and_none_of_them_twice(recorded: list[float]) -> None:
    found = promotions(table_of(recorded))

    best = sorted(recorded, reverse=True)[: len(recorded) // 3]
    assert sorted((recorded[trial] for trial, _ in found), reverse=True) == best
    assert len(set(found)) == len(found)


@given(values, st.randoms())
def test_promotable_depends_on_what_is_recorded_and_not_on_its_order(
    recorded: list[float], order: Random
) -> None:
    straight, shuffled = table_of(recorded), RungTable(rungs=3, reduction=3, maximize=True)
    for trial, value in order.sample(list(enumerate(recorded)), len(recorded)):
        shuffled.record(trial, 0, value)

    assert promotions(shuffled) == promotions(straight)


@given(values)
def test_trial_is_in_the_best_third_of_its_rung_when_it_is_promoted(recorded: list[float]) -> None:
    table = RungTable(rungs=2, reduction=3, maximize=True)
    for trial, value in enumerate(recorded):
        table.record(trial, 0, value)
        for promoted, _ in promotions(table):
            better = sum(other > recorded[promoted] for other in recorded[: trial + 1])
            assert better < (trial + 1) // 3
