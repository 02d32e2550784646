"""The commands that look at a run in its store: get, logs, report."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.support.reports import finished, report
from tests.support.search import request_of, run_search
from trimtab_api.report import Report
from trimtab_cli.logs import added, followed, last_lines
from trimtab_cli.main import call
from trimtab_jobs.logs import logs_of
from trimtab_jobs.progress import Progress
from trimtab_jobs.saving import save, save_report
from trimtab_jobs.store import Record, open_store

SEARCHING = {"phase": "Searching", "stage": "search", "trials": {"total": 10, "completed": 3, "running": 2}}


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


@pytest.fixture
def run_of(store):
    """Return a way to keep a run of ten trials there, with this report."""

    def keep(kept: Report):
        progress = Progress(kept, lambda _: None)
        progress.trials = run_search(request_of(), record=Record.open(store)).outcome.trials
        store.put("plan.json", b"{}")
        save(store, progress)

    return keep


def told(capsys, *arguments):
    code = call([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_ended_run_is_shown_as_it_was_told(run_of, tmp_path, capsys):
    run_of(finished())
    code, out, _ = told(capsys, "get", tmp_path)
    assert code == 0
    assert out.startswith("\nGuardrail met, int8 published\n")
    assert f"Report   {tmp_path}/report.html" in out


def test_run_under_way_is_shown_with_its_trials(run_of, tmp_path, capsys):
    run_of(report(**SEARCHING))
    _, out, _ = told(capsys, "get", tmp_path)
    assert "Not finished in search" in out
    assert "Trials  3/10 (2 running)" in out


def test_result_of_a_run_is_printed_as_it_lies_there(run_of, tmp_path, capsys):
    run_of(finished())
    _, out, _ = told(capsys, "get", tmp_path, "-o", "json")
    assert json.loads(out) == json.loads((tmp_path / "result.json").read_text())


@pytest.mark.parametrize(
    ("command", "output", "why"),
    [
        pytest.param("get", "./none", "none: there is no such folder; give", id="no-folder"),
        pytest.param("logs", "./none", "none: there is no such folder; give", id="no-folder-of-logs"),
        pytest.param("get", ".", "no run there (result.json is missing)", id="no-run"),
        pytest.param("report", ".", "no run there (result.json is missing)", id="no-run-to-report"),
        pytest.param("get", "ftp://a/b", "is not a store", id="no-store"),
    ],
)
def test_place_without_a_run_is_refused_in_one_line(command, output, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, err = told(capsys, command, output)
    assert (code, out) == (2, "")
    assert why in err


def test_page_is_made_anew_in_its_place(run_of, tmp_path, capsys):
    run_of(finished())
    page = (tmp_path / "report.html").read_text()
    (tmp_path / "report.html").unlink()
    assert told(capsys, "report", tmp_path) == (0, "", f"Wrote {tmp_path}/report.html\n")
    assert (tmp_path / "report.html").read_text() == page


def test_page_goes_to_a_file_or_to_standard_output(run_of, tmp_path, capsys):
    run_of(finished())
    page = (tmp_path / "report.html").read_text()
    told(capsys, "report", tmp_path, "--to", tmp_path / "there.html")
    assert (tmp_path / "there.html").read_text() == page
    assert told(capsys, "report", tmp_path, "--to", "-") == (0, page, "")


def test_page_is_opened_in_a_browser(run_of, tmp_path, capsys, monkeypatch):
    run_of(finished())
    opened = []
    monkeypatch.setattr(click, "launch", opened.append)
    told(capsys, "report", tmp_path, "--open")
    told(capsys, "report", tmp_path.as_uri(), "--open")
    assert opened[0] == (tmp_path / "report.html").as_uri()
    assert Path(opened[1].removeprefix("file://")).read_text() == (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("to", "why"),
    [("-", "--open needs a file"), ("no/such/folder.html", "cannot be written: No such file")],
)
def test_page_that_cannot_go_there_is_wrong_usage(run_of, tmp_path, capsys, to, why):
    run_of(finished())
    code, _, err = told(capsys, "report", tmp_path, "--open", "--to", to)
    assert code == 2
    assert why in err


def test_logs_are_listed_with_the_state_of_their_trial(run_of, store, tmp_path, capsys):
    run_of(finished())
    for name, text in {"task": "a", "3": "three\n", "int8": "eight"}.items():
        store.put(f"logs/{name}.log", text.encode())
    lines = told(capsys, "logs", tmp_path)[1].splitlines()
    assert lines[:2] == ["NAME  STATE      BYTES", "task                 1"]
    assert "3     completed      6" in lines
    assert lines[-1] == "int8                 5"
    assert len(lines) == 1 + 10 + 2


def test_logs_of_a_run_that_has_none_are_said_to_be_missing(tmp_path, capsys):
    assert told(capsys, "logs", tmp_path) == (0, "nothing was printed yet\n", "")


def test_log_of_a_trial_holds_all_its_rungs_in_order(store, tmp_path, capsys):
    for name in ("12-9", "12", "12-3"):
        store.put(f"logs/{name}.log", f"rung {name}\n".encode())
    assert told(capsys, "logs", tmp_path, "12")[1] == "rung 12\nrung 12-3\nrung 12-9\n"
    assert told(capsys, "logs", tmp_path, "12", "--tail", 1)[1] == "rung 12-9\n"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("fp8", "fp8: there is no such log; there are: task", id="unknown"),
        pytest.param("4", "trial 4 has printed nothing", id="silent-trial"),
    ],
)
def test_log_that_is_not_there_is_refused_with_those_that_are(run_of, store, tmp_path, capsys, name, why):
    run_of(finished())
    store.put("logs/task.log", b"a")
    for more in ([], ["--follow"]):
        code, _, err = told(capsys, "logs", tmp_path, name, *more)
        assert code == 2
        assert why in err


def test_following_needs_a_name(tmp_path, capsys):
    assert "--follow and --tail need the NAME of a log" in told(capsys, "logs", tmp_path, "--follow")[2]


class Waits:
    """What happens while somebody waits: one step after the other."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def __call__(self):
        self.steps.pop(0)()


def test_what_is_added_is_followed_until_the_run_has_ended(run_of, store):
    run_of(report(**SEARCHING))
    wait = Waits(
        lambda: store.put("logs/int8.log", b"one\ntwo\n"),
        lambda: None,
        lambda: store.put("logs/int8.log", b"one\ntwo\nthree\n"),
        lambda: (store.put("logs/int8.log", b"anew\n"), save_report(store, finished())),
    )
    assert list(followed(store, "int8", 1, wait)) == ["two\n", "three\n", "anew\n"]
    assert wait.steps == []


def test_trial_that_has_ended_is_not_waited_for(run_of, store):
    run_of(report(**SEARCHING))
    store.put("logs/3.log", b"all\n")
    assert list(followed(store, "3", None, Waits())) == ["all\n"]


def test_run_that_has_just_begun_is_waited_for(store):
    store.put("plan.json", b"{}")
    wait = Waits(
        lambda: store.put("logs/task.log", b"hello\n"),
        lambda: save_report(store, finished()),
    )
    assert list(followed(store, "task", None, wait)) == ["hello\n"]


def test_logs_are_ordered_by_task_number_and_name():
    keys = [f"logs/{name}.log" for name in ("int8", "10", "9", "10-3", "fp16", "task")]
    assert list(logs_of([*keys, "logs/other.txt", "result.json"], trials=[2])) == [
        *("task", "2", "9", "10", "fp16", "int8")
    ]


def test_new_is_what_was_not_there_before():
    before = {"a": b"1", "b": b"2"}
    assert added(before, {"a": b"12", "b": b"3", "c": b"4"}) == b"234"


@pytest.mark.parametrize(("count", "text"), [(None, "a\nb\nc"), (2, "b\nc"), (0, ""), (9, "a\nb\nc")])
def test_last_lines_are_so_many(count, text):
    assert last_lines("a\nb\nc", count) == text


def test_help_of_each_command_says_what_output_is():
    from trimtab_cli import get, logs, report

    for command in (get.get, logs.logs, report.report):
        assert "OUTPUT (a folder or URI)" in " ".join(CliRunner().invoke(command, ["--help"]).output.split())
