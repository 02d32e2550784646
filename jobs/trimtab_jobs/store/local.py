"""A store in a folder: every object is a file."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from trimtab_jobs.store import files
from trimtab_jobs.store.base import checked_key, checked_prefix
from trimtab_jobs.store.errors import ExistsError, FullError, MissingError
from trimtab_jobs.store.patience import Patience, Tell, Wait, in_silence

# One folder for all temporaries, so that opening a store finds the abandoned ones without walking it.
_TEMPORARIES = ".partial"
_ATTEMPTS = 100
Pieces = Callable[[], Iterable[bytes]]


class LocalStore:
    """Keys are paths below a folder, which the first write makes."""

    def __init__(self, root: Path, tell: Tell = in_silence) -> None:
        self._patience = Patience.usual()
        self._tell = tell
        self._root = Path(os.path.abspath(root))
        self._temporaries = self._root / _TEMPORARIES
        self.uri = str(self._root)
        files.remove_abandoned(self._temporaries)

    def get(self, key: str) -> bytes:
        """The file's bytes; MissingError when there is none."""
        with self._open(key) as file, files.explained(self._path(key)):
            return file.read()

    def put(self, key: str, body: bytes) -> None:
        """Write or replace the file."""
        self._write(key, lambda: [body], os.replace)

    def create(self, key: str, body: bytes) -> None:
        """Write the file if there is none, else ExistsError."""
        self._write(key, lambda: [body], _link)

    def list(self, prefix: str = "") -> list[str]:
        """The keys below the folder `prefix`, sorted."""
        folder = checked_prefix(prefix)
        with files.explained(self._root / folder):
            return sorted(_keys_below(self._root / folder, f"{folder}/" if folder else ""))

    def delete(self, key: str) -> None:
        """Remove the file and the folders that this leaves empty, so that their names are free for keys."""
        path = self._path(key)
        with files.explained(path):
            if path.is_file():
                path.unlink(missing_ok=True)
                self._remove_empty(path.parent)

    def put_file(self, key: str, path: Path) -> None:
        """Write or replace the file with a copy of `path`."""
        with path.open("rb") as source:
            self._write(key, lambda: files.chunks(source), os.replace)

    def get_file(self, key: str, path: Path) -> None:
        """Copy the file to `path`."""
        with self._open(key) as source:
            files.write_whole(path, files.chunks(source))

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _open(self, key: str) -> BinaryIO:
        path = self._path(key)
        with files.explained(path):
            try:
                return path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise MissingError(f"{path}: not there") from None

    def _write(self, key: str, pieces: Pieces, publish: Callable[[str, Path], None]) -> None:
        """Write a file; on a full disk again and again, as long as there is patience."""
        wait = Wait(self._tell)
        while True:
            try:
                self._write_once(key, pieces(), publish)
            except FullError as error:
                if not wait.go_on(str(error), self._patience.room):
                    raise
            else:
                return wait.succeed()

    def _write_once(self, key: str, pieces: Iterable[bytes], publish: Callable[[str, Path], None]) -> None:
        target = self._path(key)
        with files.explained(target), files.temporary(self._temporaries) as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
            _publish(file.name, target, publish)
            with suppress(FileNotFoundError):  # deleted already, and its folder with it
                files.sync_folder(target.parent)

    def _remove_empty(self, folder: Path) -> None:
        with suppress(OSError):  # not empty, or another writer was first
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent


def _publish(source: str, target: Path, publish: Callable[[str, Path], None]) -> None:
    for _ in range(_ATTEMPTS):  # until no delete removes the folder, as an empty one, just before it is used
        with suppress(FileNotFoundError):
            files.make_folder(target.parent)
            return publish(source, target)
    return publish(source, target)


def _link(source: str, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target)) from None
        raise ExistsError(f"{target}: already there") from None


def _keys_below(folder: Path, prefix: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _keys_below(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name
