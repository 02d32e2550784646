"""What every Cluster promises: the API server, and the one in memory that the operator's tests use."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import pytest

from tests.support.cluster import ApiServer
from tests.support.fake_cluster import FakeCluster, with_defaults
from trimtab_operator.cluster import Cluster, KubeCluster, Selection, items_of, load_configuration
from trimtab_operator.errors import ConflictError, ForeignError, GoneError, InvalidError, NotServedError
from trimtab_operator.kinds import CONFIG_MAP, EVENT, JOB, LEASE, PROFILE, RAY_JOB
from trimtab_operator.world import Emit, Manifest

Document = dict[str, Any]
Result = TypeVar("Result")
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
names = (f"cluster-contract-{number}" for number in itertools.count(1))


@dataclass
class Place:
    """A cluster, and a namespace of the test's own in it."""

    cluster: Cluster
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    put: Callable[[Document], Document]
    """Write an object as a user does."""
    namespace: str = field(default_factory=lambda: next(names))

    def job(self, name: str = "digits") -> Document:
        """A user's job that is there."""
        metadata = {"name": name, "namespace": self.namespace}
        spec = {"task": {"entrypoint": "digits:Digits"}}
        return self.put({"apiVersion": JOB.api_version, "kind": JOB.name, "metadata": metadata, "spec": spec})

    def child(self, owner: Manifest | None, **data: str) -> Document:
        """A ConfigMap that belongs to a job, to be written."""
        metadata: Document = {"name": "digits-plan", "namespace": self.namespace, "labels": {"of": "digits"}}
        if owner:
            reference = {key: owner[key] for key in ("apiVersion", "kind")}
            reference |= {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
            metadata["ownerReferences"] = [reference | {"controller": True, "blockOwnerDeletion": False}]
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    def read(self, name: str = "digits-plan") -> Manifest | None:
        return cast(Manifest | None, self.run(self.cluster.get(CONFIG_MAP, name, self.namespace)))


@pytest.fixture(params=["memory", "api-server"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with asyncio.Runner() as runner:
        if request.param == "memory":
            fake = FakeCluster(missing=[RAY_JOB.name])
            yield Place(fake, runner.run, fake.put)
        else:
            server: ApiServer = request.getfixturevalue("api_server")
            real = KubeCluster(runner.run(load_configuration(str(server.plane.kubeconfig))))
            yield Place(real, runner.run, server.apply)
            runner.run(real.close())


def test_absent_object_is_none(place: Place) -> None:
    place.job()

    assert place.read() is None


def test_child_is_created_once(place: Place) -> None:
    child = place.child(place.job(), plan="{}")

    first = place.run(place.cluster.create(child))
    again = place.run(place.cluster.create(child | {"data": {"plan": "other"}}))

    assert first["data"] == {"plan": "{}"}
    assert again["metadata"]["uid"] == first["metadata"]["uid"]
    assert place.read() == again


def test_applied_child_is_as_applied_and_keeps_what_others_wrote(place: Place) -> None:
    job = place.job()
    first = place.run(place.cluster.apply(place.child(job, plan="{}")))
    place.put(place.child(job, plan="{}", report="by the driver"))

    again = place.run(place.cluster.apply(place.child(job, plan='{"trials": 9}')))

    assert again["metadata"]["uid"] == first["metadata"]["uid"]
    assert again["data"] == {"plan": '{"trials": 9}', "report": "by the driver"}
    assert place.read() == again


@pytest.mark.parametrize("verb", ["apply", "create"])
@pytest.mark.parametrize("owned", [True, False], ids=["another job's", "a user's own"])
def test_object_of_somebody_else_is_left_alone(place: Place, verb: str, owned: bool) -> None:
    theirs = place.put(place.child(place.job("other") if owned else None, plan="theirs"))

    with pytest.raises(ForeignError, match=r"digits-plan is there and is not this job's; rename the job"):
        place.run(getattr(place.cluster, verb)(place.child(place.job(), plan="ours")))

    assert place.read() == theirs


def test_deleting_is_of_one_object_and_done_when_it_is_gone(place: Place) -> None:
    child = place.run(place.cluster.create(place.child(place.job())))
    earlier = child | {"metadata": child["metadata"] | {"uid": "00000000-0000-0000-0000-000000000000"}}

    place.run(place.cluster.delete(earlier))
    survivor = place.read()
    place.run(place.cluster.delete(child))
    place.run(place.cluster.delete(child))

    assert survivor == child
    assert place.read() is None


def test_status_becomes_what_is_written_and_nothing_else_changes(place: Place) -> None:
    job = place.job()
    first = with_defaults({"phase": "Queued", "trials": {"total": 4, "running": 1}, "rayJob": "digits-s0"})
    second = with_defaults({"phase": "Searching", "trials": {"total": 4}})

    queued = place.run(place.cluster.write_status(job, first))
    searching = place.run(place.cluster.write_status(queued, second))

    assert (queued["status"], searching["status"]) == (first, second)
    assert searching["spec"] == job["spec"]
    assert searching["metadata"]["generation"] == job["metadata"]["generation"]


def test_equal_status_is_not_sent(place: Place) -> None:
    job = place.run(place.cluster.write_status(place.job(), {"observedGeneration": 1, "phase": "Queued"}))

    again = place.run(place.cluster.write_status(job, dict(job["status"])))

    assert again["metadata"]["resourceVersion"] == job["metadata"]["resourceVersion"]


def test_status_of_a_job_that_changed_meanwhile_is_a_conflict(place: Place) -> None:
    job = place.job()
    place.run(place.cluster.write_status(job, {"observedGeneration": 1, "phase": "Queued"}))

    with pytest.raises(ConflictError):
        place.run(place.cluster.write_status(job, {"observedGeneration": 1, "phase": "Failed"}))


def test_status_of_a_job_that_is_gone(place: Place) -> None:
    job = place.job()
    place.run(place.cluster.delete(job))

    with pytest.raises(GoneError):
        place.run(place.cluster.write_status(job, {"observedGeneration": 1}))


def test_pages_hold_what_is_selected(place: Place) -> None:
    job = place.job()
    for number in range(5):
        child = place.child(job)
        child["metadata"] |= {
            "name": f"plan-{number}",
            "labels": {"of": "digits", "even": str(number % 2 == 0)},
        }
        place.run(place.cluster.create(child))

    def found(**selectors: str) -> list[str]:
        items = place.run(items_of(place.cluster, CONFIG_MAP, Selection(place.namespace, **selectors)))
        return sorted(each["metadata"]["name"] for each in items if each["kind"] == "ConfigMap")

    assert found(labels="of=digits,even=True") == ["plan-0", "plan-2", "plan-4"]
    assert found(labels="even") == [f"plan-{number}" for number in range(5)]
    assert found(fields="metadata.name=plan-1") == ["plan-1"]
    assert found(labels="of=mnist") == []


def test_page_is_no_older_than_what_it_holds(place: Place) -> None:
    place.job()

    async def pages() -> list[Any]:
        return [page async for page in place.cluster.pages(JOB)]

    for page in place.run(pages()):
        assert all(int(each["metadata"]["resourceVersion"]) <= int(page.version) for each in page.items)


def test_kinds_that_are_served(place: Place) -> None:
    assert [place.run(place.cluster.serves(kind)) for kind in (JOB, PROFILE, RAY_JOB)] == [True, True, False]


def test_kind_that_is_not_served_is_an_error_of_its_own(place: Place) -> None:
    metadata = {"name": "digits", "namespace": place.namespace}
    ray_job = {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata, "spec": {}}
    place.job()

    with pytest.raises(NotServedError, match="RayJob is not served"):
        place.run(place.cluster.create(ray_job))
    with pytest.raises(NotServedError):
        place.run(place.cluster.get(RAY_JOB, "digits", place.namespace))
    with pytest.raises(NotServedError):
        place.run(items_of(place.cluster, RAY_JOB, Selection()))


def test_event_is_told_once_for_a_generation_of_the_job(place: Place) -> None:
    job = place.job()
    started = Emit("Normal", "Started", "RayJob digits-s0-a1 is created")

    for _ in range(2):
        place.run(place.cluster.emit(job, started, NOW))
    edited = job | {"metadata": job["metadata"] | {"generation": 2}}
    place.run(place.cluster.emit(edited, started, NOW))

    events = place.run(items_of(place.cluster, EVENT, Selection(place.namespace)))
    told = [(each["reason"], each["message"], each["involvedObject"]["uid"]) for each in events]
    assert told == [("Started", "RayJob digits-s0-a1 is created", job["metadata"]["uid"])] * 2


def test_replacing_needs_the_version_that_was_read(place: Place) -> None:
    metadata = {"name": "leader", "namespace": place.namespace}
    place.job()
    lease = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": metadata}
    stored = place.run(place.cluster.create(lease | {"spec": {"holderIdentity": "one"}}))

    place.run(place.cluster.replace(stored | {"spec": {"holderIdentity": "two"}}))

    with pytest.raises(ConflictError):
        place.run(place.cluster.replace(stored | {"spec": {"holderIdentity": "three"}}))


def test_child_that_the_schema_refuses(api_server: ApiServer) -> None:
    with asyncio.Runner() as runner:
        cluster = KubeCluster(runner.run(load_configuration(str(api_server.plane.kubeconfig))))
        place = Place(cluster, runner.run, api_server.apply)
        child = place.child(place.job())

        with pytest.raises(InvalidError, match=r"cannot create ConfigMap .*no/slash\]: Invalid value"):
            runner.run(cluster.create(child | {"data": {"no/slash": ""}}))
        runner.run(cluster.close())
