"""Every kind of request fails once, in each of the ways in which requests fail."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.conftest import Recovery
from tests.support.api_faults import ApiRequest, Fault
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer
from tests.support.kept_operator import KeptOperator, serving
from tests.support.lives import COMPRESSED, SEARCHED, Life
from tests.support.operated import Site
from tests.support.rays import Rays

FULL = os.environ.get("TRIMTAB_FAULTS") == "full"
Kind = tuple[str, str]
"""Method and resource."""
LATE_SECONDS = 3.0
"""When a request goes on that was given up after one second."""
FAULTS: dict[str, Callable[[], Fault]] = {
    "conflict": lambda: Fault("refuse", status=409, is_write=True),
    "busy": lambda: Fault("refuse", status=429, retry_after=1),
    "broken": lambda: Fault("refuse", status=500),
    "late": lambda: Fault("freeze", seconds=LATE_SECONDS),
    "lost": lambda: Fault("lose"),
    "done-but-lost": lambda: Fault("lose", forwarded=True),
}
WRITES = {
    ("POST", "configmaps"),
    ("POST", "serviceaccounts"),
    ("POST", "roles"),
    ("POST", "rolebindings"),
    ("POST", "networkpolicies"),
    ("POST", "rayjobs"),
    ("POST", "events"),
    ("PATCH", "optimizationjobs/status"),
}
"""What is written for every job."""


class OnceEach:
    """Picks the first request of each kind, of one namespace or of all."""

    def __init__(self, namespace: str | None = None) -> None:
        self.namespace = namespace
        self.kinds: set[tuple[str, str, bool]] = set()

    def __call__(self, request: ApiRequest) -> bool:
        kind = request.method, request.resource, request.is_watch
        if self.namespace not in (None, request.namespace) or kind in self.kinds:
            return False
        self.kinds.add(kind)
        return True

    @property
    def writes(self) -> set[Kind]:
        return {(method, resource) for method, resource, _ in self.kinds if method != "GET"}


def ordered(proxy: ApiProxy, name: str, namespace: str | None = None) -> OnceEach:
    """Have every kind of request fail once in this way."""
    fault, picks = FAULTS[name](), OnceEach(namespace)
    fault.matches, fault.times = picks, None
    proxy.order(fault)
    return picks


@pytest.fixture
def proxy(control_plane: ApiServer) -> Iterator[ApiProxy]:
    with ApiProxy(control_plane.plane) as proxy:
        yield proxy


def test_jobs_end_well_each_of_whose_requests_fails_once(
    control_plane: ApiServer, rays: Rays, proxy: ApiProxy, tmp_path: Path, recovery: Recovery
) -> None:
    namespaces = {name: f"refused-{name}" for name in FAULTS}
    settings = serving(",".join(namespaces.values()), REQUEST_TIMEOUT_SECONDS="1")
    with ExitStack() as stack:
        lives = {
            name: stack.enter_context(Life(Site(control_plane, rays, namespace, tmp_path)))
            for name, namespace in namespaces.items()
        }
        stack.enter_context(KeptOperator(control_plane, tmp_path / "one", "refused", proxy, settings))
        picks = {name: ordered(proxy, name, namespace) for name, namespace in namespaces.items()}
        proxy.cut_watches()
        with recovery("409, 429, 500, time-outs, lost requests and answers, to the end of six jobs"):
            for life in lives.values():
                life.begin()
            for life in lives.values():
                life.wait_until_succeeded()
        proxy.clear()
        for name, life in lives.items():
            assert picks[name].writes >= WRITES
            life.assert_came_to(SEARCHED, COMPRESSED)


@pytest.mark.parametrize("name", FAULTS if FULL else ["conflict"])
def test_operator_starts_and_works_whose_every_kind_of_request_fails_once(
    control_plane: ApiServer, rays: Rays, proxy: ApiProxy, tmp_path: Path, recovery: Recovery, name: str
) -> None:
    namespace = f"first-{name}"
    settings = serving(namespace, REQUEST_TIMEOUT_SECONDS="1")
    with Life(Site(control_plane, rays, namespace, tmp_path)) as life:
        life.begin()
        picks = ordered(proxy, name)
        with (
            recovery(f"every kind of request {name} from the operator's start on, to the job's end"),
            KeptOperator(control_plane, tmp_path / "one", namespace, proxy, settings),
        ):
            life.wait_until_succeeded()
            proxy.clear()
            assert picks.writes >= WRITES
            life.assert_came_to(SEARCHED, COMPRESSED)
