"""The page made anew from a store: the same as the run's own, and nothing is written for it."""

import json
from pathlib import Path

import pytest

from tests.support.reports import finished, report
from tests.support.search import request_of, run_search
from trimtab_api.report import Report
from trimtab_jobs.errors import RefusedError
from trimtab_jobs.pool import Failure
from trimtab_jobs.progress import Progress
from trimtab_jobs.reports import remake_report
from trimtab_jobs.saving import save
from trimtab_jobs.search import recorded_trials
from trimtab_jobs.store import Record, StoreError, open_store, recorded


def run_in(folder: Path, report: Report) -> Progress:
    """A search of ten trials whose record, result and page lie in the folder."""
    store = open_store(str(folder))
    run = run_search(request_of(), record=Record.open(store))
    progress = Progress(report, lambda _: None)
    progress.trials = run.outcome.trials
    save(store, progress)
    return progress


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_page_is_the_one_that_the_run_wrote(tmp_path: Path):
    run_in(tmp_path, finished())

    assert remake_report(str(tmp_path)) == (tmp_path / "report.html").read_text()


def test_nothing_is_written(tmp_path: Path):
    run_in(tmp_path, finished())
    before = everything_in(tmp_path)

    remake_report(tmp_path.as_uri())

    assert everything_in(tmp_path) == before


def test_the_driver_of_a_run_under_way_keeps_its_record(tmp_path: Path):
    run_in(tmp_path, report(phase="Searching"))
    record = Record.open(open_store(str(tmp_path)))

    assert "Not finished" in remake_report(str(tmp_path))

    record.commit(b"")


def test_trials_are_read_from_the_record_as_they_ended(tmp_path: Path):
    progress = run_in(tmp_path, finished())

    read = recorded_trials(recorded(open_store(str(tmp_path))), seed=7)

    assert read == progress.trials


def test_failures_are_read_with_their_last_lines(tmp_path: Path):
    store = open_store(str(tmp_path))
    bad = Failure("configuration", "loss is nan", "Traceback …")

    def answer(work):
        return (
            bad
            if work.payload["trial"]
            else {"metrics": {"accuracy": 0.5}, "checkpoint": "checkpoints/0/9.pt"}
        )

    run_search(request_of(), answer, record=Record.open(store))

    assert [trial.failure for trial in recorded_trials(recorded(store), seed=7)][1] == bad


@pytest.mark.parametrize("name", ["empty", "not-there"])
def test_a_folder_without_a_run_is_refused_in_one_line(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()

    with pytest.raises(
        RefusedError, match=r"no run there \(result.json is missing\); give the folder"
    ) as refused:
        remake_report(str(tmp_path / name))

    assert "\n" not in str(refused.value)


def test_a_run_that_has_just_begun_is_refused_with_what_to_do(tmp_path: Path):
    (tmp_path / "plan.json").write_text("{}")

    with pytest.raises(RefusedError, match=r"has written no result.json yet; try again"):
        remake_report(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "field"),
    [
        pytest.param("no json", "the file", id="no-json"),
        pytest.param(json.dumps({"name": "a", "schemaVersion": 3}), "schemaVersion", id="later-version"),
    ],
)
def test_a_result_that_cannot_be_read_is_refused_by_its_field(tmp_path: Path, content: str, field: str):
    (tmp_path / "result.json").write_text(content)

    with pytest.raises(RefusedError, match=rf"cannot be read as a result of this version \({field}: "):
        remake_report(str(tmp_path))


def test_a_field_of_a_later_version_is_left_out(tmp_path: Path):
    (tmp_path / "result.json").write_text(json.dumps({"name": "digits", "laterField": 1}))

    assert "digits" in remake_report(str(tmp_path))


def test_a_uri_that_is_no_store_is_an_error_of_the_store():
    with pytest.raises(StoreError, match="is not a store"):
        remake_report("ftp://somewhere/run")
