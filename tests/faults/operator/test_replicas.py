"""Two operators, of which one acts: the Lease is lost in every way there is, and nothing is done twice.

With TRIMTAB_FAULTS=full the leader is also killed.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Recovery
from tests.support.api_faults import Fault
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer
from tests.support.kept_operator import SHORT_LEASE, KeptOperator, serving
from tests.support.lives import COMPRESSED, SEARCHED, Life
from tests.support.operated import Site
from tests.support.operator_process import HOME
from tests.support.rays import Rays

FULL = os.environ.get("TRIMTAB_FAULTS") == "full"
Start = Callable[[str], "Replica"]


@dataclass
class Replica:
    """An operator and its own way to the API server."""

    operator: KeptOperator
    proxy: ApiProxy

    def cut_off(self) -> None:
        """Have none of its requests answered until the proxy is cleared."""
        self.proxy.order(Fault("lose", times=None))
        self.proxy.cut_watches()


@pytest.fixture
def life(
    request: pytest.FixtureRequest, control_plane: ApiServer, rays: Rays, tmp_path: Path
) -> Iterator[Life]:
    namespace = "-".join(re.findall("[a-z]+", request.node.name))[-40:].lstrip("-")
    with Life(Site(control_plane, rays, namespace, tmp_path)) as life:
        life.hold()
        yield life


@pytest.fixture
def start(life: Life, control_plane: ApiServer, tmp_path: Path) -> Iterator[Start]:
    """Starts an operator of the namespace; the first one leads."""
    with ExitStack() as stack:

        def started(identity: str) -> Replica:
            namespace = life.site.namespace
            proxy = stack.enter_context(ApiProxy(control_plane.plane))
            settings = serving(namespace, identity, **SHORT_LEASE)
            operator = KeptOperator(control_plane, tmp_path / identity, namespace, proxy, settings)
            return Replica(stack.enter_context(operator), proxy)

        yield started


def lead_and_stand_by(start: Start, life: Life) -> tuple[Replica, Replica]:
    """A leader that has a job at work, and another operator that stands by."""
    one = start("one")
    one.operator.wait_until_leading()
    other = start("two")
    life.begin()
    life.wait_for_driver(SEARCHED)
    return one, other


def lease(life: Life) -> dict[str, Any]:
    """What identifies the Lease of the two."""
    metadata = {"name": life.site.namespace, "namespace": HOME}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}


def holder(life: Life) -> str:
    return str(life.site.server.get(lease(life))["spec"]["holderIdentity"])


def cut_off(leader: Replica) -> None:
    """Have it lose the Lease, as it cannot renew it."""
    leader.cut_off()
    assert leader.operator.wait_for_exit() == 1


def killed(leader: Replica) -> None:
    """Have it end, and not come back before another one leads."""
    leader.cut_off()
    leader.operator.kill()


@pytest.mark.parametrize("lose", [cut_off, killed] if FULL else [cut_off])
def test_another_takes_over_from_a_leader(
    start: Start, life: Life, recovery: Recovery, lose: Callable[[Replica], None]
) -> None:
    one, other = lead_and_stand_by(start, life)
    with recovery(f"leader {lose.__name__}, until another leads"):
        lose(one)
        other.operator.wait_until_leading()
    one.proxy.clear()
    one.operator.wait_until_ready()
    life.let_go()
    life.wait_until_succeeded()

    assert (one.operator.is_leading(), holder(life)) == (False, "two")
    life.assert_came_to(SEARCHED, COMPRESSED)


def test_lease_that_is_taken_away_by_hand_is_regained(start: Start, life: Life, recovery: Recovery) -> None:
    one, other = lead_and_stand_by(start, life)
    with recovery("Lease taken by hand, until one of two leads again"):
        life.site.server.patch(lease(life), {"spec": {"holderIdentity": "nobody"}})
        assert one.operator.wait_for_exit() == 1
        life.let_go()
        life.wait("the Lease is held", lambda: holder(life) in ("one", "two"))
    life.wait_until_succeeded()

    assert one.operator.is_leading() != other.operator.is_leading()
    life.assert_came_to(SEARCHED, COMPRESSED)


def test_what_a_lost_leader_still_writes_changes_nothing(
    start: Start, life: Life, recovery: Recovery
) -> None:
    one, other = lead_and_stand_by(start, life)
    late = one.proxy.order(Fault("freeze", method="POST", resource="rayjobs"))
    life.let_go()
    life.wait("the next RayJob is about to be made", late.happened.is_set)
    with recovery("leader stuck as it makes a RayJob, until the job's end"):
        one.operator.freeze()
        other.operator.wait_until_leading()
        life.wait_until_succeeded()
    late.release.set()
    life.wait("the late write is answered", lambda: late_codes(one) == [409])
    one.operator.thaw()

    assert one.operator.wait_for_exit() == 1
    life.assert_came_to(SEARCHED, COMPRESSED)


def late_codes(replica: Replica) -> list[int | None]:
    """What became of its attempts to make the second RayJob."""
    made = [each for each in replica.proxy.writes if (each.method, each.resource) == ("POST", "rayjobs")]
    return [each.code for each in made[1:]]
