"""How long a search still takes, told from the pieces that came back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import unhurried
from tests.support.memory_store import MemoryStore
from tests.support.search import AnsweringPool, MemoryRecord, accuracy_of, request_of
from trimtab_jobs.pool import Done, Work
from trimtab_jobs.search import SearchState, search
from trimtab_jobs.search.pace import Pace, expected_on
from trimtab_jobs.search.trial import Trial

RUNGS = (1, 3, 9)


def trial(index: int, **fields) -> Trial:
    return Trial(index, index, {}, 7, **fields)


@pytest.mark.parametrize(
    ("rungs", "reduction", "trials", "expected"),
    [
        pytest.param(3, 3, 27, (27, 9, 3), id="a third goes on"),
        pytest.param(3, 3, 6, (6, 2, 1), id="one to the top"),
        pytest.param(3, 3, 0, (0, 0, 0), id="only the baseline"),
        pytest.param(1, 1, 12, (12,), id="no pruner"),
    ],
)
def test_trials_that_train_up_to_each_rung(rungs: int, reduction: int, trials: int, expected) -> None:
    assert expected_on(rungs, reduction, trials) == expected


def test_nothing_is_told_of_the_first_results_of_each_worker() -> None:
    pace = Pace(RUNGS, 3, [])
    for index in range(4):
        assert pace.seconds_left(10, workers=2) is None
        pace.done(trial(index), 2 if index == 0 else 0, worker=index % 2, seconds=50.0 if index < 2 else 1.0)
    assert pace.seconds_left(10, workers=2) == pytest.approx((9 - 3) / 2 + (3 * 2 + 1 * 6) / 2)


def test_pieces_of_a_rung_are_taken_to_last_as_long_as_others_of_it() -> None:
    pace = Pace(RUNGS, 3, [trial(0, state="completed", epoch=9)])
    for index in range(1, 4):
        pace.done(trial(index), 0, worker=0, seconds=2.0)
    pace.done(trial(1), 1, worker=0, seconds=3.0)
    epoch = (2 * 2.0 + 3.0) / 4
    assert pace.seconds_left(10, workers=1) == pytest.approx(6 * 2.0 + 2 * 3.0 + 1 * 6 * epoch)


def test_what_was_recorded_before_is_not_done_again() -> None:
    recorded = [trial(0, state="completed", epoch=9), trial(1, state="completed", epoch=9)]
    recorded += [trial(index, state="paused", epoch=1) for index in range(2, 10)]
    pace = Pace(RUNGS, 3, [*recorded, trial(10, state="lost"), trial(11, state="duplicate")])
    assert [pace.seconds_left(10, workers=1), pace._done] == [None, [9, 1, 1]]


def test_pieces_that_were_lost_or_failed_are_under_way_no_more() -> None:
    pace = Pace((1,), 1, [trial(0, state="completed", epoch=1)])
    for index in range(1, 4):
        pace.done(trial(index), 0, worker=0, seconds=2.0)
    pace.sent(trial(4), 0)
    assert pace.seconds_left(4, workers=1) == 2
    pace.landed(trial(4), 0)
    assert pace.seconds_left(4, workers=1) == 0


class TimedPool(AnsweringPool):
    """Its pieces take a second for each epoch, and one more."""

    seconds = 0.0

    def _done(self, work: Work) -> Done:
        resumed = (
            int(work.payload["resume"].rsplit("/", 1)[1].removesuffix(".pt")) if work.payload["resume"] else 0
        )
        taken = 1.0 + work.payload["last_epoch"] - resumed
        self.seconds += taken
        return replace(super()._done(work), seconds=taken)


@unhurried
@given(st.integers(4, 60), st.integers(2, 4))
def test_estimates_are_within_a_factor_of_two_from_the_first_on(trials: int, reduction: int) -> None:
    pool = TimedPool(accuracy_of, MemoryStore(), capacity=1)
    told: list[tuple[float, float]] = []
    request = request_of(trials=trials, pruner={"asha": {"minEpochs": 1, "reduction": reduction}})

    def tell(state: SearchState) -> None:
        if state.seconds_left is not None:
            told.append((pool.seconds, state.seconds_left))

    search(request, pool, MemoryRecord(), pool.store, tell)

    assert told[-1] == (pool.seconds, 0)
    assert all(pool.seconds / 2 <= spent + left <= pool.seconds * 2 for spent, left in told)
