"""One request to an API server, one answer: plain JSON, or a stream of lines.

The client library finds the way there (certificates, tokens, plugins, proxies); its models are left aside,
as they would be built only to be taken apart again. Every request ends within its time.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTClientObject
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from trimtab_cli.cluster.errors import UnavailableError
from trimtab_cli.cluster.refusals import one_line, refusal

Document = dict[str, Any]
Load = Callable[[client.Configuration], None]
FIELD_MANAGER = "trimtab"
AGENT = "trimtab"
CONNECT_SECONDS = 10.0
_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_UNKNOWN = 401


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Document | None = None
    content: str = _JSON

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


class Api:
    """An API server; used as a context, so that its connections are given back."""

    def __init__(self, load: Load, namespace: str, name: str, seconds: float) -> None:
        self.namespace = namespace
        """The one that the command line means."""
        self.name = name
        """What the person calls this cluster."""
        self._load = load
        self._seconds = seconds
        self._configuration, self._http = self._opened()

    def __enter__(self) -> Self:
        """Begin; nothing is asked yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the connections back."""
        self._http.close()

    def read(self, path: str, **query: str) -> Document:
        """The object or list at a path."""
        return self._document(_Request("GET", path, query))

    def apply(self, path: str, document: Document, *, is_dry: bool = False, force: bool = False) -> Document:
        """The object after a server-side apply, which creates what is not there; unknown fields are refused.

        ConflictError where another party holds a field, unless forced.
        """
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": str(force).lower()}
        dry = {"dryRun": "All"} if is_dry else {}
        return self._document(_Request("PATCH", path, {**query, **dry}, document, _APPLY))

    def patch(self, path: str, change: Document) -> Document:
        """The object after a merge patch; ConflictError if it names a resourceVersion that is outdated."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        return self._document(_Request("PATCH", path, query, change, _MERGE))

    def lines(self, path: str, silent_seconds: float, **query: str) -> Iterator[bytes]:
        """Lines of a stream as they come, until the server ends it.

        UnavailableError when it breaks off, or says nothing for so long.
        """
        with self._answer(_Request("GET", path, query), silent_seconds) as answer:
            yield from answer

    def _document(self, request: _Request) -> Document:
        with self._answer(request, self._seconds) as answer:
            try:
                found: Document = json.loads(answer.data)
            except ValueError:
                raise UnavailableError(f"{self._place} answers, but not as an API server does") from None
        return found

    @contextmanager
    def _answer(self, request: _Request, seconds: float) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to a request, not read yet; credentials that are no longer taken are renewed once."""
        try:
            answer = self._sent(request, seconds)
            if answer.status == _UNKNOWN:
                answer.drain_conn()
                self._http.close()
                self._configuration, self._http = self._opened()
                answer = self._sent(request, seconds)
            try:
                if answer.status >= 400:
                    raise refusal(answer.status, answer.data)
                yield answer
            finally:
                answer.close()
        except (ApiException, HTTPError, OSError) as error:
            raise UnavailableError(
                f"the API server at {self._place} cannot be reached: {reason_of(error)}; check the network, "
                "or choose another --context"
            ) from None

    def _sent(self, request: _Request, seconds: float) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": _JSON, "Content-Type": request.content, "User-Agent": AGENT}
        token = self._configuration.get_api_key_with_prefix("BearerToken")
        if token:
            headers["Authorization"] = token
        answer = self._http.request(  # type: ignore[no-untyped-call]  # the library does not say
            request.method,
            self._configuration.host + request.target,
            headers,
            request.body,
            _request_timeout=(min(CONNECT_SECONDS, seconds), seconds),
        )
        found: urllib3.BaseHTTPResponse = answer.response
        return found

    def _opened(self) -> tuple[client.Configuration, RESTClientObject]:
        """How to reach the server, by the credentials as they are now, and connections to it."""
        configuration = client.Configuration(retries=False)
        self._load(configuration)
        if not configuration.verify_ssl:
            urllib3.disable_warnings(InsecureRequestWarning)  # the kubeconfig says so itself
        return configuration, RESTClientObject(configuration)

    @property
    def _place(self) -> str:
        return f"{self._configuration.host} ({self.name})"


def reason_of(error: BaseException) -> str:
    """Why a request did not get through, without the names of objects in memory."""
    text = re.sub(r"\[Errno -?\d+\] ", "", one_line(str(error.__cause__ or error)))
    return (
        text.rpartition("object at 0x")[2].partition(">: ")[2]
        or text.rpartition(": ")[2]
        or type(error).__name__
    )
