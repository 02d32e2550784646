"""The pages that the kubelet and Prometheus read, over HTTP."""

import asyncio
import socket
from collections.abc import Mapping

import aiohttp
import pytest

from trimtab_operator.health import Heartbeats, Reply, serve
from trimtab_operator.metrics import CONTENT_TYPE, Metrics

Answers = dict[str, tuple[int, str, str]]


async def read(port: int, *paths: str, host: str = "127.0.0.1") -> Answers:
    """Status, content type and text by path."""
    found: Answers = {}
    async with aiohttp.ClientSession(f"http://{host}:{port}") as client:
        for path in paths:
            async with client.get(path) as answer:
                found[path] = answer.status, answer.headers["Content-Type"], await answer.text()
    return found


def ask(routes: Mapping[str, Reply], *paths: str) -> Answers:
    async def scenario() -> Answers:
        async with serve(0, {path: lambda reply=reply: reply for path, reply in routes.items()}) as port:
            return await read(port, *paths)

    return asyncio.run(scenario())


def test_paths_answer_what_they_are_told() -> None:
    replies = {"/healthz": Reply(503, b"lease: no sign of life for 20 s\n"), "/readyz": Reply(200, b"ok\n")}
    plain = "text/plain; charset=utf-8"
    assert ask(replies, "/healthz", "/readyz") == {
        "/healthz": (503, plain, "lease: no sign of life for 20 s\n"),
        "/readyz": (200, plain, "ok\n"),
    }


def test_unknown_path_is_not_found() -> None:
    assert ask({"/healthz": Reply(200, b"")}, "/")["/"][0] == 404


def test_metrics_come_in_the_form_that_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.queue_depth(3)
    status, form, text = ask({"/metrics": Reply(200, metrics.text(), CONTENT_TYPE)}, "/metrics")["/metrics"]
    assert (status, form) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "\ntrimtab_queue_depth 3.0\n" in text


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"], ids=["IPv4", "IPv6"])
def test_both_families_of_addresses_are_served(host: str) -> None:
    async def scenario() -> int:
        async with serve(0, {"/healthz": Heartbeats().health}) as port:
            return (await read(port, "/healthz", host=host))["/healthz"][0]

    if host == "[::1]" and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    assert asyncio.run(scenario()) == 200


def test_every_answer_is_of_its_moment() -> None:
    async def scenario() -> list[int]:
        seconds = [0.0]
        heartbeats = Heartbeats(lambda: seconds[0])
        heartbeats.beat("lease", 15)
        async with serve(0, {"/healthz": heartbeats.health}) as port:
            before = await read(port, "/healthz")
            seconds[0] = 16
            return [each["/healthz"][0] for each in (before, await read(port, "/healthz"))]

    assert asyncio.run(scenario()) == [200, 503]


def test_port_that_is_taken_is_an_error() -> None:
    async def scenario() -> None:
        async with serve(0, {}) as port:
            with pytest.raises(OSError, match=f"in use .*{port}"):
                async with serve(port, {}):
                    pass

    asyncio.run(scenario())
