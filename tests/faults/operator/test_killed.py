"""The operator killed with -9 at the writes it makes: just before one reaches the API server, or just after.

With TRIMTAB_FAULTS=full at every write of a job's whole life, else at four.
"""

import os
from contextlib import nullcontext
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


def told(proxy: ApiProxy, fault: Fault) -> str:
    """The write at which the operator was killed."""
    met = [each for each in proxy.writes if is_work(each) and fault.resource in ("", each.resource)]
    write = met[fault.nth - 1]
    moment = "after" if fault.forwarded else "before"
    return f"killed {moment} {write.method} {write.resource}, number {fault.nth}, until the job's end"


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
    with ApiProxy(control_plane.plane) as proxy, Life(Site(control_plane, rays, namespace, tmp_path)) as life:
        operator = KeptOperator(control_plane, tmp_path / "one", namespace, proxy, serving(namespace))
        fault = Fault("kill", resource=resource, matches=is_work, nth=nth, forwarded=forwarded)
        fault.kill = operator.kill
        with operator:
            proxy.order(fault)
            life.begin()
            life.wait("it is killed", lambda: bool(operator.exits) or life.succeeded() == "True")
            with recovery(told(proxy, fault)) if operator.exits else nullcontext():
                operator.wait_until_leading()
                life.wait_until_succeeded()

            assert operator.exits == [-9] or nth > FEWEST
            life.assert_came_to(SEARCHED, COMPRESSED)
