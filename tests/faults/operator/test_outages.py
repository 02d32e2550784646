"""Servers away while a job runs, and a watch cut past what the API server still knows.

With TRIMTAB_FAULTS=full the API server is away for 30 s, else for as long as it takes to lose a short Lease.
"""

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import EVERYTHING
from tests.faults.conftest import Recovery
from tests.support.api_faults import Fault
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer, crd_documents, run_control_plane
from tests.support.kept_operator import SHORT_LEASE, KeptOperator, serving
from tests.support.lives import COMPRESSED, SEARCHED, Life, Run
from tests.support.nodes import Node
from tests.support.operated import Site
from tests.support.rays import Rays

FULL = os.environ.get("TRIMTAB_FAULTS") == "full"
AWAY_SECONDS = 30 if FULL else 0
RESYNC_SECONDS = "3"
LOST = (Run(0, 1, "Deleted"), Run(0, 2), Run(1, 2))
"""What a job comes to whose first RayJob somebody deletes."""
GONE = 410


@pytest.fixture(scope="module")
def fallible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A control plane whose servers these tests may kill, as long as they start them again."""
    folder = tmp_path_factory.mktemp("fallible")
    yield from run_control_plane(folder, EVERYTHING, list(crd_documents().values()))


@pytest.fixture(scope="module")
def fallible_rays(fallible: ApiServer) -> Iterator[Rays]:
    with Node(fallible, "node-1") as node, Rays(fallible, node) as rays:
        yield rays


def searching(life: Life) -> None:
    """Have a job at work, until it is let go."""
    life.hold()
    life.begin()
    life.wait_for_driver(SEARCHED)


def test_api_server_is_away_for_longer_than_the_lease_lasts(
    fallible: ApiServer, fallible_rays: Rays, tmp_path: Path, recovery: Recovery
) -> None:
    settings = serving("serverless", **SHORT_LEASE)
    with (
        Life(Site(fallible, fallible_rays, "serverless", tmp_path)) as life,
        KeptOperator(fallible, tmp_path / "one", "serverless", settings=settings) as operator,
    ):
        searching(life)
        end = time.monotonic() + AWAY_SECONDS
        fallible.plane.kill_server("kube-apiserver")
        life.search_on(7)
        assert operator.wait_for_exit() == 1
        operator.wait_until(f"{AWAY_SECONDS} s have passed", lambda: time.monotonic() >= end)
        with recovery(
            f"API server started after {AWAY_SECONDS or 'a few'} s, until the status tells what was missed"
        ):
            fallible.plane.start_server("kube-apiserver")
            life.wait("it is told", lambda: life.completed() == 7)
        life.let_go()
        life.wait_until_succeeded()

        life.assert_came_to(SEARCHED, COMPRESSED)


def test_etcd_is_killed_and_started_again(
    fallible: ApiServer, fallible_rays: Rays, tmp_path: Path, recovery: Recovery
) -> None:
    with (
        Life(Site(fallible, fallible_rays, "etcdless", tmp_path)) as life,
        KeptOperator(fallible, tmp_path / "one", "etcdless", settings=serving("etcdless")) as operator,
    ):
        searching(life)
        fallible.plane.kill_server("etcd")
        life.search_on(7)
        asked = operator.metric("trimtab_api_requests_total")
        operator.wait_until(
            "it has asked in vain", lambda: operator.metric("trimtab_api_requests_total") > asked
        )
        with recovery("etcd started after it was killed, until the status tells what was missed"):
            fallible.plane.start_server("etcd")
            life.wait("it is told", lambda: life.completed() == 7)
        life.let_go()
        life.wait_until_succeeded()

        life.assert_came_to(SEARCHED, COMPRESSED)
        assert operator.exits == []


def compacted(life: Life, proxy: ApiProxy) -> None:
    """Have etcd and API server forget what watches would have told."""
    server = life.site.server
    version = server.get(life.job.document)["metadata"]["resourceVersion"]
    delete_unseen(life)
    compact(server)
    server.plane.kill_server("kube-apiserver")  # which still has in memory what etcd has dropped
    server.plane.start_server("kube-apiserver")
    assert told_since(life, version) == GONE
    proxy.muted.clear()
    proxy.cut_watches()


def expired(life: Life, proxy: ApiProxy) -> None:
    """Have watches answered that what they would have told is forgotten."""
    delete_unseen(life)
    faults = [
        proxy.order(Fault("expire", resource=resource, matches=lambda request: request.resumes))
        for resource in ("rayjobs", "pods")
    ]
    proxy.muted.clear()
    proxy.cut_watches()
    life.wait("both have expired", lambda: all(each.happened.is_set() for each in faults))


@pytest.mark.parametrize("forget", [compacted, expired] if FULL else [compacted])
def test_ray_job_is_deleted_while_a_watch_is_cut_past_what_is_remembered(
    fallible: ApiServer,
    fallible_rays: Rays,
    tmp_path: Path,
    recovery: Recovery,
    forget: Callable[[Life, ApiProxy], None],
) -> None:
    namespace, settings = f"rayless-{forget.__name__}", {"RESYNC_SECONDS": RESYNC_SECONDS}
    with (
        ApiProxy(fallible.plane) as proxy,
        Life(Site(fallible, fallible_rays, namespace, tmp_path)) as life,
        KeptOperator(fallible, tmp_path / "one", namespace, proxy, serving(namespace, **settings)),
    ):
        searching(life)
        proxy.muted |= {"rayjobs", "pods"}
        forget(life, proxy)
        with recovery(
            f"RayJob deleted, {forget.__name__}, listed every {RESYNC_SECONDS} s, to the next RayJob"
        ):
            life.wait("the next is made", lambda: fallible.find(life.ray_job(LOST[1])) is not None)
        life.wait_for_driver(LOST[1])
        life.let_go()
        life.wait_until_succeeded()

        life.assert_came_to(*LOST)


def delete_unseen(life: Life) -> None:
    """Delete the RayJob that runs, of which no watch tells the operator."""
    life.site.server.delete(life.ray_job(SEARCHED))
    life.wait("RayJob and pods are gone", lambda: not {"RayJob", "Pod"} & life.job.left().keys())


def told_since(life: Life, version: str) -> int | None:
    """The code with which the API server refuses to tell what changed since a version; None if it tells."""
    server = life.site.server
    path = server.collection("ray.io/v1", "RayJob", life.site.namespace)
    watch = server.watch(path, resourceVersion=version, timeoutSeconds="5")
    try:
        return next((found.get("code") for _, found in watch), None)
    finally:
        watch.close()


def compact(server: ApiServer) -> None:
    """Have etcd forget everything but what is there now."""
    revision = int(etcd(server, "kv/range", {"key": "AA=="})["header"]["revision"])
    etcd(server, "kv/compaction", {"revision": revision, "physical": True})


def etcd(server: ApiServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What etcd answers to a request in JSON."""
    url = f"http://127.0.0.1:{server.plane.ports['etcd']}/v3/{path}"
    with server.plane.opener().open(
        urllib.request.Request(url, json.dumps(body).encode()), timeout=60
    ) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
