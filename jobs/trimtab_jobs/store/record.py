"""The record of a run: batches in order, each acknowledged once it is durable, by one driver at a time.

No compare-and-swap is needed, only create-only writes (docs/decisions, "Fencing"):

1. a driver claims the next `epochs/<n>`;
2. it reads the manifest chain and takes it over with an entry of its own at the next number;
3. every commit is a journal object, then the entry at the next number that names its digest.

Two drivers always meet at the same next number, where one of them loses and stops.
"""

import json
import os
import socket

from trimtab_jobs.store.base import Store
from trimtab_jobs.store.chain import (
    SCHEMA_VERSION,
    Chain,
    Commit,
    Takeover,
    decoded,
    journal_key,
    manifest_key,
    seq_of,
)
from trimtab_jobs.store.errors import ExistsError, FencedError, StoreError
from trimtab_jobs.store.reading import get_all


class Record:
    """The record of one run, open for one driver."""

    epoch: int
    """This driver's number; later drivers have higher ones."""
    batches: tuple[bytes, ...]
    """What was recorded before, in order."""
    lost: str | None
    """What was cut from the record because it is damaged, in one line."""

    def __init__(self, store: Store, epoch: int, chain: Chain) -> None:
        self.epoch = epoch
        self.batches = chain.batches
        self.lost = chain.lost
        self._store = store
        self._next = chain.last + 2  # after this driver's takeover
        self._stopped: StoreError | None = None

    @classmethod
    def open(cls, store: Store) -> "Record":
        """The record, taken over from whichever driver had it; FencedError when another one is faster."""
        epoch = _claim_epoch(store)
        chain = _read(store)
        _take_over(store, epoch, chain)
        return cls(store, epoch, chain)

    def commit(self, batch: bytes) -> None:
        """Return once the batch is durable and part of the record; FencedError when another driver has it.

        After any failure or interruption every later commit fails as well: whether the batch was recorded is
        then known only to the next driver that opens the record.
        """
        if self._stopped is not None:
            raise self._stopped
        self._stopped = StoreError(
            f"{self._store.uri}: a commit was interrupted; run the command again to go on"
        )
        entry = Commit.of(self._next, self.epoch, batch)
        try:
            self._store.create(entry.object, batch)
            self._store.create(manifest_key(entry.seq), entry.encoded())
        except ExistsError:
            self._stopped = _fenced(self._store)
            raise self._stopped from None
        except StoreError as error:
            self._stopped = error
            raise
        self._next += 1
        self._stopped = None

    def check(self) -> None:
        """FencedError when another driver has begun to take the record over; asks only, from any thread.

        For writes that are not part of the record: one that comes late is then the exception, and the newer
        driver's next write puts it right.
        """
        if _newest_epoch(self._store) > self.epoch:
            raise _fenced(self._store)


def recorded(store: Store) -> tuple[bytes, ...]:
    """What a record holds by now, in order, whoever has it: nothing is taken over or written."""
    return _read(store).batches


def _read(store: Store) -> Chain:
    chain = Chain()
    _extend(chain, store, sorted(filter(None, map(seq_of, store.list("manifest")))))
    return chain


def _newest_epoch(store: Store) -> int:
    taken = (int(name) for key in store.list("epochs") if (name := key.removeprefix("epochs/")).isdecimal())
    return max(taken, default=0)


def _claim_epoch(store: Store) -> int:
    epoch = _newest_epoch(store) + 1
    claim = {
        "schemaVersion": SCHEMA_VERSION,
        "epoch": epoch,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
    try:
        store.create(f"epochs/{epoch:04d}", json.dumps(claim).encode())
    except ExistsError:
        raise _fenced(store) from None
    return epoch


def _take_over(store: Store, epoch: int, chain: Chain) -> None:
    """Write this driver's first entry; until it has its place, the driver before may commit, which counts."""
    stopped = 0
    while chain.epoch <= epoch:
        entry = Takeover(chain.last + 1, epoch, chain.base)
        try:
            return store.create(manifest_key(entry.seq), entry.encoded())
        except ExistsError:
            _extend(chain, store, [entry.seq])
        if stopped < chain.epoch < epoch:
            _stop_ahead(store, chain)
            stopped = chain.epoch
    raise _fenced(store)


def _stop_ahead(store: Store, chain: Chain) -> None:
    """Take the place of a journal object that the driver before has yet to write, so that it stops there.

    Without this a driver that commits all the time might win the race for the next entry for ever.
    """
    distance = 8
    while True:
        try:
            return store.create(journal_key(chain.epoch, chain.last + distance), b"")
        except ExistsError:  # it is that far already
            distance *= 2


def _extend(chain: Chain, store: Store, seqs: list[int]) -> None:
    manifests = get_all(store, [manifest_key(seq) for seq in seqs])
    entries = [decoded(seq, body) for seq, body in zip(seqs, manifests, strict=True)]
    objects = [entry.object for entry in entries if isinstance(entry, Commit)]
    bodies = dict(zip(objects, get_all(store, objects), strict=True))
    for seq, entry in zip(seqs, entries, strict=True):
        chain.add(seq, entry, bodies.get(entry.object) if isinstance(entry, Commit) else None)


def _fenced(store: Store) -> FencedError:
    return FencedError(
        f"{store.uri}: another driver has taken over; let it finish, or stop it before starting again"
    )
