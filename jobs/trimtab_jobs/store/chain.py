"""The manifest chain as values: entries to and from JSON, and what they add up to. Pure.

An entry is either a commit (one journal object, named by its digest) or a takeover (a new driver goes on
from entry `base`; entries between the two are dropped for ever).
"""

import hashlib
import json
import re
from dataclasses import dataclass, field

from trimtab_jobs.store.errors import StoreError

SCHEMA_VERSION = 1
_MANIFEST_KEY = re.compile(r"manifest/(\d{8,})\.json")


def manifest_key(seq: int) -> str:
    """The key of entry `seq`; padded, so that a listing is in order."""
    return f"manifest/{seq:08d}.json"


def journal_key(epoch: int, seq: int) -> str:
    """The key of the object that entry `seq` of driver `epoch` commits."""
    return f"journal/{epoch:04d}/{seq:08d}"


def seq_of(key: str) -> int | None:
    """The number of the entry under `key`, None when it is no entry's key."""
    found = _MANIFEST_KEY.fullmatch(key)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Commit:
    """One journal object, acknowledged."""

    seq: int
    epoch: int
    sha256: str
    size: int

    @classmethod
    def of(cls, seq: int, epoch: int, batch: bytes) -> "Commit":
        """The entry that acknowledges `batch`."""
        return cls(seq, epoch, hashlib.sha256(batch).hexdigest(), len(batch))

    @property
    def object(self) -> str:
        """The key of the journal object."""
        return journal_key(self.epoch, self.seq)

    def encoded(self) -> bytes:
        """The entry as JSON."""
        return _encoded(
            seq=self.seq, epoch=self.epoch, object=self.object, sha256=self.sha256, bytes=self.size
        )

    def flaw(self, body: bytes | None) -> str | None:
        """What is wrong with the journal object, None when it is whole."""
        if body is None:
            return f"{self.object}: missing"
        if hashlib.sha256(body).hexdigest() != self.sha256:
            return f"{self.object}: digest differs ({len(body)} of {self.size} bytes)"
        return None


@dataclass(frozen=True, slots=True)
class Takeover:
    """A new driver's first entry: the record so far ends with entry `base` (0: it is empty)."""

    seq: int
    epoch: int
    base: int

    def encoded(self) -> bytes:
        """The entry as JSON."""
        return _encoded(seq=self.seq, epoch=self.epoch, base=self.base)


Entry = Commit | Takeover


def decoded(seq: int, body: bytes | None) -> Entry | None:
    """Entry `seq` from its JSON, None when it cannot be read; StoreError when a newer version wrote it."""
    try:
        fields = json.loads(body or b"")
        if fields["schemaVersion"] > SCHEMA_VERSION:
            raise StoreError(
                f"{manifest_key(seq)}: written by a newer Trimtab (schemaVersion {fields['schemaVersion']}); "
                "use that version, or choose another --output"
            )
        if "base" in fields:
            entry: Entry = Takeover(seq, int(fields["epoch"]), int(fields["base"]))
        else:
            entry = Commit(seq, int(fields["epoch"]), str(fields["sha256"]), int(fields["bytes"]))
    except (ValueError, KeyError, TypeError):
        return None
    return entry if fields["seq"] == seq else None


def _encoded(**fields: object) -> bytes:
    return json.dumps({"schemaVersion": SCHEMA_VERSION, **fields}).encode()


@dataclass(slots=True)
class Chain:
    """What the entries added so far amount to: the batches before the first flaw."""

    last: int = 0
    """The highest entry seen."""
    epoch: int = 0
    """The newest driver seen."""
    kept: list[tuple[int, bytes]] = field(default_factory=list)
    """The sound batches, each with its entry's number."""
    flaw: tuple[int, str] | None = None
    """The first entry that is not sound, and why."""
    left_out: int = 0
    """Commits after the flaw."""

    @property
    def base(self) -> int:
        """The last entry that counts."""
        return self.kept[-1][0] if self.kept else 0

    @property
    def batches(self) -> tuple[bytes, ...]:
        """The sound batches, in order."""
        return tuple(batch for _, batch in self.kept)

    @property
    def lost(self) -> str | None:
        """One line on what was cut, None when nothing was."""
        if self.flaw is None:
            return None
        later = f" (later commits left out: {self.left_out})" if self.left_out else ""
        return f"{self.flaw[1]}; the record ends before it{later}"

    def add(self, seq: int, entry: Entry | None, body: bytes | None) -> None:
        """Go on with entry `seq` (None: not readable) and its journal object (None: missing)."""
        if seq > self.last + 1:
            self._stop(self.last + 1, f"{manifest_key(self.last + 1)}: missing")
        self.last = seq
        if entry is None:
            self._stop(seq, f"{manifest_key(seq)}: not readable")
            return
        self.epoch = max(self.epoch, entry.epoch)
        if isinstance(entry, Takeover):
            self._go_on_from(entry.base)
        elif flaw := entry.flaw(body):
            self._stop(seq, flaw)
        elif self.flaw is None and body is not None:
            self.kept.append((seq, body))
        else:
            self.left_out += 1

    def _stop(self, seq: int, flaw: str) -> None:
        if self.flaw is None:
            self.flaw = seq, flaw
        else:
            self.left_out += 1

    def _go_on_from(self, base: int) -> None:
        while self.kept and self.kept[-1][0] > base:
            self.kept.pop()
        if self.flaw is not None and self.flaw[0] > base:
            self.flaw, self.left_out = None, 0
