"""The operator killed with -9 at the writes it makes: just before one reaches the API server, or just after.

With TRIMTAB_FAULTS=full at every write of a job's whole life, else at four.
"""

import os
from pathlib import Path

import pytest

from tests.faults.operator.conftest import Recovery
from tests.support.api_faults import ApiRequest, Fault
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer
from tests.support.kept_operator import KeptOperator, serving
from tests.support.lives import COMPRESSED, SEARCHED, Life
from tests.support.operated import Site
from tests.support.rays import Rays

FULL = os.environ.get("TRIMTAB_FAULTS") == "full"
FEWEST, MOST = 24, 40
"""Writes of a job's life, beside those of the Lease: fewer where several changes are told in one."""
SAMPLE = [
    ("roles", 1, False),
    ("rayjobs", 1, True),
    ("optimizationjobs/status", 1, False),
    ("rayjobs", 2, True),
]
EVERY = [("", nth, forwarded) for nth in range(1, MOST + 1) for forwarded in (False, True)]


def is_work(request: ApiRequest) -> bool:
    return request.is_write and request.resource != "leases"


@pytest.mark.parametrize(("resource", "nth", "forwarded"), EVERY if FULL else SAMPLE)
def test_killed_at_a_write_it_goes_on_as_if_nothing_had_happened(
    control_plane: ApiServer,
    rays: Rays,
    tmp_path: Path,
    recovery: Recovery,
    resource: str,
    nth: int,
    forwarded: bool,
) -> None:
    namespace = f"killed-{resource.replace('/', '-') or 'any'}-{nth}-{'after' if forwarded else 'before'}"
    site = Site(control_plane, rays, namespace, tmp_path)
    with ApiProxy(control_plane.plane) as proxy, Life(site) as life:
        settings = serving(namespace)
        with KeptOperator(control_plane, tmp_path / "one", namespace, proxy, settings) as operator:
            fault = Fault("kill", resource=resource, matches=is_work, nth=nth, forwarded=forwarded)
            fault.kill = operator.kill
            proxy.order(fault)
            life.begin()
            life.wait("killed", lambda: bool(operator.exits) or life.succeeded() == "True")
            if operator.exits:
                with recovery(f"killed {'after' if forwarded else 'before'} its write {nth} {resource}"):
                    operator.wait_until_leading()
                    life.wait_until_succeeded()
            else:
                assert nth > FEWEST
            life.assert_came_to(SEARCHED, COMPRESSED)
            assert operator.exits in ([-9], [])
