"""Requests to an API server by what they are about, and the faults that may befall them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
REASONS = {409: "Conflict", 410: "Expired", 429: "TooManyRequests", 500: "InternalError", 504: "Timeout"}


@dataclass
class ApiRequest:
    """One request, by what it is about."""

    method: str
    path: str
    resource: str
    """Such as rayjobs, or with a subresource optimizationjobs/status; empty for what is no resource."""
    namespace: str
    name: str
    is_watch: bool
    resumes: bool
    """Whether a watch names the version from which it goes on."""
    body: bytes = field(repr=False, default=b"")
    code: int | None = None
    """The server's answer, or the fault's; None while there is none."""

    @property
    def is_write(self) -> bool:
        return self.method in WRITES

    @classmethod
    def of(cls, method: str, target: str, body: bytes) -> "ApiRequest":
        """The request for a target such as /apis/ray.io/v1/namespaces/vision/rayjobs?watch=true."""
        address = urlsplit(target)
        query = parse_qs(address.query)
        parts = address.path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:  # else it is about a namespace itself
            namespace, rest = rest[1], rest[2:]
        resource, name, *subresource = [*rest, "", ""][: max(2, len(rest))]
        is_watch = query.get("watch", ["false"])[0] in {"1", "true"}
        resumes = query.get("resourceVersion", ["0"])[0] not in {"", "0"}
        return cls(
            method, address.path, "/".join([resource, *subresource]), namespace, name, is_watch, resumes, body
        )


@dataclass
class Fault:
    """What happens to the `nth` matching request from now on, and to those after it up to `times` in all.

    `refuse` answers `status`; `lose` closes the connection without an answer; `freeze` waits for `release` or
    for `seconds`, then goes on; `kill` calls `kill` and closes the connection; `expire` answers a watch with
    410 Gone as the server does, within its stream. `forwarded` lets the server act first; else it never hears
    of the request, or only after the freeze. `happened` is set when it did. Empty criteria match everything.
    """

    action: Literal["refuse", "lose", "freeze", "kill", "expire"]
    method: str = ""
    resource: str = ""
    name: str = ""
    """A text in the object's name."""
    is_write: bool | None = None
    matches: Callable[[ApiRequest], bool] = lambda request: True
    nth: int = 1
    times: int | None = 1
    """None: until the proxy's `clear`."""
    forwarded: bool = False
    status: int = 500
    retry_after: int | None = None
    seconds: float | None = None
    kill: Callable[[], object] | None = None
    release: threading.Event = field(default_factory=threading.Event)
    happened: threading.Event = field(default_factory=threading.Event)
    met: int = 0
    """How many matching requests there were so far."""

    def is_met_by(self, request: ApiRequest) -> bool:
        """Count the request if it matches; whether it is the fault's turn."""
        if not (
            self.method in ("", request.method)
            and self.resource in ("", request.resource)
            and self.name in request.name
            and self.is_write in (None, request.is_write)
            and (self.action != "expire" or request.is_watch)
            and self.matches(request)
        ):
            return False
        self.met += 1
        return self.nth <= self.met and (self.times is None or self.met < self.nth + self.times)


def status_of(code: int) -> dict[str, Any]:
    """The body of a refusal."""
    reason = REASONS.get(code, "Unknown")
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"{reason}: ordered by a test",
        "reason": reason,
        "code": code,
    }
