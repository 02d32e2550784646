"""Two operators, of which one acts: the Lease is lost in every way there is, and nothing is done twice."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.operator.conftest import Recovery
from tests.support.api_faults import Fault
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer
from tests.support.kept_operator import SHORT_LEASE, KeptOperator, serving
from tests.support.lives import COMPRESSED, SEARCHED, Life
from tests.support.operated import Site
from tests.support.operator_process import HOME
from tests.support.rays import Rays

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
    namespace = request.node.name.removeprefix("test_").replace("_", "-")[:40].rstrip("-")
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


def holder(life: Life) -> str:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    metadata = {"name": life.site.namespace, "namespace": HOME}
    found: str = life.site.server.get({**lease, "metadata": metadata})["spec"]["holderIdentity"]
    return found


def test_another_takes_over_from_a_leader_that_is_cut_off(
    start: Start, life: Life, recovery: Recovery
) -> None:
    one, other = lead_and_stand_by(start, life)
    with recovery("leader cut off from the API server, until another leads"):
        one.cut_off()
        other.operator.wait_until_leading()
    assert one.operator.wait_for_exit() == 1

    one.proxy.clear()
    one.operator.wait_until_ready()
    life.let_go()
    life.wait_until_succeeded()

    assert (one.operator.is_leading(), holder(life)) == (False, "two")
    life.assert_came_to(SEARCHED, COMPRESSED)


def test_lease_that_is_taken_away_by_hand_is_regained(
    start: Start, life: Life, control_plane: ApiServer, recovery: Recovery
) -> None:
    one, other = lead_and_stand_by(start, life)
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": life.site.namespace, "namespace": HOME},
    }
    with recovery("Lease taken by hand, until one of two leads again"):
        control_plane.patch(lease, {"spec": {"holderIdentity": "nobody"}})
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


def test_a_leader_that_is_killed_is_followed(start: Start, life: Life, recovery: Recovery) -> None:
    one, other = lead_and_stand_by(start, life)
    with recovery("leader killed, until another leads"):
        one.cut_off()  # so that it cannot come back before the other one
        one.operator.kill()
        other.operator.wait_until_leading()
    one.proxy.clear()
    life.let_go()
    life.wait_until_succeeded()

    life.assert_came_to(SEARCHED, COMPRESSED)
