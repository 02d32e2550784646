"""The record on every store: several drivers at once, and an object cut short."""

from concurrent.futures import ThreadPoolExecutor

from trimtab_jobs.store import FencedError, Record, Store


def commit_until_fenced(store: Store) -> list[bytes]:
    """What one driver had acknowledged before it was told of another, or 20 batches."""
    acknowledged: list[bytes] = []
    try:
        record = Record.open(store)
        for number in range(20):
            batch = b"%d/%d" % (record.epoch, number)
            record.commit(batch)
            acknowledged.append(batch)
    except FencedError:
        pass
    return acknowledged


def test_record_comes_back(store: Store) -> None:
    batches = [b"", b"\x00\xff", b"x" * 100_000]
    record = Record.open(store)
    for batch in batches:
        record.commit(batch)

    later = Record.open(store)

    assert (later.epoch, later.batches, later.lost) == (2, tuple(batches), None)


def test_of_drivers_started_at_once_the_last_goes_on_and_nothing_is_lost(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        acknowledged = list(pool.map(lambda _: commit_until_fenced(store), range(4)))

    batches = Record.open(store).batches
    assert sorted(batches) == sorted(batch for each in acknowledged for batch in each)
    assert max(len(each) for each in acknowledged) == 20
    assert list(batches) == sorted(batches, key=lambda batch: int(batch.partition(b"/")[0]))


def test_record_ends_before_an_object_cut_short(store: Store) -> None:
    record = Record.open(store)
    for batch in (b"first", b"second"):
        record.commit(batch)
    store.put("journal/0001/00000003", b"sec")

    later = Record.open(store)

    assert later.batches == (b"first",)
    assert later.lost == "journal/0001/00000003: digest differs (3 of 6 bytes); the record ends before it"
