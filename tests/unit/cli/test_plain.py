"""Progress as plain lines."""

import pytest

from tests.support.reports import finished, plan, report
from trimtab_cli import plain
from trimtab_cli.plain import PlainScreen, changes


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines():
    return []


@pytest.fixture
def screen(lines, clock):
    with PlainScreen(plan(), "out", echo=lines.append, clock=clock) as opened:
        yield opened


def searching(completed, **fields):
    return report(phase="Searching", stage="search", trials={"total": 9, "completed": completed}, **fields)


def test_header_says_what_runs_and_where_it_is_kept(screen, lines):
    assert lines == ["digits: output in out"]


def test_trials_are_counted_at_most_every_five_seconds(screen, lines, clock):
    for completed, clock.now in enumerate((0, 1, 4.9, 5, 6)):
        screen.show(searching(completed))
    assert lines[1:] == ["Searching", "trials 0/9", "trials 3/9"]


def test_trials_are_counted_once_more_when_the_phase_ends(screen, lines):
    for completed in (1, 8, 9):
        screen.show(searching(completed))
    screen.show(report(phase="Compressing", stage="int8", trials={"total": 9, "completed": 9}))
    assert lines[1:] == ["Searching", "trials 1/9", "trials 9/9", "Compressing: int8"]


def test_trials_that_have_not_changed_are_not_counted_again(screen, lines, clock):
    for clock.now, left in ((0, 60.0), (20, 40.0)):
        screen.show(searching(1, seconds_left=left))
    assert lines[1:] == ["Searching", "trials 1/9; about 1m 00s left"]


def test_count_names_the_leader_and_how_trials_stand():
    one = finished(trials={"total": 19, "completed": 1, "running": 2}, baseline=None, seconds_left=30)
    assert plain.trials(one) == "trials 1/19 (2 running); best trial 17, accuracy 0.985; about 30 s left"


def test_message_and_candidates_are_told_once():
    before = report(phase="Compressing", stage="int8", message="cut", candidates=[{"id": "fp16"}])
    after = report(
        phase="Compressing",
        stage="int8",
        message="cut",
        candidates=[{"id": "fp16"}, {"id": "int8", "verdict": "ok"}],
    )
    assert list(changes(None, before)) == ["Compressing: int8", "cut", "candidate fp16"]
    assert list(changes(before, after)) == ["candidate int8: ok"]


def test_how_it_ended_is_left_to_the_summary():
    assert list(changes(None, finished(message="all is well"))) == []
