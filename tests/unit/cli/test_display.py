"""Progress on a terminal."""

import io

import pytest
from rich.console import Console

from tests.support.reports import SEARCH, finished, plan, report
from trimtab_cli.display import LiveScreen, header, step_line
from trimtab_cli.progress import Step

CURSOR = ("\x1b[?25l", "\x1b[?25h")


@pytest.fixture
def console():
    return Console(
        file=io.StringIO(), force_terminal=True, width=100, color_system=None, legacy_windows=False
    )


def drawn(console, one, stopping=lambda: False):
    """Return the lines that the screen draws of one report."""
    screen = LiveScreen(plan(search=SEARCH, compress={"quantize": ["int8"]}), "out", stopping, console)
    screen.show(one)
    with console.capture() as capture:
        console.print(screen.render())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_screen_shows_where_a_search_stands(console):
    searching = finished(
        stage="trials",
        candidates=[],
        final=None,
        guardrail=[],
        seconds_left=65,
        message="two workers, as many as fit",
        trials={"total": 40, "completed": 20, "running": 2},
    )
    first, *others = drawn(console, searching.model_copy(update={"phase": "Searching"}))
    assert first.startswith("digits  out")
    assert first.endswith("0 s, about 1m 05s left")
    assert others == [
        "✓ start   ● search (trials)   ○ compress   ○ verify",
        "Trials  ━━━━━━━━━━━━             20/40  2 running",
        "Best    trial 17, accuracy 0.985 (baseline 0.961, +0.024)",
        "two workers, as many as fit",
    ]


def test_screen_lists_candidates_as_they_are_measured(console):
    lines = drawn(console, finished().model_copy(update={"phase": "Compressing"}))
    assert lines[-4:-1] == [
        "candidate  accuracy  size (MB)  latency p50 (ms)  verdict",
        "fp16          0.985       2.11             0.318  slower than its parent",
        "int8          0.983       1.08             0.119  ok",
    ]


def test_screen_shows_the_bare_steps_at_the_start(console):
    assert drawn(console, report(phase="Starting"))[1:] == ["● start   ○ search   ○ compress   ○ verify", ""]


def test_screen_says_that_it_is_stopping(console):
    assert drawn(console, report(message="other"), stopping=lambda: True)[-1] == (
        "Stopping: saving what is done. Ctrl-C again ends at once."
    )


def test_screen_hides_the_cursor_and_gives_it_back(console):
    with LiveScreen(plan(), "out", lambda: False, console):
        pass
    written = console.file.getvalue()
    assert [written.count(code) for code in CURSOR] == [1, 1]
    assert written.rindex(CURSOR[1]) > written.rindex(CURSOR[0])


def test_names_are_not_read_as_markup(console):
    with console.capture() as capture:
        console.print(header("[bold]x", "[red]out", 1.0, None))
    assert capture.get().startswith("[bold]x  [red]out")


def test_stage_named_like_its_step_is_not_repeated():
    assert step_line((Step("search", "now"),), "search").plain == "● search   "
