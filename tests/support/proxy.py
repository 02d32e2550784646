"""A proxy in front of an S3 server that misbehaves on order.

with S3Proxy(server, ignore_conditions=True) as proxy:   # a store that ignores conditional puts
    environment = server.environment(proxy.endpoint)

proxy.order(Fault("fail", method="PUT", key="manifest/", nth=2))            # refused with 503
proxy.order(Fault("lose", method="PUT", forwarded=True))                    # done, but the answer is lost
freeze = proxy.order(Fault("freeze"))                                       # until freeze.release.set()
proxy.order(Fault("freeze", seconds=3))                                     # a delay
proxy.order(Fault("freeze", seconds=3, times=None))                         # of all, until its release
"""

import hashlib
import hmac
import http.client
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from tests.support.s3 import REGION, SECRET_KEY, S3Server

CONDITIONS = {"if-none-match", "if-match"}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Fault:
    """What happens to the `nth` request from now on with this method and this text in its key, and to those
    after it up to `times` in all.

    `fail` answers `status`, `lose` closes the connection without an answer, `freeze` waits for `release`
    or for `seconds`, then goes on. `forwarded` lets the server act first. `happened` is set when it did.
    """

    action: Literal["fail", "lose", "freeze"]
    method: str = ""
    key: str = ""
    nth: int = 1
    times: int | None = 1
    """None: to all."""
    status: int = 503
    forwarded: bool = False
    seconds: float | None = None
    release: threading.Event = field(default_factory=threading.Event)
    happened: threading.Event = field(default_factory=threading.Event)

    def counts(self) -> bool:
        """Whether a request that it is about, which is counted with this, meets it."""
        self.nth -= 1
        return self.nth <= 0 and (self.times is None or self.nth > -self.times)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class S3Proxy:
    """A proxy that runs in threads of this process while it is entered as a context manager."""

    def __init__(self, server: S3Server, *, ignore_conditions: bool = False) -> None:
        self.upstream = server
        self.ignore_conditions = ignore_conditions
        self.requests: list[tuple[str, str]] = []
        """Method and object key of every request, in the order of their arrival; a listing has no key."""
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._listener = ThreadingHTTPServer((server.host, 0), type("Handler", (Handler,), {"proxy": self}))
        self._listener.daemon_threads = True
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def endpoint(self) -> str:
        return f"http://{self.upstream.host}:{self._listener.server_port}"

    def __enter__(self) -> "S3Proxy":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fault in self._faults:
            fault.release.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()

    def order(self, fault: Fault) -> Fault:
        """Have a fault happen; returned so that a test can wait for it or release it."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def arrive(self, method: str, target: str) -> Fault | None:
        """Note one request for /bucket/key; the fault that it meets, if any."""
        _, _, key = unquote(urlsplit(target).path).removeprefix("/").partition("/")
        with self._lock:
            self.requests.append((method, key))
            met = None
            for fault in self._faults:
                if fault.method in ("", method) and fault.key in key and fault.counts():
                    met = met or fault
            return met


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    proxy: S3Proxy

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.arrive(self.command, self.path)
        if fault is None:
            return self.send(self.forward(body))
        answer = self.forward(body) if fault.forwarded else None
        fault.happened.set()
        if fault.action == "lose":
            self.close_connection = True
        elif fault.action == "fail":
            self.send(Answer(fault.status, [], b""))
        else:
            fault.release.wait(fault.seconds)
            self.send(answer or self.forward(body))
        return None

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request  # noqa: N815 names that http.server looks up

    def forward(self, body: bytes) -> Answer:
        """The server's answer; 502 when it gives none."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.proxy.ignore_conditions and CONDITIONS & headers.keys():
            headers = resigned(self.command, self.path, headers)
        connection = http.client.HTTPConnection(self.proxy.upstream.host, self.proxy.upstream.port)
        try:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException) as error:
            return Answer(502, [], str(error).encode())
        finally:
            connection.close()

    def send(self, answer: Answer) -> None:
        length = str(len(answer.body))
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *args: object) -> None:
        """Nothing: a test reads `requests`."""


def resigned(method: str, path: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without conditions, and signed anew, as the signature covers them (AWS Signature V4)."""
    kept = {name: value for name, value in headers.items() if name not in CONDITIONS}
    algorithm, _, rest = kept["authorization"].partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    names = [name for name in fields["SignedHeaders"].split(";") if name not in CONDITIONS]
    address = urlsplit(path)
    query = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in parse_qsl(address.query, True))
    canonical = [method, address.path, "&".join(f"{name}={value}" for name, value in query)]
    canonical += [f"{name}:{' '.join(kept[name].split())}" for name in names]
    canonical += ["", ";".join(names), kept["x-amz-content-sha256"]]
    moment = kept["x-amz-date"]
    scope = f"{moment[:8]}/{REGION}/s3/aws4_request"
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, f"{algorithm}\n{moment}\n{scope}\n{digest}".encode(), "sha256").hexdigest()
    fields |= {"SignedHeaders": ";".join(names), "Signature": signature}
    return kept | {"authorization": f"{algorithm} " + ", ".join(f"{k}={v}" for k, v in fields.items())}


@pytest.fixture
def s3_proxy(s3_server: S3Server, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Proxy]:
    """A proxy through which this test's stores reach their bucket: it counts, and may fail."""
    with S3Proxy(s3_server) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy
