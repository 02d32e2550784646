"""A proxy in front of an API server that notes every request and misbehaves on order.

    with ApiProxy(server.plane) as proxy:
        proxy.write_kubeconfig(path)                                          # for who is to go through it
        proxy.order(Fault("refuse", method="PATCH", resource="optimizationjobs/status", status=409))
        proxy.order(Fault("refuse", status=429, retry_after=1, times=5))
        proxy.order(Fault("lose", resource="rayjobs", forwarded=True))       # done, but the answer is lost
        proxy.order(Fault("kill", is_write=True, nth=3, kill=process.kill))  # dies before its third write
        proxy.order(Fault("expire", resource="rayjobs"))                     # 410 Gone to the next watch
        freeze = proxy.order(Fault("freeze", resource="leases"))             # until freeze.release.set()
        proxy.cut_watches("rayjobs")                                         # end the streams that are open
        proxy.muted.add("configmaps")                                        # streams stay, but say nothing

It speaks HTTP/1.1 under the API server's own certificate.
"""

import http.client
import json
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType

from tests.cluster.control_plane import ControlPlane
from tests.support.api_faults import ApiRequest, Fault, status_of
from tests.support.listener import Listener

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date"}


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    headers: list[tuple[str, str]]
    body: bytes


class ApiProxy:
    """A proxy that runs in threads of this process while it is entered as a context manager."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.requests: list[ApiRequest] = []
        """Every request, in the order of their arrival."""
        self.muted: set[str] = set()
        """Resources whose watches stay open and say nothing."""
        self.trust = ssl.create_default_context(cafile=plane.certificate)
        self._faults: list[Fault] = []
        self._streams: list[tuple[ApiRequest, socket.socket]] = []
        self._lock = threading.Lock()
        self._is_open = True
        self._listener = Listener(type("Handler", (Handler,), {"proxy": self}))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(plane.certificate, plane.certificate.with_suffix(".key"))
        self._listener.socket = context.wrap_socket(
            self._listener.socket,
            server_side=True,
            do_handshake_on_connect=False,  # else a client that says nothing would hold up all others
        )
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._listener.server_port}"

    @property
    def writes(self) -> list[ApiRequest]:
        """The requests that change something."""
        return [each for each in list(self.requests) if each.is_write]

    def write_kubeconfig(self, path: Path, token: str | None = None) -> Path:
        """Write a kubeconfig that leads through this proxy; an administrator's, or a token's owner's."""
        self.plane.write_kubeconfig(path, token or self.plane.token, self.url)
        return path

    def __enter__(self) -> "ApiProxy":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fault in self._faults:
            fault.release.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.hang_up()
        with self._lock:
            self._is_open = False
        self.cut_watches()
        self._listener.server_close()

    def order(self, fault: Fault) -> Fault:
        """Have a fault happen; returned so that a test can wait for it or release it."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults that are ordered, and release who waits for one."""
        with self._lock:
            for fault in self._faults:
                fault.release.set()
            self._faults.clear()
        self.muted.clear()

    def cut_watches(self, resource: str = "") -> int:
        """End the open watches of a resource, or all, in mid-stream; returns how many there were."""
        with self._lock:
            cut = [each for request, each in self._streams if resource in ("", request.resource)]
        for each in cut:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        return len(cut)

    def arrive(self, request: ApiRequest) -> Fault | None:
        """Note one request; the fault that it meets, if any."""
        with self._lock:
            self.requests.append(request)
            met = [fault for fault in self._faults if fault.is_met_by(request)]  # every fault counts it
            return met[0] if met else None

    def follow(self, request: ApiRequest, upstream: socket.socket) -> None:
        """Note a watch that is open; OSError if that came so late that nobody would end it."""
        with self._lock:
            if not self._is_open:
                raise ConnectionAbortedError("the proxy has ended")
            self._streams.append((request, upstream))

    def forget(self, request: ApiRequest) -> None:
        with self._lock:
            self._streams = [each for each in self._streams if each[0] is not request]


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: ApiProxy
    upstream: http.client.HTTPSConnection | None = None

    def finish(self) -> None:
        if self.upstream:
            self.upstream.close()
        super().finish()

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = ApiRequest.of(self.command, self.path, body)
        fault = self.proxy.arrive(request)
        try:
            if fault is None:
                self.forward(request)
            else:
                self.suffer(request, fault)
        except (OSError, http.client.HTTPException):  # the server is away, or a watch was cut
            self.hang_up()

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_request  # noqa: N815 http.server's names

    def suffer(self, request: ApiRequest, fault: Fault) -> None:
        """Have a fault happen to a request."""
        is_done = fault.forwarded and not request.is_watch  # which would not end
        done = self.read(self.ask(request)) if is_done else None
        fault.happened.set()
        if fault.action == "refuse":
            request.code = fault.status
            self.send(refusal(fault))
        elif fault.action == "expire":
            request.code = 410
            self.begin_stream()
            self.send_chunk(json.dumps({"type": "ERROR", "object": status_of(410)}).encode() + b"\n")
            self.send_chunk(b"")
        elif fault.action == "freeze":
            fault.release.wait(fault.seconds)
            self.send(done) if done else self.forward(request)
        else:
            if fault.kill:
                fault.kill()
            self.hang_up()

    def forward(self, request: ApiRequest) -> None:
        """Give the client what the server answers."""
        answer = self.ask(request)
        request.code = answer.status
        if request.is_watch and answer.status == http.client.OK:
            self.stream(request, answer)
        else:
            self.send(self.read(answer))

    def ask(self, request: ApiRequest) -> http.client.HTTPResponse:
        """The server's answer, over the connection that this client's earlier requests went."""
        if self.upstream is None:
            port = self.proxy.plane.ports["api"]
            self.upstream = http.client.HTTPSConnection("127.0.0.1", port, context=self.proxy.trust)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        self.upstream.request(request.method, self.path, request.body or None, headers)
        return self.upstream.getresponse()

    def read(self, answer: http.client.HTTPResponse) -> Answer:
        return Answer(answer.status, answer.getheaders(), answer.read())

    def stream(self, request: ApiRequest, answer: http.client.HTTPResponse) -> None:
        """Pass events on as they come, until one side ends the stream."""
        assert self.upstream
        self.proxy.follow(request, self.upstream.sock)
        try:
            self.begin_stream()
            while events := answer.read1():
                if request.resource not in self.proxy.muted:
                    self.send_chunk(events)
            self.send_chunk(b"")
        finally:
            self.proxy.forget(request)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def send(self, answer: Answer) -> None:
        self.send_response(answer.code)
        for name, value in answer.headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def hang_up(self) -> None:
        """End the connection; what was not answered never will be."""
        self.close_connection = True
        if self.upstream:
            self.upstream.close()
            self.upstream = None

    def log_message(self, *args: object) -> None:
        """Nothing: a test reads `requests`."""


def refusal(fault: Fault) -> Answer:
    later = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
    body = json.dumps(status_of(fault.status)).encode()
    return Answer(fault.status, [("Content-Type", "application/json"), *later], body)
