"""The one small protocol through which everything durable is read and written."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# No segment starts with a dot: this rules out "." and "..", and leaves such names to the store itself
# (temporaries) and to the system (.DS_Store, .nfs…), none of which is ever listed.
_SEGMENT = re.compile(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*")
_SEGMENT_BYTES = 255  # a file name on ext4, xfs and APFS
_KEY_BYTES = 1024  # S3


@dataclass(frozen=True, slots=True)
class Version:
    """By what a file that was replaced is told from the one before."""

    size: int
    """Bytes."""
    tag: str
    """The server's entity tag, else its date of the file."""


class Store(Protocol):
    """Objects under keys such as `logs/7.log`: whole and durable, or not there at all.

    A key is one or more segments joined by "/", none of which starts with a dot, and a key is never another
    key's folder (a StoreError on folders and on servers that keep objects as files).
    Every method raises StoreError, with the fix, when the store itself cannot do its part.
    """

    uri: str
    """Opens the same store elsewhere: `open_store(uri)`."""

    def get(self, key: str) -> bytes:
        """The object's bytes; MissingError when there is none."""
        ...

    def put(self, key: str, body: bytes) -> None:
        """Write or replace the object; on return it survives a crash of the machine."""
        ...

    def create(self, key: str, body: bytes) -> None:
        """Write the object if the key is free, else ExistsError: of racing writers exactly one succeeds."""
        ...

    def list(self, prefix: str = "") -> list[str]:
        """The keys below the folder `prefix` (whole segments: "a" finds a/b, neither a nor ab/c), sorted."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Like put, streamed from a local file (FileNotFoundError when that is not there)."""
        ...

    def get_file(self, key: str, path: Path) -> None:
        """Like get, streamed into a local file, which appears whole or not at all."""
        ...


def is_key(text: str) -> bool:
    """Whether `text` may name an object."""
    segments = text.split("/")
    return len(text.encode()) <= _KEY_BYTES and all(
        _SEGMENT.fullmatch(segment) and len(segment.encode()) <= _SEGMENT_BYTES for segment in segments
    )


def checked_key(key: str) -> str:
    """`key` itself; ValueError when it could leave the store or could not be stored everywhere."""
    if not is_key(key):
        raise ValueError(
            f"{key!r} is no key of a store: use segments joined by '/', none empty or starting with a dot, "
            f"no backslash or control character, up to {_SEGMENT_BYTES} bytes each and {_KEY_BYTES} in all"
        )
    return key


def checked_prefix(prefix: str) -> str:
    """The folder that `prefix` names, without a closing slash; "" is the whole store."""
    folder = prefix.removesuffix("/")
    return checked_key(folder) if folder else ""
