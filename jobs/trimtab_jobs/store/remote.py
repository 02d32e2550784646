"""A store in a bucket: S3 and what speaks its language, Google Cloud Storage, Azure.

The client's own retries are kept short; the loop here decides how long to go on, so that every operation
survives a restart of the server, and a write whose answer was lost is told from somebody else's.
"""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

from trimtab_jobs import alive
from trimtab_jobs.store import files
from trimtab_jobs.store.answers import Refusal, credentials_of, refusal_of
from trimtab_jobs.store.base import Version, checked_key, checked_prefix, is_key
from trimtab_jobs.store.errors import ExistsError, FullError, MissingError, StoreError
from trimtab_jobs.store.patience import Patience, Tell, Wait, in_silence

if TYPE_CHECKING:
    from obstore import ObjectMeta

_RANGE_BYTES = 8 * 1024 * 1024
_PARTS = 4
"""Parts of one object that are sent side by side."""
_WRITER = "writer"

T = TypeVar("T")


class RemoteStore:
    """Keys are objects below the URI's prefix; credentials and endpoint come from the environment."""

    def __init__(self, uri: str, patience: Patience | None = None, tell: Tell = in_silence) -> None:
        self.uri = uri.rstrip("/")
        self._patience = patience or Patience.usual()
        self._tell = tell
        self._remote = _connect(self.uri, self._patience)
        self._answered = False

    def get(self, key: str) -> bytes:
        """The object's bytes; MissingError when there is none."""
        path = checked_key(key)
        return self._persist(key, lambda: bytes(obstore.get(self._remote, path).bytes()))

    def put(self, key: str, body: bytes) -> None:
        """Write or replace the object."""
        path = checked_key(key)
        put = partial(obstore.put, self._remote, path, body, max_concurrency=_PARTS)
        self._persist(key, put, len(body))

    def create(self, key: str, body: bytes) -> None:
        """Write the object if there is none, else ExistsError."""
        self._persist(key, partial(self._create_as, secrets.token_hex(16), checked_key(key), body))

    def list(self, prefix: str = "") -> list[str]:
        """The keys below the folder `prefix`, sorted."""
        folder = checked_prefix(prefix)
        found = self._persist(folder, lambda: obstore.list(self._remote, folder or None).collect())
        return sorted(key for key in (str(each["path"]) for each in found) if is_key(key))

    def delete(self, key: str) -> None:
        """Remove the object."""
        path = checked_key(key)
        try:
            self._persist(key, lambda: obstore.delete(self._remote, path))
        except MissingError:  # the word of Google's and Azure's stores; S3 says nothing
            return

    def put_file(self, key: str, path: Path) -> None:
        """Write or replace the object with a copy of `path`, in parts sent side by side."""
        size = path.stat().st_size  # afterwards, "not found" can only be the server's word
        put = partial(obstore.put, self._remote, checked_key(key), path, max_concurrency=_PARTS)
        self._persist(key, put, size)

    def get_file(self, key: str, path: Path) -> None:
        """Copy the object to `path`, range by range, so that no request outlasts its time."""
        source = checked_key(key)
        meta = self._persist(key, lambda: obstore.head(self._remote, source))
        files.write_whole(path, self._ranges(source, meta["size"], meta["e_tag"]))

    def version(self, key: str) -> Version:
        """What the server says of the object without its bytes; MissingError when there is none."""
        path = checked_key(key)
        return version_of(self._persist(key, lambda: obstore.head(self._remote, path)))

    def versions(self) -> dict[str, Version]:
        """The version of every object by its key, in order of the keys."""
        found = self._persist("", lambda: obstore.list(self._remote).collect())
        versions = {str(each["path"]): version_of(each) for each in found}
        return {key: versions[key] for key in sorted(versions) if is_key(key)}

    def _create_as(self, writer: str, key: str, body: bytes) -> None:
        """Create the object marked with `writer`: what is there with this mark is an earlier attempt."""
        try:
            obstore.put(self._remote, key, body, mode="create", attributes={_WRITER: writer})
        except AlreadyExistsError as error:
            try:
                found = obstore.get(self._remote, key).attributes
            except FileNotFoundError:
                raise error from None  # a folder in the way, or another create under way: refusal_of() tells
            if found.get(_WRITER) != writer:
                raise ExistsError(f"{self.uri}/{key}: already there") from None

    def _ranges(self, key: str, size: int, e_tag: str | None) -> Iterator[bytes]:
        for start in range(0, size, _RANGE_BYTES):
            end = min(start + _RANGE_BYTES, size)
            yield self._persist(key, partial(self._range, key, (start, end), e_tag))

    def _range(self, key: str, span: tuple[int, int], e_tag: str | None) -> bytes:
        # The tag keeps the halves of two versions from being put together.
        return bytes(obstore.get(self._remote, key, options={"range": span, "if_match": e_tag}).bytes())

    def _persist(self, key: str, attempt: Callable[[], T], size: int = 0) -> T:
        """`attempt()`'s result, tried again while the server gives no answer or none that is final.

        An attempt sends `size` bytes.
        """
        wait = Wait(self._tell)
        while True:
            alive.sign(self._patience.request * size / (_PARTS * _RANGE_BYTES))
            try:
                result = attempt()
            except (BaseError, FileNotFoundError) as error:
                refusal = refusal_of(error, self.uri)
                self._answered = self._answered or refusal.full  # it is the right server
                limit = self._patience.total if self._answered else self._patience.first
                if refusal.final or not wait.go_on(f"{self.uri}: {refusal.text}", limit):
                    raise self._explained(key, refusal) from error
            else:
                self._answered = True
                wait.succeed()
                return result

    def _explained(self, key: str, refusal: Refusal) -> StoreError:
        kind = MissingError if refusal.missing else FullError if refusal.full else StoreError
        return kind(f"{self.uri}/{key}".rstrip("/") + f": {refusal.text}")


def version_of(meta: "ObjectMeta") -> Version:
    """The version of a file by what a server says of it."""
    return Version(meta["size"], meta["e_tag"] or meta["last_modified"].isoformat())


def _connect(uri: str, patience: Patience) -> ObjectStore:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if uri.startswith("s3:") and not re.fullmatch(r"(https?://\S+)?", endpoint):
        raise StoreError(f"{uri}: AWS_ENDPOINT_URL={endpoint!r} is no address; write http(s)://host:port")
    try:
        return from_url(
            uri,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "timeout": timedelta(seconds=patience.request),
                "connect_timeout": timedelta(seconds=min(5.0, patience.request)),
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=patience.request)},
        )
    except BaseError as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{uri}: {reason}; check {credentials_of(uri)}") from error
