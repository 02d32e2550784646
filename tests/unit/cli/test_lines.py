"""Progress as JSON lines."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from click.testing import CliRunner

from tests.support.reports import MANIFEST, finished, plan, report
from trimtab_cli import events
from trimtab_cli.lines import LineScreen, trial_event
from trimtab_cli.run import run
from trimtab_cli.screen import View, open_screen, view_of
from trimtab_jobs.pool import Failure
from trimtab_jobs.search import Trial

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def written():
    return []


@pytest.fixture
def screen(written):
    with LineScreen(plan(), "out", echo=written.append, clock=lambda: NOON) as opened:
        yield opened


def events_of(written):
    return [json.loads(line) for line in written]


def searching(completed, **fields):
    return report(phase="Searching", stage="search", trials={"total": 9, "completed": completed}, **fields)


def test_every_line_has_a_version_a_time_and_an_event(screen, written):
    screen.note("something")
    assert events_of(written)[1] == {
        "schemaVersion": 1,
        "time": "2026-01-01T12:00:00Z",
        "event": "note",
        "message": "something",
    }


def test_run_is_told_from_start_to_end_and_each_line_keeps_to_the_schema(screen, written):
    screen.show(report(phase="Starting", stage="task"))
    screen.show(searching(1, message="trial 3 failed: not a number"))
    screen.show_trial(Trial(4, 4, {"lr": 0.1}, 7, "completed", {"accuracy": 0.9}, 3, None, 1.25))
    screen.show(finished().model_copy(update={"phase": "Verifying", "conditions": ()}))
    screen.end(finished())
    found = events_of(written)
    for event in found:
        jsonschema.validate(event, events.schema())
    assert [event["event"] for event in found] == [
        *("start", "stage", "stage", "note", "progress", "trial"),
        *("stage", "candidate", "candidate", "progress", "final"),
    ]
    assert (found[-1]["exitCode"], found[-1]["report"]["phase"]) == (0, "Succeeded")


def test_nothing_is_told_twice(screen, written):
    for _ in range(2):
        screen.show(searching(1))
    assert [event["event"] for event in events_of(written)] == ["start", "stage", "progress"]


def test_trial_that_failed_has_its_error():
    failed = Trial(7, 7, {"lr": 1.0}, 7, "failed", failure=Failure("configuration", "loss is nan", "a trace"))
    event = json.loads(events.line(trial_event(failed, NOON)))
    assert (event["number"], event["state"], event["error"]) == (7, "failed", "loss is nan")


@pytest.mark.parametrize(
    ("progress", "form", "view"),
    [
        pytest.param("auto", None, View("plain", err=False), id="no-terminal"),
        pytest.param("auto", "json", View("plain", err=True), id="answer-stands-alone"),
        pytest.param("json", None, View("json", err=False), id="lines-alone"),
        pytest.param("json", "yaml", View("json", err=True), id="both"),
        pytest.param("live", None, View("live", err=False), id="live"),
    ],
)
def test_progress_leaves_standard_output_to_the_answer(progress, form, view):
    assert view_of(progress, form) == view


@pytest.mark.parametrize("mode", ["live", "plain", "json"])
def test_every_screen_does_what_a_run_asks_of_it(mode):
    with open_screen(plan(), "out", View(mode, err=True), lambda: False) as screen:
        screen.note("a note")
        screen.show(searching(1))
        screen.show_trial(Trial(4, 4, {}, 7, "completed"))
        screen.end(finished())


class Driver:
    def run(self, plan, *, publish, tell_trial, **others):
        publish(searching(1))
        tell_trial(Trial(0, 0, {"lr": 0.1}, 7, "completed", {"accuracy": 0.9}, 3))
        return finished()


@pytest.mark.parametrize(
    ("options", "last_of_output", "first_of_error"),
    [
        pytest.param(["--progress", "json"], '"event":"final"', "", id="lines"),
        pytest.param(
            ["--progress", "json", "-o", "name"], "optimizationjob.trimtab.io/digits", '"start"', id="both"
        ),
        pytest.param(["-o", "name"], "optimizationjob.trimtab.io/digits", "digits: output in", id="plain"),
    ],
)
def test_streams_of_a_run(monkeypatch, tmp_path, options, last_of_output, first_of_error):
    monkeypatch.setattr("trimtab_cli.run.open_driver", Driver)
    (tmp_path / "job.yaml").write_text(MANIFEST)
    ended = CliRunner().invoke(run, [str(tmp_path / "job.yaml"), *options])
    assert ended.exit_code == 0, ended.output
    assert last_of_output in ended.stdout.splitlines()[-1]
    assert first_of_error in (ended.stderr.splitlines() or [""])[0]
    if "-o" in options:
        assert len(ended.stdout.splitlines()) == 1
