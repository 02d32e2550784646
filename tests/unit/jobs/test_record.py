"""The record of a run: what a commit leaves, who may commit, and what is kept when something is damaged."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.support.memory_store import MemoryStore
from trimtab_jobs.store import FencedError, Record, StoreError


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def recorded(store: MemoryStore, *batches: bytes) -> Record:
    record = Record.open(store)
    for batch in batches:
        record.commit(batch)
    return record


def commit_all(record: Record, batches: int) -> None:
    for number in range(batches):
        record.commit(b"%d" % number)


def test_new_record_is_empty(store: MemoryStore) -> None:
    record = Record.open(store)

    assert (record.epoch, record.batches, record.lost) == (1, (), None)


def test_commits_come_back_in_order_over_several_drivers(store: MemoryStore) -> None:
    recorded(store, b"a", b"b")
    recorded(store, b"c")
    record = recorded(store)

    assert (record.epoch, record.batches, record.lost) == (3, (b"a", b"b", b"c"), None)


def test_commit_leaves_a_journal_object_and_an_entry_that_names_it(store: MemoryStore) -> None:
    recorded(store, b"abc")

    assert sorted(store.objects) == [
        "epochs/0001",
        "journal/0001/00000002",
        "manifest/00000001.json",
        "manifest/00000002.json",
    ]
    assert json.loads(store.get("manifest/00000001.json")) == {
        "schemaVersion": 1,
        "seq": 1,
        "epoch": 1,
        "base": 0,
    }
    assert json.loads(store.get("manifest/00000002.json")) == {
        "schemaVersion": 1,
        "seq": 2,
        "epoch": 1,
        "object": "journal/0001/00000002",
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "bytes": 3,
    }


def test_driver_before_cannot_commit_any_more(store: MemoryStore) -> None:
    before = recorded(store, b"a")
    after = recorded(store, b"b")

    for _ in range(2):
        with pytest.raises(FencedError, match="another driver has taken over"):
            before.commit(b"late")

    after.commit(b"c")
    assert Record.open(store).batches == (b"a", b"b", b"c")


class RacingStore(MemoryStore):
    """A store in which something happens just before a key is created."""

    def __init__(self) -> None:
        super().__init__()
        self.races: dict[str, Callable[[], object]] = {}

    def create(self, key: str, body: bytes) -> None:
        self.races.pop(key, lambda: None)()
        super().create(key, body)


def test_commits_that_come_before_the_takeover_count() -> None:
    store = RacingStore()
    before = recorded(store, b"a")
    store.races["manifest/00000003.json"] = lambda: before.commit(b"b")
    store.races["manifest/00000004.json"] = lambda: before.commit(b"c")

    after = Record.open(store)

    assert after.batches == (b"a", b"b", b"c")
    with pytest.raises(FencedError):
        before.commit(b"d")


def test_driver_that_commits_all_the_time_is_stopped() -> None:
    store = RacingStore()
    before = recorded(store)
    acknowledged: list[bytes] = []

    def commit() -> None:
        with suppress(FencedError):
            before.commit(b"%d" % len(acknowledged))
            acknowledged.append(b"%d" % len(acknowledged))

    store.races = {f"manifest/{seq:08d}.json": commit for seq in range(2, 100)}

    assert Record.open(store).batches == tuple(acknowledged)
    assert len(acknowledged) < 20


def test_driver_that_is_far_ahead_is_stopped_further_on() -> None:
    store = RacingStore()
    before = recorded(store, b"a")
    store.races["manifest/00000003.json"] = lambda: before.commit(b"b")
    store.races["journal/0001/00000011"] = lambda: commit_all(before, 20)

    assert len(Record.open(store).batches) == 22
    with pytest.raises(FencedError):
        before.commit(b"late")


def test_of_two_drivers_that_claim_at_once_one_is_told() -> None:
    store = RacingStore()
    store.races["epochs/0001"] = lambda: recorded(store, b"a")

    with pytest.raises(FencedError, match="another driver has taken over"):
        Record.open(store)

    assert Record.open(store).batches == (b"a",)


def test_driver_overtaken_while_it_opens_gives_way() -> None:
    store = RacingStore()
    recorded(store, b"a")
    store.races["manifest/00000003.json"] = lambda: recorded(store, b"b")

    with pytest.raises(FencedError, match="another driver has taken over"):
        Record.open(store)

    assert Record.open(store).batches == (b"a", b"b")


def test_journal_object_without_its_entry_does_not_count() -> None:
    store = RacingStore()
    record = recorded(store, b"a")
    store.races["manifest/00000003.json"] = interrupt

    with pytest.raises(KeyboardInterrupt):
        record.commit(b"b")

    assert "journal/0001/00000003" in store.objects
    assert Record.open(store).batches == (b"a",)


def interrupt() -> None:
    raise KeyboardInterrupt


def fill_disk() -> None:
    raise StoreError("the disk is full; free space")


@pytest.mark.parametrize(
    ("event", "raised", "told"),
    [
        pytest.param(
            interrupt, KeyboardInterrupt, "a commit was interrupted; run the command again", id="interrupted"
        ),
        pytest.param(fill_disk, StoreError, "the disk is full; free space", id="disk full"),
    ],
)
def test_after_a_failed_commit_no_other_is_tried(
    event: Callable[[], object], raised: type[BaseException], told: str
) -> None:
    store = RacingStore()
    record = recorded(store, b"a")
    store.races["manifest/00000003.json"] = event
    with pytest.raises(raised):
        record.commit(b"b")

    with pytest.raises(StoreError, match=told):
        record.commit(b"c")

    assert Record.open(store).batches == (b"a",)


def test_other_files_among_the_entries_are_ignored(store: MemoryStore) -> None:
    recorded(store, b"a")
    for key in ("manifest/notes.txt", "manifest/1.json", "epochs/README"):
        store.put(key, b"")

    assert Record.open(store).batches == (b"a",)


def test_long_record_is_read_in_order(store: MemoryStore) -> None:
    batches = [b"%d" % number for number in range(300)]
    recorded(store, *batches)

    assert Record.open(store).batches == tuple(batches)
