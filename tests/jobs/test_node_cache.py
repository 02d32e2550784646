"""What is made of the data once per node: whole or not there, and made by one worker only."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimtab_jobs.pool import CodeError
from trimtab_jobs.tasks import node_cache
from trimtab_jobs.tasks.node_cache import key_of, prepared


def count_to(folder: Path) -> dict[str, Any]:
    """An array, and how often it was made before."""
    made = folder.parent / "made"
    with made.open("a") as file:
        file.write(".")
    np.save(folder / "numbers.npy", np.arange(1000))
    return {"made": made.stat().st_size}


def test_of_several_workers_that_ask_at_once_one_makes_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(lambda _: prepared("key", count_to, tmp_path), range(8)))
    assert [each.facts["made"] for each in found] == [1] * 8
    assert [int(each.arrays["numbers"].sum()) for each in found] == [499500] * 8


def test_what_one_worker_writes_into_its_arrays_no_other_sees(tmp_path: Path) -> None:
    first, second = (prepared("key", count_to, tmp_path).arrays["numbers"] for _ in range(2))
    first[0] = 7
    assert (first[0], second[0], prepared("key", count_to, tmp_path).arrays["numbers"][0]) == (7, 0, 0)


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(folder: Path) -> dict[str, Any]:
        (folder / "half.npy").write_bytes(b"half")
        raise CodeError("the table is wrong")

    for _ in range(2):
        with pytest.raises(CodeError, match="the table is wrong"):
            prepared("key", fail, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["key.lock"]


def test_no_room_is_told_with_the_folder_and_what_to_do(tmp_path: Path) -> None:
    def fill(folder: Path) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    with pytest.raises(CodeError, match="No space left on device; make room, or set TRIMTAB_CACHE"):
        prepared("key", fill, tmp_path)


def test_what_was_not_asked_for_in_a_week_is_removed_when_something_else_is_made(tmp_path: Path) -> None:
    for name in ("old", "new"):
        prepared(name, count_to, tmp_path)
    os.utime(tmp_path / "old", (0, time.time() - node_cache.UNUSED_SECONDS - 1))
    prepared("other", count_to, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["new", "other"]


def test_a_changed_file_or_argument_is_another_key(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a\n1\n")
    key = key_of(tmp_path, [file], "table", {"target": "a"})
    assert key == key_of(tmp_path, [file], "table", {"target": "a"})
    assert key != key_of(tmp_path, [file], "table", {"target": "b"})
    file.write_text("a\n12\n")
    assert key != key_of(tmp_path, [file], "table", {"target": "a"})
