"""A stream of changes from an API server, which another thread may close."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit


class Watch:
    """An open watch; iterating gives kind of change and object until the server ends it or `close` does."""

    def __init__(self, url: str, headers: Mapping[str, str], trust: ssl.SSLContext) -> None:
        address = urlsplit(url)
        assert address.hostname
        self._connection = http.client.HTTPSConnection(address.hostname, address.port, context=trust)
        try:
            self._connection.request("GET", f"{address.path}?{address.query}", headers=dict(headers))
            self._answer = self._connection.getresponse()
        except BaseException:
            self._connection.close()
            raise
        self._socket = self._connection.sock
        if self.code != http.client.OK:  # nobody will read it
            self._answer.close()
            self._connection.close()

    @classmethod
    def open(cls, url: str, token: str, trust: ssl.SSLContext, options: Mapping[str, str]) -> "Watch":
        query = urlencode({**options, "watch": "true"})
        return cls(f"{url}?{query}", {"Authorization": f"Bearer {token}"}, trust)

    @property
    def code(self) -> int:
        """The server's answer: 200, or why there is no stream."""
        return self._answer.status

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            for line in self._answer:
                event = json.loads(line)
                yield event["type"], event["object"]
        except (OSError, ValueError, http.client.HTTPException):
            return  # the server went away, or `close` was called while we were reading
        finally:
            self._answer.close()
            self._connection.close()

    def close(self) -> None:
        """End the stream for the thread that reads it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
