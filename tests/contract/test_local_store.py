"""What a folder adds: crashes in the middle, full disks, folders that cannot be written."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trimtab_jobs.store import MissingError, Record, StoreError, check_store, open_store

WRITE_FOR_EVER = """
import sys
from trimtab_jobs.store import open_store
store = open_store(sys.argv[1])
for number in range(10**9):
    store.create(f"created/{number}", b"%d" % number * 100_000)
    store.put("put", b"%d" % (number % 10) * 100_000)
    print(number, flush=True)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a tmpfs: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_killed_writer_leaves_whole_objects_only(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for _ in range(5):
        acknowledged = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
    writer.stdout.close()
    writer.wait()

    store = open_store(str(tmp_path))

    created = {key: store.get(key) for key in store.list("created")}
    assert len(created) >= acknowledged + 1
    assert all(body == key.removeprefix("created/").encode() * 100_000 for key, body in created.items())
    assert len(set(store.get("put"))) == 1
    assert list((tmp_path / ".partial").iterdir()) == []


def test_opening_removes_abandoned_temporaries_but_not_those_being_written(tmp_path: Path) -> None:
    open_store(str(tmp_path)).put("a", b"1")
    abandoned, alive = tmp_path / ".partial" / "abandoned", tmp_path / ".partial" / "alive"
    abandoned.write_bytes(b"half")
    with alive.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        store = open_store(str(tmp_path))

        assert list((tmp_path / ".partial").iterdir()) == [alive]
    assert store.list() == ["a"]


def test_writing_deleting_and_opening_do_not_disturb_each_other(tmp_path: Path) -> None:
    def write(writer: int) -> None:
        for number in range(100):
            store = open_store(str(tmp_path))
            key = f"a/b/{writer}-{number}"
            store.create(key, b"1")
            store.delete(key)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    assert list(tmp_path.rglob("*")) == [tmp_path / ".partial"]


def test_files_of_the_system_are_no_objects(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("a/b", b"1")
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "a" / ".nfs01").touch()

    assert store.list() == ["a/b"]


def test_nothing_is_made_before_the_first_write(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "new" / "store"))

    assert store.list() == []
    with pytest.raises(MissingError):
        store.get("a")
    store.delete("a")
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_said_and_leaves_the_store_as_it_was(small_disk: Path) -> None:
    store = open_store(str(small_disk))
    store.put("a", b"before")

    for write in (store.put, store.create):
        with pytest.raises(StoreError) as refused:
            write("b/c", b"x" * 2_000_000)
        assert str(refused.value) == (
            f"{small_disk}/b/c: the disk is full; free space, or choose another --output"
        )
    with pytest.raises(StoreError, match="the disk is full"):
        store.put("a", b"x" * 2_000_000)

    assert {key: store.get(key) for key in store.list()} == {"a": b"before"}
    store.put("b/c", b"x" * 500_000)


def test_pod_waits_on_a_full_disk_until_there_is_room(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_STORE_PATIENCE", "60")
    store = open_store(str(small_disk))
    store.put("large", b"x" * 800_000)

    with ThreadPoolExecutor(1) as pool:
        write = pool.submit(store.create, "journal/1", b"y" * 800_000)
        with pytest.raises(TimeoutError):
            write.result(0.5)
        store.delete("large")
        write.result(60)

    assert store.get("journal/1") == b"y" * 800_000


def commit_until_refused(record: Record) -> tuple[list[bytes], str]:
    acknowledged: list[bytes] = []
    while True:
        batch = b"%d" % len(acknowledged) * 5_000
        try:
            record.commit(batch)
        except StoreError as refused:
            return acknowledged, str(refused)
        acknowledged.append(batch)


def test_record_on_a_full_disk_keeps_every_acknowledged_batch(small_disk: Path) -> None:
    acknowledged, refused = commit_until_refused(Record.open(open_store(str(small_disk))))

    subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)

    assert refused.endswith(": the disk is full; free space, or choose another --output")
    assert len(acknowledged) > 10
    assert Record.open(open_store(str(small_disk))).batches == tuple(acknowledged)


def test_copy_that_does_not_fit_is_not_there(
    small_disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = open_store(str(tmp_path_factory.mktemp("store")))
    store.put("big", b"x" * 2_000_000)

    with pytest.raises(StoreError, match=f"{small_disk}/copy: the disk is full; free space"):
        store.get_file("big", small_disk / "copy")

    assert list(small_disk.iterdir()) == []


def test_read_only_file_system_is_said(small_disk: Path) -> None:
    store = open_store(str(small_disk))
    store.put("a", b"1")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with pytest.raises(StoreError) as refused:
        check_store(open_store(str(small_disk)))

    assert str(refused.value).startswith(f"{small_disk}/probe/")
    assert str(refused.value).endswith(
        ": the file system is read-only; make it writable, or choose another --output"
    )
    assert store.get("a") == b"1"


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root, whom permissions do not bind, becomes nobody for the time of a test."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    yield
    os.seteuid(user)


@pytest.mark.usefixtures("unprivileged")
def test_folder_without_permission_is_said() -> None:
    with pytest.raises(StoreError, match="permission denied; make it writable, or choose another --output"):
        check_store(open_store("/trimtab-store"))


@pytest.mark.parametrize("below", ["", "/store"])
def test_file_in_the_place_of_the_folder_is_said(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="a file stands where a folder is needed; choose another --output"):
        check_store(open_store(f"{tmp_path}/file{below}"))
