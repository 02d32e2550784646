"""result.json and report.html: there while a run goes on and when it ends, and the newest driver's alone."""

import json
import threading
from collections.abc import Callable

import pytest

from tests.support.memory_store import MemoryStore
from trimtab_api.report import Report
from trimtab_jobs.errors import StoppedError
from trimtab_jobs.progress import Progress
from trimtab_jobs.saving import saving
from trimtab_jobs.store import FencedError, Record, StoreError

NEVER, AT_ONCE = 1e6, 0.0


class CountingStore(MemoryStore):
    """Says after each write of result.json how many there were; the first `failures` fail."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.saved = 0
        self.failures = failures

    def put(self, key: str, body: bytes) -> None:
        if key == "result.json":
            self.saved += 1
            if self.saved <= self.failures:
                raise StoreError("no answer")
        super().put(key, body)


def progress_of(seconds_used: float = 0.0) -> Progress:
    progress = Progress(Report(name="digits", phase="Searching"), lambda report: None)
    progress.count(seconds_used)
    return progress


def wait_for(is_so: Callable[[], bool]) -> None:
    while not is_so():
        pass


def result_of(store: MemoryStore) -> Report:
    return Report.model_validate(json.loads(store.get("result.json")))


def test_the_time_goes_on_in_the_result_though_nothing_changes():
    store = CountingStore()
    progress = progress_of(seconds_used=100.0)

    with saving(store, Record.open(store), progress, AT_ONCE):
        wait_for(lambda: store.saved > 3)
        seconds = result_of(store).cost.seconds

    assert seconds is not None
    assert seconds >= 100.0


def test_a_store_that_fails_for_a_while_does_not_end_it():
    store = CountingStore(failures=3)

    with saving(store, Record.open(store), progress_of(), AT_ONCE):
        wait_for(lambda: store.saved > 5)

    assert result_of(store).phase == "Searching"


def test_a_stopped_run_leaves_result_and_page():
    store = MemoryStore()

    with pytest.raises(StoppedError), saving(store, Record.open(store), progress_of(), NEVER):
        raise StoppedError

    assert {"result.json", "report.html"} <= set(store.objects)


def save_during(
    store: MemoryStore, record: Record, block: Callable[[], object], seconds: float = NEVER
) -> None:
    with saving(store, record, progress_of(), seconds):
        block()


@pytest.mark.parametrize("error", [None, StoppedError()], ids=["ended", "stopped"])
def test_a_driver_that_was_taken_over_leaves_the_files_to_the_newer_one(error: Exception | None):
    store = MemoryStore()
    record = Record.open(store)

    def be_taken_over() -> None:
        Record.open(store)
        if error is not None:
            raise error

    with pytest.raises(FencedError):
        save_during(store, record, be_taken_over)
    assert "result.json" not in store.objects


def test_a_driver_that_was_taken_over_saves_no_more_while_it_does_not_know():
    store = CountingStore()
    record = Record.open(store)
    Record.open(store)

    def wait_for_the_timer() -> None:
        wait_for(lambda: all(thread.name != "saving" for thread in threading.enumerate()))

    with pytest.raises(FencedError):
        save_during(store, record, wait_for_the_timer, AT_ONCE)
    assert store.saved == 0


def test_after_any_other_error_the_files_stay_as_they_were():
    store = MemoryStore()

    with pytest.raises(StoreError), saving(store, Record.open(store), progress_of(), NEVER):
        raise StoreError("the disk is full")

    assert "result.json" not in store.objects
