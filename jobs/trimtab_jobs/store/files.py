"""Files that appear whole and stay: temporary file, fsync, one atomic step, fsync of the folder."""

import errno
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from trimtab_jobs.store.errors import FullError, StoreError

_CHUNK_BYTES = 4 * 1024 * 1024

_FULL = "free space, or choose another --output"
_CLOSED = "make it writable, or choose another --output"
_OTHER = "choose another --output"
_CAUSES = {
    errno.ENOSPC: ("the disk is full", _FULL),
    errno.EDQUOT: ("the disk quota is used up", _FULL),
    errno.EROFS: ("the file system is read-only", _CLOSED),
    errno.EACCES: ("permission denied", _CLOSED),
    errno.EPERM: ("not permitted here (locked, or a file system without hard links)", _OTHER),
    errno.ENOTSUP: ("the file system has no hard links or no locks", _OTHER),
    errno.ENOTDIR: ("a file stands where a folder is needed", _OTHER),
    errno.EISDIR: ("a folder stands where a file is needed", _OTHER),
}


@contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turns an OSError into one StoreError (FullError) that names the place, the cause and the fix."""
    try:
        yield
    except OSError as error:
        cause, fix = _CAUSES.get(error.errno or 0, (error.strerror or str(error), _OTHER))
        kind = FullError if fix is _FULL else StoreError
        raise kind(f"{place}: {cause}; {fix}") from error


def chunks(source: BinaryIO) -> Iterator[bytes]:
    """An open file from its start, in pieces that fit in memory."""
    source.seek(0)
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each durable in its own parent; nothing happens when it is there."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        if path.is_file():  # else another writer made the folder
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a crash of the machine."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that appears whole or not at all; for scratch, so it is not made to survive a crash."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as file:
                file.writelines(pieces)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def temporary(folder: Path) -> Iterator[BinaryIO]:
    """A new file in `folder`, gone afterwards unless renamed. Its lock shows that its writer is alive."""
    make_folder(folder)
    file = _locked_file(folder)
    try:
        yield file
    finally:
        with suppress(FileNotFoundError):
            os.unlink(file.name)
        with suppress(
            OSError
        ):  # closing flushes: on a full disk that fails again, after the cause was raised
            file.close()


def remove_abandoned(folder: Path) -> None:
    """Remove the temporaries in `folder` whose writers died; those that may not be removed do no harm."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            with path.open("rb") as file:
                if _takes_lock(file):
                    path.unlink(missing_ok=True)


def _locked_file(folder: Path) -> BinaryIO:
    while True:
        file = (folder / secrets.token_hex(8)).open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # it was taken for abandoned between its opening and its lock


def _takes_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
