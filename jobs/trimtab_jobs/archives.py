"""Archives of code: unpacked as plain files and folders below one folder, or refused in one sentence.

Nothing that an archive says about itself is trusted: names, kinds and sizes are judged member by member, and
what comes out is counted while it is written.
"""

import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast
from zipfile import ZipInfo

CHUNK_BYTES = 64 * 1024
HEADER_BYTES = 1024 * 1024
"""A tar's header longer than this is refused: tarfile would read it into memory as a whole."""
_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError)
_DEPTH = 32
_LOCKED = 1
_PARTIAL = ".unpacking-"


class ArchiveError(Exception):
    """The archive is not unpacked; says which member, and why."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How much may come out of an archive."""

    entries: int = 10_000
    total_bytes: int = 512 * 1024 * 1024


USUAL_CAPS = Caps()


class _Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    kind: str
    """file, folder, or what else it is."""
    content: _Source | None = None


def unpack(archive: Path, folder: Path, caps: Caps = USUAL_CAPS) -> None:
    """Put the content of a zip or tar.gz below a folder that is there; ArchiveError when any may not be.

    Nothing is left of an archive that is refused; what an earlier one left under the same names is replaced.
    """
    for left in folder.glob(f"{_PARTIAL}*"):
        shutil.rmtree(left)
    partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=folder))
    try:
        _write_all(archive, partial, caps)
        for path in partial.iterdir():
            _replace(path, folder / path.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_all(archive: Path, folder: Path, caps: Caps) -> None:
    left = caps.total_bytes
    try:
        for number, member in enumerate(_members(archive, caps)):
            if number >= caps.entries:
                raise ArchiveError(f"holds more than {caps.entries} files and folders")
            target = folder / _checked_name(member)
            if member.kind == "folder":
                _make_folder(target)
            elif member.content is not None:
                left -= _write(member, target, left, caps)
    except _BROKEN as error:
        raise ArchiveError(f"cannot be read: {str(error) or type(error).__name__}") from None


def _checked_name(member: _Member) -> PurePosixPath:
    """The member's path below the folder; ArchiveError when it leads out of it, or is no file or folder."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
        raise ArchiveError(f"{member.name!r} leads out of the folder it is unpacked to")
    if member.kind not in ("file", "folder"):
        raise ArchiveError(f"{member.name!r} is a {member.kind}; only files and folders are unpacked")
    if len(path.parts) > _DEPTH:
        raise ArchiveError(f"{member.name[:60]!r}… lies more than {_DEPTH} folders deep")
    return path


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError(f"{path.name!r} cannot be made: {error.strerror}") from None


def _write(member: _Member, target: Path, most: int, caps: Caps) -> int:
    """Write a new file; return its bytes."""
    assert member.content is not None  # a file has one
    _make_folder(target.parent)
    written = 0
    try:
        with target.open("xb") as file:
            while chunk := member.content.read(CHUNK_BYTES):
                written += len(chunk)
                if written > most:
                    raise ArchiveError(f"unpacks to more than {caps.total_bytes} bytes")
                file.write(chunk)
    except FileExistsError:
        raise ArchiveError(f"{member.name!r} is there twice") from None
    except gzip.BadGzipFile:  # an OSError, but the archive's
        raise
    except OSError as error:
        raise ArchiveError(f"{member.name!r} cannot be written: {error.strerror}") from None
    return written


def _members(archive: Path, caps: Caps) -> Iterator[_Member]:
    with archive.open("rb") as file:
        start = file.read(4)
    if start.startswith(_GZIP):
        return _tar_members(archive, caps)
    if start in _ZIP:
        return _zip_members(archive)
    raise ArchiveError("is neither a zip nor a tar.gz")


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = _kind_in_zip(info)
            if kind != "file":
                yield _Member(info.filename, kind)
                continue
            with opened.open(info) as content:
                yield _Member(info.filename, kind, content)


def _kind_in_zip(info: ZipInfo) -> str:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "symbolic link"
    if info.is_dir():
        return "folder"
    if info.flag_bits & _LOCKED:
        return "file with a password"
    return "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "special file"


def _tar_members(archive: Path, caps: Caps) -> Iterator[_Member]:
    with gzip.open(archive) as unzipped:
        stream = _Bounded(unzipped, 2 * caps.total_bytes + HEADER_BYTES)
        with tarfile.TarFile(fileobj=cast(IO[bytes], stream)) as opened:
            while info := opened.next():
                stream.is_in_header = False
                kind = _kind_in_tar(info)
                yield _Member(info.name, kind, opened.extractfile(info) if kind == "file" else None)
                stream.begin_header()


def _kind_in_tar(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return "folder"
    if info.issym():
        return "symbolic link"
    if info.islnk():
        return "hard link"
    return "file" if info.isreg() and not info.issparse() else "special file"


class _Bounded:
    """A stream that is read forward only, up to a limit in all and to another one within each header."""

    def __init__(self, stream: _Source, most: int) -> None:
        self._stream = stream
        self._left = most
        self._position = 0
        self._header_left = HEADER_BYTES
        self.is_in_header = True

    def begin_header(self) -> None:
        """Count anew what the next header takes."""
        self.is_in_header, self._header_left = True, HEADER_BYTES

    def read(self, size: int) -> bytes:
        """The next bytes; ArchiveError when that would be more than an honest archive needs."""
        self._left -= size
        self._header_left -= size if self.is_in_header else 0
        if self._header_left < 0:
            raise ArchiveError(f"has a header of more than {HEADER_BYTES} bytes")
        if self._left < 0:
            raise ArchiveError("unpacks to more bytes than its files may have")
        found = self._stream.read(size)
        self._position += len(found)
        return found

    def seek(self, position: int) -> int:
        """Go forward by reading."""
        while self._position < position and self.read(min(CHUNK_BYTES, position - self._position)):
            pass
        return self._position

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._position


def _replace(path: Path, target: Path) -> None:
    """Move to where an earlier archive may have left something."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    os.replace(path, target)
