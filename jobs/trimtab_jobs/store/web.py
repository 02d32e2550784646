"""A file at a web address, read by the same client as buckets."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import HTTPStore

from trimtab_jobs.store import files
from trimtab_jobs.store.base import Version
from trimtab_jobs.store.errors import MissingError, StoreError
from trimtab_jobs.store.remote import version_of

_TIMEOUT = timedelta(minutes=10)
"""One download: it is a single request, since not every server answers ranges."""


def get_web_file(uri: str, path: Path, most_bytes: int) -> None:
    """Copy the file at an http or https address to `path`; StoreError when it is not there or too large.

    The caller verifies what came: over plain http anybody on the way may have changed it.
    """
    with _asking(uri) as (server, name):
        stream = iter(obstore.get(server, name).stream())
        files.write_whole(path, _at_most(stream, uri, most_bytes))


def web_version(uri: str) -> Version:
    """What the server says of the file at an http or https address; MissingError when it is not there."""
    with _asking(uri) as (server, name):
        return version_of(obstore.head(server, name))


@contextmanager
def _asking(uri: str) -> Iterator[tuple[HTTPStore, str]]:
    """The server of an address and the path there; its refusals are a StoreError each."""
    parts = urlsplit(uri)
    if parts.query or parts.fragment or not parts.path.strip("/"):
        raise StoreError(f"{uri}: names no file; write https://host/folder/file")
    try:
        server = HTTPStore.from_url(
            f"{parts.scheme}://{parts.netloc}/",
            client_options={"allow_http": parts.scheme == "http", "timeout": _TIMEOUT},
        )
        yield server, parts.path.strip("/")
    except FileNotFoundError:
        raise MissingError(f"{uri}: not there") from None
    except BaseError as error:
        raise StoreError(f"{uri}: {str(error).splitlines()[0]}; check the address and the network") from None


def _at_most(pieces: Iterator[bytes], uri: str, most_bytes: int) -> Iterator[bytes]:
    """The pieces of a file that is not larger than that."""
    left = most_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise StoreError(f"{uri}: is larger than {most_bytes} bytes")
        yield bytes(piece)
