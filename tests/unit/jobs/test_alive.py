"""Signs of life: a file whose date only the driver's own thread moves, and how far it may be ahead."""

import os
import threading
import time
from pathlib import Path

import pytest

from trimtab_jobs import alive
from trimtab_jobs.in_cluster import Stop
from trimtab_jobs.repeating import repeatedly
from trimtab_jobs.store.patience import Wait, in_silence


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "alive"


def make_old(file: Path) -> None:
    os.utime(file, (0, 0))


def age(file: Path) -> float:
    return time.time() - file.stat().st_mtime


def test_file_names_the_process_and_goes_with_the_driver(file: Path) -> None:
    with alive.watched(file):
        assert file.read_text() == f"{os.getpid()}\n"
        assert age(file) < 5

    assert not file.exists()


def test_asking_whether_to_stop_is_a_sign(file: Path) -> None:
    with alive.watched(file):
        make_old(file)
        Stop()()

        assert age(file) < 5


def test_long_step_says_beforehand_how_long_it_may_be_silent(file: Path) -> None:
    with alive.watched(file):
        alive.sign(600)

        assert -600 <= age(file) < -590


def test_waiting_for_a_store_gives_signs(file: Path) -> None:
    with alive.watched(file):
        make_old(file)
        Wait(in_silence, sleep=lambda seconds: None).go_on("it is full", 60)

        assert age(file) < 5


def test_other_threads_cannot_vouch_for_the_driver(file: Path) -> None:
    with alive.watched(file):
        make_old(file)
        beside = threading.Thread(target=alive.sign)
        beside.start()
        beside.join()

        assert age(file) > 1_000_000


def test_sign_that_nobody_looks_for_does_nothing(file: Path) -> None:
    alive.sign()
    with alive.watched(None):
        alive.sign()

    assert not file.exists()


def test_driver_goes_on_where_the_file_cannot_be_written(tmp_path: Path) -> None:
    with alive.watched(tmp_path / "nowhere" / "alive"):
        alive.sign()


def test_waiting_for_the_end_of_what_is_done_beside_gives_signs(file: Path) -> None:
    under_way, may_end = threading.Event(), threading.Event()

    def act() -> None:
        under_way.set()
        may_end.wait()

    with alive.watched(file):
        with repeatedly(act, 0.001, "beside"):
            assert under_way.wait(60)
            make_old(file)
            threading.Timer(0.1, may_end.set).start()

        assert age(file) < 5
