"""The Lease on a real API server: one operator acts, hands over as it ends, stops once another took over."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_faults import Fault
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer
from tests.support.operator_process import documented_roles
from trimtab_operator.cluster import KubeCluster, load_configuration
from trimtab_operator.kinds import LEASE
from trimtab_operator.lease import Elector, LeaseTerms

NAME = "trimtab-operator"
"""Of the Lease, as the documented permissions have it."""
LONG_SECONDS = 600.0
"""Longer than any test: who holds the Lease for so long has it until it is released or taken."""
names = (f"lease-{number}" for number in itertools.count(1))


@dataclass
class Place:
    """A Lease of the test's own."""

    server: ApiServer
    namespace: str

    @property
    def document(self) -> dict[str, Any]:
        metadata = {"name": NAME, "namespace": self.namespace}
        return {"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": metadata}

    def spec(self) -> dict[str, Any]:
        return dict(self.server.get(self.document)["spec"])

    @asynccontextmanager
    async def operator(
        self, identity: str, renew_seconds: float = LONG_SECONDS, kubeconfig: Path | None = None
    ) -> AsyncIterator[Elector]:
        """An operator with connections of its own."""
        file = kubeconfig or self.server.plane.kubeconfig
        cluster = KubeCluster(await load_configuration(str(file)))
        terms = LeaseTerms(
            NAME, self.namespace, identity, renew_seconds + 0.1, renew_seconds, retry_seconds=0.05
        )
        try:
            yield Elector(cluster, terms, lambda: datetime.now(UTC))
        finally:
            await cluster.close()

    async def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        await asyncio.to_thread(self.server.wait_until, what, is_so)


@pytest.fixture
def place(api_server: ApiServer) -> Place:
    namespace = next(names)
    api_server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    return Place(api_server, namespace)


@asynccontextmanager
async def holding(elector: Elector) -> AsyncIterator[asyncio.Task[None]]:
    """Renew the Lease meanwhile."""
    task = asyncio.create_task(elector.hold())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_record_is_one_that_the_server_takes(place: Place) -> None:
    async def scenario() -> None:
        async with place.operator("one") as one:
            await one.acquire()

    asyncio.run(scenario())
    spec = place.spec()
    times = spec.pop("acquireTime"), spec.pop("renewTime")
    assert spec == {"holderIdentity": "one", "leaseDurationSeconds": 601, "leaseTransitions": 0}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time) for time in times)


def test_one_of_many_that_start_together_acts(place: Place) -> None:
    async def scenario() -> list[bool]:
        async with place.operator("a") as a, place.operator("b") as b, place.operator("c") as c:
            tasks = [asyncio.create_task(each.acquire()) for each in (a, b, c)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=30)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            return [each.holds for each in (a, b, c)]

    assert sorted(asyncio.run(scenario())) == [False, False, True]


def test_standby_follows_at_once_when_the_holder_ends(place: Place) -> None:
    async def scenario() -> tuple[bool, bool, bool]:
        async with place.operator("one") as one, place.operator("two") as two, asyncio.timeout(30):
            await one.acquire()
            waiting = asyncio.create_task(two.acquire())
            async with holding(one):
                await place.wait_until(
                    "renewed", lambda: place.spec()["renewTime"] > place.spec()["acquireTime"]
                )
                stood_by = not waiting.done()
            await one.release()
            await waiting
            return stood_by, one.holds, two.holds

    assert asyncio.run(scenario()) == (True, False, True)
    spec = place.spec()
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("two", 1)


def test_standby_follows_a_holder_that_died(place: Place) -> None:
    async def scenario() -> bool:
        async with place.operator("one", renew_seconds=1.0) as one, asyncio.timeout(30):
            await one.acquire()
        async with place.operator("two", renew_seconds=1.0) as two, asyncio.timeout(30):
            await two.acquire()
            return one.holds

    assert not asyncio.run(scenario())
    assert place.spec()["holderIdentity"] == "two"


def test_holder_stops_when_another_has_taken_over(place: Place) -> None:
    async def scenario() -> bool:
        async with place.operator("one") as one, asyncio.timeout(30):
            await one.acquire()
            place.server.patch(place.document, {"spec": {"holderIdentity": "two"}})
            await one.hold()
            await one.release()
            return one.holds

    assert not asyncio.run(scenario())
    assert place.spec()["holderIdentity"] == "two"


def test_holder_stops_when_the_server_is_away(place: Place, tmp_path: Path) -> None:
    async def scenario(proxy: ApiProxy, kubeconfig: Path) -> bool:
        async with place.operator("one", 1.0, kubeconfig) as one, asyncio.timeout(30):
            await one.acquire()
            proxy.order(Fault("lose", resource="leases", times=None))
            await one.hold()
            return one.holds

    with ApiProxy(place.server.plane) as proxy:
        assert not asyncio.run(scenario(proxy, proxy.write_kubeconfig(tmp_path / "kubeconfig")))


def renewals(proxy: ApiProxy) -> int:
    return sum(each.code == 200 for each in proxy.writes)


FAULTS = {
    "refused": Fault("refuse", status=500, times=3),
    "conflict": Fault("refuse", method="PUT", status=409, times=3),
    "answer lost": Fault("lose", method="PUT", forwarded=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_holder_goes_on_after_a_fault(place: Place, tmp_path: Path, fault: Fault) -> None:
    async def scenario(proxy: ApiProxy, kubeconfig: Path) -> tuple[bool, bool]:
        async with place.operator("one", 4.0, kubeconfig) as one:
            await one.acquire()
            proxy.order(fault)
            async with holding(one) as task:
                await place.wait_until("fault", fault.happened.is_set)
                goal = renewals(proxy) + 4
                await place.wait_until("renewed", lambda: renewals(proxy) >= goal)
                return task.done(), one.holds

    with ApiProxy(place.server.plane) as proxy:
        assert asyncio.run(scenario(proxy, proxy.write_kubeconfig(tmp_path / "kubeconfig"))) == (False, True)


def test_renewal_that_arrives_late_is_refused(place: Place, tmp_path: Path) -> None:
    async def scenario(proxy: ApiProxy, kubeconfig: Path) -> bool:
        async with place.operator("one", 4.0, kubeconfig) as one:
            await one.acquire()
            before, late = renewals(proxy), proxy.order(Fault("freeze", method="PUT"))
            async with holding(one):
                await place.wait_until("renewed by another request", lambda: renewals(proxy) > before)
                late.release.set()
                await place.wait_until("refused", lambda: 409 in {each.code for each in proxy.writes})
                return one.holds

    with ApiProxy(place.server.plane) as proxy:
        assert asyncio.run(scenario(proxy, proxy.write_kubeconfig(tmp_path / "kubeconfig")))


def test_documented_permissions_are_enough(place: Place, tmp_path: Path) -> None:
    role = next(each for each in documented_roles() if each["kind"] == "Role")
    role["metadata"]["namespace"] = place.namespace
    account = {"kind": "ServiceAccount", "name": "operator", "namespace": place.namespace}
    metadata = {"name": "operator", "namespace": place.namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role["metadata"]["name"]}
    binding = {"apiVersion": role["apiVersion"], "kind": "RoleBinding", "metadata": metadata}
    place.server.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    place.server.create(role)
    place.server.create({**binding, "roleRef": reference, "subjects": [account]})
    kubeconfig = tmp_path / "kubeconfig"
    token = place.server.token_of(place.namespace, "operator")
    place.server.plane.write_kubeconfig(kubeconfig, token)

    async def scenario() -> None:
        async with place.operator("one", kubeconfig=kubeconfig) as one, asyncio.timeout(30):
            await one.acquire()
            await one.release()

    asyncio.run(scenario())
    assert place.spec()["holderIdentity"] == ""
