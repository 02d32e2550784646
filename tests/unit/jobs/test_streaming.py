"""The log of a work while it goes on."""

import threading
from types import SimpleNamespace

import pytest

from tests.support.memory_store import MemoryStore
from trimtab_jobs.pool import Work
from trimtab_jobs.pool.streaming import streamed
from trimtab_jobs.store import StoreError

LONG = 60.0


class Watched(MemoryStore):
    """A store that says when it was written to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures
        self.written = threading.Event()

    def put(self, key: str, body: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("away")
        super().put(key, body)
        self.written.set()


class Printed:
    text = b""

    def so_far(self) -> bytes:
        return self.text


def work(log: str | None = "logs/3.log") -> Work:
    return Work("trial-3", "module:function", {}, log)


@pytest.mark.parametrize("failures", [0, 2])
def test_what_is_printed_is_in_the_store_before_the_work_has_ended(failures: int):
    store, printed = Watched(failures), Printed()
    with streamed(SimpleNamespace(store=store), work(), printed, every_seconds=0.001):
        for printed.text in (b"one\n", b"one\ntwo\n"):
            store.written.clear()
            assert store.written.wait(LONG)
            assert store.get("logs/3.log") == printed.text


@pytest.mark.parametrize(
    ("one", "printed"),
    [pytest.param(work(None), Printed(), id="no-log"), pytest.param(work(), None, id="inline")],
)
def test_work_without_a_log_has_nothing_kept(one: Work, printed: Printed | None):
    before = threading.active_count()
    with streamed(SimpleNamespace(store=Watched()), one, printed, every_seconds=0.001):
        assert threading.active_count() == before


def test_nothing_is_written_after_the_work_has_ended():
    store, printed = Watched(), Printed()
    before = threading.active_count()
    with streamed(SimpleNamespace(store=store), work(), printed, every_seconds=LONG):
        printed.text = b"one\n"
    assert threading.active_count() == before
    assert store.list() == []
