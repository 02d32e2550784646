"""What every store promises, whatever it is made of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from trimtab_jobs.store import ExistsError, MissingError, Store, StoreError, check_store

ODD_KEYS = [
    "logs/7.log",
    "a b/c d",
    "ünï +%25#?&=/日本語.json",
    "q*?[x]/~'\"`{}^<>|:;,@!$()",
    "e\u0301/\u00e9",
    "🦆",
    "a..b./c.",
    "n" * 200,
]


def created(store: Store, key: str, body: bytes) -> bool:
    try:
        store.create(key, body)
    except ExistsError:
        return False
    return True


@pytest.mark.parametrize("key", ODD_KEYS)
def test_object_comes_back_under_its_key(store: Store, key: str) -> None:
    store.put(key, b"one")
    store.put(key, b"two")

    assert store.get(key) == b"two"
    assert store.list() == [key]


@pytest.mark.parametrize(
    "body", [b"", bytes(range(256)), b"x" * (40 * 2**20)], ids=["empty", "binary", "40MiB"]
)
def test_body_comes_back_whole(store: Store, body: bytes) -> None:
    store.put("put", body)
    store.create("create", body)

    assert store.get("put") == body
    assert store.get("create") == body


def test_object_that_is_not_there_is_missing(store: Store, tmp_path: Path) -> None:
    store.put("a/b", b"")

    for key in ("b", "a", "a/b/c"):
        with pytest.raises(MissingError, match=f"{key}: not there"):
            store.get(key)
        with pytest.raises(MissingError, match=f"{key}: not there"):
            store.get_file(key, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_create_refuses_a_taken_key_and_keeps_what_is_there(store: Store) -> None:
    store.create("epochs/1", b"mine")

    with pytest.raises(ExistsError, match="epochs/1: already there"):
        store.create("epochs/1", b"mine")

    assert store.get("epochs/1") == b"mine"


@pytest.mark.parametrize("alike", [True, False], ids=["same body", "own body"])
def test_exactly_one_of_racing_creates_wins(store: Store, alike: bool) -> None:
    bodies = [b"body" if alike else b"body %d" % number for number in range(16)]

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda body: created(store, "race/x", body), bodies))

    assert won.count(True) == 1
    assert store.get("race/x") == bodies[won.index(True)]


def test_racing_puts_leave_one_of_them_whole(store: Store) -> None:
    bodies = [bytes([number]) * 100_000 for number in range(16)]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda body: store.put("race/x", body), bodies))

    assert store.get("race/x") in bodies
    assert store.list() == ["race/x"]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        pytest.param("", ["a", "a b/x", "ab/x", "b/c/x", "b/c/y", "b/x", "b-c"], id="everything"),
        pytest.param("b", ["b/c/x", "b/c/y", "b/x"], id="folder"),
        pytest.param("b/", ["b/c/x", "b/c/y", "b/x"], id="closing slash"),
        pytest.param("b/c", ["b/c/x", "b/c/y"], id="inner folder"),
        pytest.param("a", [], id="a key is not below itself"),
        pytest.param("b/c/x", [], id="nor in a folder"),
        pytest.param("a b", ["a b/x"], id="space"),
        pytest.param("q", [], id="nothing there"),
    ],
)
def test_list_finds_the_keys_below_a_folder(store: Store, prefix: str, found: list[str]) -> None:
    for key in ("b/x", "b-c", "ab/x", "a", "b/c/y", "a b/x", "b/c/x"):
        store.put(key, b"")

    assert store.list(prefix) == sorted(found)


def test_list_is_in_order_and_whole_beyond_a_page(store: Store) -> None:
    keys = [f"manifest/{number:08d}.json" for number in range(1500)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.create(key, b"{}"), reversed(keys)))

    assert store.list("manifest") == keys


def test_deleted_object_is_gone_and_its_key_free(store: Store) -> None:
    store.put("a/b/c", b"1")
    store.put("d", b"2")

    for key in ("a/b/c", "a/b/c", "a", "never/there"):
        store.delete(key)
    store.create("a", b"3")

    assert store.list() == ["a", "d"]


def test_key_is_never_another_keys_folder(store: Store) -> None:
    store.put("q/x", b"kept")

    for write in (store.put, store.create):
        for key in ("q", "q/x/y"):
            with pytest.raises(StoreError) as refused:
                write(key, b"")
            assert type(refused.value) is StoreError

    assert [store.get(key) for key in store.list()] == [b"kept"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        ".hidden",
        "a/.b",
        "a\\b",
        "a\nb",
        "é" * 128,
        "a/" * 512 + "a",
    ],
)
def test_key_that_could_leave_the_store_is_refused(store: Store, key: str, tmp_path: Path) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.get(key),
        lambda: store.put(key, b""),
        lambda: store.create(key, b""),
        lambda: store.delete(key),
        lambda: store.put_file(key, Path(__file__)),
        lambda: store.get_file(key, tmp_path / "copy"),
    ]

    for call in calls:
        with pytest.raises(ValueError, match="is no key of a store: use segments joined by '/'"):
            call()


@pytest.mark.parametrize("size", [0, 5, 20 * 2**20 + 1])
def test_file_goes_in_and_comes_out_whole(store: Store, size: int, tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "new" / "copy"
    source.write_bytes(b"xyz" * (size // 3) + b"." * (size % 3))

    store.put("model/big", b"before")
    store.put_file("model/big", source)
    store.get_file("model/big", copy)
    store.get_file("model/big", copy)

    assert copy.read_bytes() == source.read_bytes() == store.get("model/big")
    assert store.list() == ["model/big"]
    assert list(copy.parent.iterdir()) == [copy]


def test_file_that_is_not_there_is_not_put(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        store.put_file("a", tmp_path / "absent")

    assert store.list() == []


def test_sound_store_passes_the_check_and_is_left_as_it_was(store: Store) -> None:
    store.put("a", b"1")

    check_store(store)

    assert store.list() == ["a"]


class ForgetfulStore(MemoryStore):
    def get(self, key: str) -> bytes:
        return b""


def test_store_that_does_not_return_what_was_written_is_refused() -> None:
    store = ForgetfulStore()

    with pytest.raises(StoreError, match="does not return what was written; choose another --output"):
        check_store(store)

    assert store.list() == []
