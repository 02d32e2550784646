"""Whether the operator lives, for the kubelet: each part gives signs of life, and one that is silent shows.

    part ──beat──> Heartbeats ──health──> /healthz ──> 200, or 503 that names the silent parts

The kubelet then starts it again. A stuck watch or worker does not end the process: only its silence tells.
"""

import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Reply:
    """What one path answers."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Routes = Mapping[str, Callable[[], Reply]]
"""Answers by path, such as /healthz."""


@dataclass(frozen=True, slots=True)
class _Beat:
    """The last sign of life of a part."""

    at: float
    due: float


class Heartbeats:
    """When each part gave its last sign of life, and when the next is due."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beats: dict[str, _Beat] = {}

    def beat(self, part: str, within_seconds: float) -> None:
        """Note that a part lives, and that it will say so again within this time."""
        now = self._clock()
        self._beats[part] = _Beat(now, now + within_seconds)

    def end(self, part: str) -> None:
        """Expect no further sign of a part that has ended as it should."""
        self._beats.pop(part, None)

    def stale(self) -> dict[str, float]:
        """Return the parts whose sign of life is overdue, with the seconds since their last one."""
        now = self._clock()
        return {part: now - beat.at for part, beat in self._beats.items() if now > beat.due}

    def health(self) -> Reply:
        """Return 200, or 503 with the names of the silent parts."""
        silent = [f"{part}: no sign of life for {seconds:.0f} s\n" for part, seconds in self.stale().items()]
        return Reply(503, "".join(silent).encode()) if silent else Reply(200, b"ok\n")


def readiness(waits_for: str | None) -> Reply:
    """Return 200 when nothing is waited for, else 503 with what it is."""
    return Reply(503, f"waiting for {waits_for}\n".encode()) if waits_for else Reply(200, b"ok\n")


@asynccontextmanager
async def serve(port: int, routes: Routes) -> AsyncIterator[int]:
    """Answer over HTTP for as long as the context is open, and give the port; 0 asks for a free one.

    It listens on all addresses, of IPv4 and IPv6. OSError when the port is taken.
    """
    app = web.Application()
    for path, route in routes.items():
        app.router.add_get(path, _handler(route))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        listener = _listen(port)
        await web.SockSite(runner, listener).start()
        yield int(listener.getsockname()[1])
    finally:
        await runner.cleanup()


def _listen(port: int) -> socket.socket:
    """Return one socket for both families: two would be given two ports where 0 is asked for."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _handler(route: Callable[[], Reply]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        reply = route()
        return web.Response(
            status=reply.status, body=reply.body, headers={"Content-Type": reply.content_type}
        )

    return handle
