"""Files that lie elsewhere, as paths of this machine: fetched once per node, verified, and kept.

    <cache>/fetched/<key>/<name>          the file, or the folder
    <cache>/fetched/<key>/.entry.json     written last: size and time of change of each file, else none counts
    <cache>/fetched/<key>.lock            held while an entry is looked at or filled

The key is a digest of the URI and of the SHA-256 or, without one, of what the server says of the version:
size, entity tag, date. A file that was replaced is thus another entry. What lies on this machine already is
verified where it is.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from trimtab_jobs.pool.base import DataPlace
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.store import MissingError, StoreError
from trimtab_jobs.store.base import Version
from trimtab_jobs.store.origin import bucket, digest_of, download, is_web, local_path, version_at

MOST_FILES = 100_000
"""A folder with more files is refused: an archive, or a table of the rows, is read many times faster."""
UNUSED_SECONDS = 30 * 86_400
"""What no worker has asked for in that time is removed when something else is fetched."""
_THREADS = 16
_SEAL = ".entry.json"


class DataError(ConfigurationError):
    """What lies at a URI is not there, not what was asked for, or has no room here; the text says the fix."""


def local_data(places: Mapping[str, DataPlace]) -> dict[str, str]:
    """Return the local path of each set of data, fetched if need be.

    DataError, or StoreError for a fault of the network, names the field.
    """
    paths = {}
    for name, place in places.items():
        with blamed(data_field(name)):
            paths[name] = str(cached_file(place.uri, place.sha256))
    return paths


def data_field(name: str) -> str:
    """Return how a message names one set of data."""
    return f"spec.task.data[{name}]"


@contextmanager
def blamed(field: str) -> Iterator[None]:
    """Put the field of the manifest before what is wrong with the data at a place or with its server."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{field}: {error}") from None
    except StoreError as error:
        raise StoreError(f"{field}: {error}") from None


def cached_file(uri: str, sha256: str | None = None) -> Path:
    """Return the local path of the file, or of the folder, at a path or a URI.

    Schemes are s3, gs, az, file, https, and http with a digest. A folder is a URI that ends in `/`, or below
    which objects lie; it has no digest. DataError when it is not there or another one, StoreError when the
    server or the disk fails.
    """
    path = local_path(uri)
    if path is not None:
        return _in_place(path, sha256)
    with _explained(uri, sha256):
        if sha256 is not None:
            return _kept(
                uri, f"{uri}\0{sha256}", lambda place: _fill_file(place, uri, version_at(uri).size, sha256)
            )
        found = _versions(uri)
        if isinstance(found, Version):
            return _kept(uri, f"{uri}\0{found}", lambda place: _fill_file(place, uri, found.size))
        return _kept(uri, f"{uri}\0{found}", lambda place: _fill_folder(place, uri, found))


def check_there(uri: str, sha256: str | None = None) -> None:
    """Verify what lies on this machine, ask for what lies elsewhere without fetching it; as `cached_file`."""
    path = local_path(uri)
    if path is not None:
        _in_place(path, sha256)
        return
    with _explained(uri, sha256):
        _versions(uri)


def cache_folder() -> Path:
    """Return where entries are kept: TRIMTAB_CACHE, else the user's cache, else the folder for temporaries.

    StoreError when none of them can be written to.
    """
    home = os.environ.get("XDG_CACHE_HOME") or f"{os.environ.get('HOME', '')}/.cache"
    wanted = Path(os.path.abspath(os.environ.get("TRIMTAB_CACHE") or f"{home}/trimtab"))
    if _is_usable(wanted):
        return wanted
    shared = Path(tempfile.gettempdir()) / f"trimtab-cache-{os.getuid()}"
    if _is_usable(shared) and shared.stat().st_uid == os.getuid():  # else anybody may have put files there
        return shared
    raise StoreError(f"{wanted}: cannot be written to; set TRIMTAB_CACHE to a folder that can")


def _is_usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _in_place(path: Path, sha256: str | None) -> Path:
    if not path.exists():
        raise DataError(f"{path} does not exist; write the right path")
    if sha256 is None:
        return path
    if path.is_dir():
        raise DataError(f"{path} is a folder, and sha256 is of one file; leave it out, or name the file")
    _verify(str(path), path, sha256)
    return path


def _verify(uri: str, path: Path, sha256: str) -> None:
    if (found := digest_of(path)) != sha256.lower():
        raise DataError(
            f"{uri} has the SHA-256 {found}, not {sha256}; bring the file back, or write the new digest"
        )


@contextmanager
def _explained(uri: str, sha256: str | None) -> Iterator[None]:
    """Refuse what cannot be asked for; turn "not there" into a DataError, the disk's into a StoreError."""
    if uri.startswith("http://") and sha256 is None:
        raise DataError(f"{uri}: over http anybody on the way may change it; add its sha256, or use https")
    if sha256 is not None and _is_folder(uri):
        raise DataError(f"{uri} is a folder, and sha256 is of one file; leave it out, or name the file")
    if is_web(uri) and _is_folder(uri):
        raise DataError(f"{uri}: a folder cannot be listed on the web; name one file, such as an archive")
    try:
        yield
    except MissingError:
        raise DataError(f"{uri}: nothing is there; write the right URI, or put it there") from None
    except OSError as error:
        why = error.strerror or error
        raise StoreError(f"{uri}: cannot be kept here: {why}; set TRIMTAB_CACHE to another folder") from error


def _versions(uri: str) -> Version | Mapping[str, Version]:
    """Return the version of the one file at a URI, or of every file of the folder there by its key in it."""
    if not _is_folder(uri):
        try:
            return version_at(uri)
        except MissingError:
            if is_web(uri):
                raise
    versions = bucket(uri).versions()
    if not versions:
        raise MissingError(uri)
    if len(versions) > MOST_FILES:
        raise DataError(f"{uri}: has {len(versions)} files, more than {MOST_FILES}; make one archive of them")
    return versions


def _is_folder(uri: str) -> bool:
    return uri.endswith("/") or not urlsplit(uri).path


def _kept(uri: str, identity: str, fill: Callable[[Path], None]) -> Path:
    """Return the file or folder of an entry, filled now unless it is there and as it was."""
    root = cache_folder() / "fetched"
    root.mkdir(mode=0o700, exist_ok=True)
    entry = root / hashlib.sha256(identity.encode()).hexdigest()[:32]
    place = entry / (uri.rstrip("/").rpartition("/")[2] or "data")
    with FileLock(f"{entry}.lock"):
        if not _is_whole(entry):
            remove_unused(root, UNUSED_SECONDS)
            entry.mkdir(exist_ok=True)
            fill(place)
            _seal(entry)
        os.utime(entry)
    return place


def _is_whole(entry: Path) -> bool:
    """Whether every file is as it was fetched; one that is not is removed, so that it is fetched again."""
    seal = entry / _SEAL
    try:
        kept: dict[str, list[int]] = json.loads(seal.read_bytes())
    except (FileNotFoundError, ValueError):
        _remove_partial(entry)
        return False
    damaged = [entry / name for name, facts in kept.items() if _facts(entry / name) != facts]
    for path in damaged:
        path.unlink(missing_ok=True)
        seal.unlink(missing_ok=True)
    return not damaged


def _facts(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _seal(entry: Path) -> None:
    """Make the entry count, with every file in it as it is now."""
    files = sorted(path for path in entry.rglob("*") if path.is_file())
    for path in files:
        path.chmod(0o444)  # it is shared: who writes into it would change what the next worker reads
    unfinished = entry / f"{_SEAL}.part"
    unfinished.write_text(json.dumps({str(path.relative_to(entry)): _facts(path) for path in files}))
    unfinished.replace(entry / _SEAL)


def _remove_partial(entry: Path) -> None:
    """Remove what a process left that was killed while it wrote: names of keys never start with a dot."""
    for path in [path for path in entry.rglob(".*") if path.is_file()]:
        path.unlink()


def _fill_file(place: Path, uri: str, size: int, sha256: str | None = None) -> None:
    _check_room(uri, place, size)
    download(uri, place, size)
    if sha256 is not None:
        try:
            _verify(uri, place, sha256)
        except DataError:
            place.unlink()
            raise


def _fill_folder(place: Path, uri: str, versions: Mapping[str, Version]) -> None:
    """Fetch the files that are not there yet, some at a time: a bucket answers slowly."""
    missing = {key: version for key, version in versions.items() if not (place / key).exists()}
    _check_room(uri, place, sum(version.size for version in missing.values()))
    store = bucket(uri)
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for _ in pool.map(lambda key: store.get_file(key, place / key), missing):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _check_room(uri: str, place: Path, size: int) -> None:
    free = shutil.disk_usage(place.parent).free
    if size > free:
        raise DataError(
            f"{uri}: has {size / 1e9:.1f} GB, and {cache_folder()} has {free / 1e9:.1f} GB of room; "
            "make room, or set TRIMTAB_CACHE to a folder of a larger disk"
        )


def remove_unused(root: Path, seconds: float) -> None:
    """Remove the folders in `root` that have not been touched for so long."""
    for entry in [path for path in root.iterdir() if path.is_dir()]:
        if entry.stat().st_mtime < time.time() - seconds:
            shutil.rmtree(entry, ignore_errors=True)
