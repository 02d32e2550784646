"""The proxy before the API server passes everything on, and misbehaves exactly as ordered."""

import http.client
import threading
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api_faults import ApiRequest, Fault
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer, RefusedError

Document = dict[str, Any]
LOST = (urllib.error.URLError, http.client.HTTPException, OSError)


@pytest.fixture
def proxy(api_server: ApiServer) -> Iterator[ApiProxy]:
    with ApiProxy(api_server.plane) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: ApiProxy) -> ApiServer:
    """A client that goes through the proxy."""
    return ApiServer(proxy.plane, proxy.url)


def config_map(name: str, **entries: str) -> Document:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": entries}


@pytest.mark.parametrize(
    ("target", "resource", "namespace", "name"),
    [
        pytest.param("/api/v1/namespaces/a/configmaps/b", "configmaps", "a", "b", id="core"),
        pytest.param(
            "/apis/ray.io/v1/namespaces/a/rayjobs/b/status", "rayjobs/status", "a", "b", id="status"
        ),
        pytest.param("/apis/ray.io/v1/rayjobs?watch=true", "rayjobs", "", "", id="everywhere"),
        pytest.param("/api/v1/namespaces/a", "namespaces", "", "a", id="namespace"),
        pytest.param("/readyz", "", "", "", id="no-resource"),
    ],
)
def test_request_is_known_by_what_it_is_about(target: str, resource: str, namespace: str, name: str) -> None:
    request = ApiRequest.of("GET", target, b"")

    assert (request.resource, request.namespace, request.name) == (resource, namespace, name)


def test_requests_are_passed_on_and_noted(proxy: ApiProxy, client: ApiServer) -> None:
    stored = client.create(config_map("passed", a="1"))
    client.delete(stored)

    assert [(each.method, each.resource, each.name, each.code) for each in proxy.writes] == [
        ("POST", "configmaps", "", 201),
        ("DELETE", "configmaps", "passed", 200),
    ]


def test_refusal_is_the_servers_own_form_and_ends(proxy: ApiProxy, client: ApiServer) -> None:
    proxy.order(Fault("refuse", method="GET", resource="configmaps", name="kube", nth=2, times=2, status=409))
    root = config_map("kube-root-ca.crt")

    codes = []
    for _ in range(4):
        try:
            codes.append(client.find(root) and 200)
        except RefusedError as error:
            codes.append(error.code)

    assert codes == [None, 409, 409, None]


@pytest.mark.parametrize(
    ("forwarded", "arrived"), [pytest.param(False, False, id="before"), pytest.param(True, True, id="after")]
)
def test_process_is_killed_before_or_after_its_write_arrives(
    api_server: ApiServer, proxy: ApiProxy, client: ApiServer, forwarded: bool, arrived: bool
) -> None:
    killed = threading.Event()
    proxy.order(Fault("kill", is_write=True, nth=2, forwarded=forwarded, kill=killed.set))
    names = [f"killed-{forwarded}-{number}".lower() for number in range(2)]

    client.create(config_map(names[0]))
    with pytest.raises(LOST):
        client.create(config_map(names[1]))

    assert killed.is_set()
    assert (api_server.find(config_map(names[1])) is not None) == arrived


def test_frozen_write_arrives_late(api_server: ApiServer, proxy: ApiProxy, client: ApiServer) -> None:
    freeze = proxy.order(Fault("freeze", is_write=True))
    writer = threading.Thread(target=client.create, args=(config_map("late"),))
    writer.start()
    freeze.happened.wait()
    before = api_server.find(config_map("late"))

    freeze.release.set()
    writer.join()

    assert (before, api_server.find(config_map("late")) is not None) == (None, True)


def test_watch_is_passed_on_as_it_happens_until_it_is_cut(
    api_server: ApiServer, proxy: ApiProxy, client: ApiServer
) -> None:
    watch = client.watch("/api/v1/namespaces/default/configmaps", resourceVersion="0")
    created = api_server.create(config_map("watched"))

    seen = []
    for kind, each in watch:
        seen.append((kind, each["metadata"]["name"]))
        if each["metadata"]["uid"] == created["metadata"]["uid"]:
            proxy.cut_watches("configmaps")

    assert seen[-1] == ("ADDED", "watched")


def test_muted_watch_stays_open_and_says_nothing(
    api_server: ApiServer, proxy: ApiProxy, client: ApiServer
) -> None:
    proxy.muted.add("configmaps")
    watch = client.watch("/api/v1/namespaces/default/configmaps", resourceVersion="0", timeoutSeconds="1")
    api_server.create(config_map("unheard"))

    assert list(watch) == []


def test_expired_watch_ends_with_gone(proxy: ApiProxy, client: ApiServer) -> None:
    proxy.order(Fault("expire", resource="configmaps", matches=lambda request: request.resumes))

    events = list(client.watch("/api/v1/configmaps", resourceVersion="1"))

    assert [(kind, each["code"], each["reason"]) for kind, each in events] == [("ERROR", 410, "Expired")]


def test_cleared_faults_let_everything_pass(proxy: ApiProxy, client: ApiServer) -> None:
    proxy.order(Fault("lose", times=None))
    with pytest.raises(LOST):
        client.read("/api/v1/nodes")

    proxy.clear()

    assert client.read("/api/v1/nodes")["items"] == []
