"""What is kept of a record when something in it is damaged."""

from collections.abc import Callable

import pytest

from tests.support.memory_store import MemoryStore
from trimtab_jobs.store import Record, StoreError

OTHER_ENTRY = b'{"schemaVersion": 1, "seq": 4, "epoch": 2, "base": 0}'

Damage = Callable[[MemoryStore], object]


@pytest.fixture
def store() -> MemoryStore:
    """Two drivers with two commits each: entries 1 and 4 are takeovers."""
    store = MemoryStore()
    for batches in ((b"a", b"b"), (b"c", b"d")):
        record = Record.open(store)
        for batch in batches:
            record.commit(batch)
    return store


def cut(key: str) -> Damage:
    return lambda store: store.objects.update({key: store.objects[key][:-1]})


def remove(key: str) -> Damage:
    return lambda store: store.objects.pop(key)


def replace(key: str, body: bytes) -> Damage:
    return lambda store: store.objects.update({key: body})


DAMAGE = [
    (
        "last object cut",
        cut("journal/0002/00000006"),
        "abc",
        "journal/0002/00000006: digest differs (0 of 1 bytes)",
        0,
    ),
    (
        "object changed",
        replace("journal/0001/00000003", b"X"),
        "a",
        "journal/0001/00000003: digest differs (1 of 1 bytes)",
        2,
    ),
    ("object missing", remove("journal/0001/00000002"), "", "journal/0001/00000002: missing", 3),
    ("entry cut", cut("manifest/00000005.json"), "ab", "manifest/00000005.json: not readable", 1),
    ("entry empty", replace("manifest/00000005.json", b""), "ab", "manifest/00000005.json: not readable", 1),
    (
        "entry of another",
        replace("manifest/00000005.json", OTHER_ENTRY),
        "ab",
        "manifest/00000005.json: not readable",
        1,
    ),
    ("entry missing", remove("manifest/00000005.json"), "ab", "manifest/00000005.json: missing", 1),
    ("first entry missing", remove("manifest/00000001.json"), "", "manifest/00000001.json: missing", 4),
    ("takeover cut", cut("manifest/00000004.json"), "ab", "manifest/00000004.json: not readable", 2),
]


@pytest.mark.parametrize(
    ("damage", "kept", "flaw", "left_out"), [pytest.param(*row, id=name) for name, *row in DAMAGE]
)
def test_record_ends_before_the_first_damage_and_says_so(
    store: MemoryStore, damage: Damage, kept: str, flaw: str, left_out: int
) -> None:
    damage(store)

    record = Record.open(store)

    later = f" (later commits left out: {left_out})" if left_out else ""
    assert b"".join(record.batches).decode() == kept
    assert record.lost == f"{flaw}; the record ends before it{later}"


def test_record_goes_on_from_before_the_damage(store: MemoryStore) -> None:
    cut("journal/0001/00000003")(store)
    Record.open(store).commit(b"e")

    record = Record.open(store)

    assert (record.batches, record.lost) == ((b"a", b"e"), None)


def test_what_was_left_out_stays_out_when_it_is_whole_again(store: MemoryStore) -> None:
    cut("journal/0001/00000003")(store)
    Record.open(store)

    replace("journal/0001/00000003", b"b")(store)

    assert Record.open(store).batches == (b"a",)


def test_entry_of_a_newer_version_is_refused(store: MemoryStore) -> None:
    replace("manifest/00000002.json", b'{"schemaVersion": 2}')(store)

    with pytest.raises(StoreError, match=r"schemaVersion 2.*use that version, or choose another --output"):
        Record.open(store)
