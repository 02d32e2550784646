"""From a URI to its store."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trimtab_jobs.store.base import Store
from trimtab_jobs.store.errors import StoreError
from trimtab_jobs.store.local import LocalStore
from trimtab_jobs.store.patience import Tell, in_silence

_REMOTE = {"s3", "gs", "az"}
_SHAPES = "use a folder, file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"


def open_store(uri: str, tell: Tell = in_silence) -> Store:
    """The store at a path or URI, before anything is written or asked; StoreError when it names no store.

    `tell` hears why it is waited for, and "" once it does its part again.

    A remote store takes endpoint and credentials from the environment (AWS_ENDPOINT_URL,
    AWS_ACCESS_KEY_ID, …).
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return LocalStore(Path(uri), tell)
    if scheme == "file":
        return LocalStore(_folder_of(uri), tell)
    if scheme not in _REMOTE:
        raise StoreError(f"{uri}: {scheme}:// is not a store that can be opened here; {_SHAPES}")
    if not rest.strip("/") or re.search(r"[?#%\s]", rest):
        raise StoreError(f"{uri}: needs a bucket, and no spaces, '?', '#' or '%'; {_SHAPES}")
    from trimtab_jobs.store.remote import RemoteStore  # only who uses a bucket pays for the client

    return RemoteStore(uri, tell=tell)


def _folder_of(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise StoreError(f"{uri}: a file URI names a folder of this machine: file:///folder")
    return Path(unquote(parts.path))
