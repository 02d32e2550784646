"""Files of others that are only read: below a path of this machine, in a bucket, or at a web address."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from trimtab_jobs.store.base import Version
from trimtab_jobs.store.errors import StoreError
from trimtab_jobs.store.uri import open_store

if TYPE_CHECKING:
    from trimtab_jobs.store.remote import RemoteStore

_WEB = ("https://", "http://")


def local_path(uri: str) -> Path | None:
    """The path that a URI of `file://`, or one without a scheme, means here; None for any other URI."""
    if "://" not in uri:
        return Path(uri)
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.netloc in ("", "localhost") else None


def is_web(uri: str) -> bool:
    """Whether it is a web address: one file, as folders cannot be listed there."""
    return uri.startswith(_WEB)


def version_at(uri: str) -> Version:
    """The version of the one file at a URI of a bucket or of the web; MissingError when there is none."""
    if is_web(uri):
        from trimtab_jobs.store.web import web_version  # only who needs it pays for the client

        return web_version(uri)
    folder, name = _folder_and_name(uri)
    return bucket(folder).version(name)


def bucket(uri: str) -> "RemoteStore":
    """The bucket, or the folder of one, at a URI of s3, gs or az; StoreError for any other."""
    from trimtab_jobs.store.remote import RemoteStore

    store = open_store(uri)
    if not isinstance(store, RemoteStore):
        raise StoreError(f"{uri}: is not in a bucket")
    return store


def download(uri: str, path: Path, most_bytes: int) -> None:
    """Copy the file at a URI to `path`, which appears whole or not at all.

    StoreError when it cannot be had or is larger than `most_bytes`, MissingError when it is not there.
    """
    if is_web(uri):
        from trimtab_jobs.store.web import get_web_file

        get_web_file(uri, path, most_bytes)
        return
    folder, name = _folder_and_name(uri)
    open_store(folder).get_file(name, path)
    if path.stat().st_size > most_bytes:
        raise StoreError(f"{uri}: is larger than {most_bytes} bytes")


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_and_name(uri: str) -> tuple[str, str]:
    folder, _, name = uri.rpartition("/")
    if not name or folder.endswith("/") or not folder:
        raise StoreError(f"{uri}: names no file; write s3://bucket/folder/file")
    return folder, name
