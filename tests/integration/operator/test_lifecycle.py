"""The operator as it is deployed, on a real control plane: from a job that is applied to its end.

Each test's operator is a process with the documented permissions, for namespaces of its own.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import API_SERVER
from tests.cluster.definitions import kuberay_definitions
from tests.support.cluster import ApiServer, crd_documents, install, run_control_plane
from tests.support.operated import Site, condition_of
from tests.support.operator_process import OperatorProcess
from tests.support.rays import Rays

Document = dict[str, Any]
names = (f"lifecycle-{number}" for number in itertools.count(1))
SHORT_LEASE = {"LEASE_DURATION_SECONDS": "3", "LEASE_RENEW_SECONDS": "2", "LEASE_RETRY_SECONDS": "0.5"}


@pytest.fixture
def site(control_plane: ApiServer, rays: Rays, tmp_path: Path) -> Site:
    """A namespace of the test's own."""
    return Site(control_plane, rays, next(names), tmp_path)


Start = Callable[..., OperatorProcess]


@pytest.fixture
def start(site: Site, tmp_path: Path) -> Iterator[Start]:
    """Starts operators for the namespace, which share a Lease."""
    with ExitStack() as stack:

        def started(identity: str, **settings: str) -> OperatorProcess:
            serves = {"NAMESPACES": site.namespace, "IDENTITY": identity, **settings}
            folder = tmp_path / identity
            return stack.enter_context(OperatorProcess(site.server, folder, site.namespace, settings=serves))

        yield started


def of(site: Site, version: str, kind: str) -> list[str]:
    """The names of all objects of a kind in the namespace but those that every namespace has."""
    found = (each["metadata"]["name"] for each in site.server.items(version, kind, site.namespace))
    return sorted(name for name in found if name not in ("default", "kube-root-ca.crt"))


def test_job_becomes_a_ray_job_with_all_it_needs_and_ends_as_its_driver_says(
    site: Site, start: Start
) -> None:
    start("one")
    job = site.apply("digits")
    job.submit()

    assert of(site, "v1", "ConfigMap")[:2] == ["digits-plan", "digits-report"]
    assert of(site, "v1", "ServiceAccount") == ["digits-driver"]
    assert of(site, "rbac.authorization.k8s.io/v1", "Role") == ["digits-driver"]
    assert of(site, "rbac.authorization.k8s.io/v1", "RoleBinding") == ["digits-driver"]
    assert of(site, "networking.k8s.io/v1", "NetworkPolicy") == ["digits-ray"]
    with job.driver() as driver:
        driver.searching(3)
        searching = job.stands("Searching")
    ended = job.succeed()

    assert searching["status"]["trials"]["completed"] == 3
    assert ended["status"]["phase"] == "Succeeded"
    assert [run["outcome"] for run in ended["status"]["runs"]] == ["Succeeded"]


def test_object_of_the_user_is_the_users(site: Site, start: Start) -> None:
    start("one")
    job = site.apply("digits")
    before = job.document["metadata"]
    after = job.succeed()["metadata"]

    assert not {"annotations", "labels", "finalizers"} & after.keys()
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])
    written = {each["manager"]: each.get("subresource") for each in after["managedFields"]}
    assert written["trimtab"] == "status"


def test_operator_that_was_killed_goes_on_where_the_job_is(site: Site, start: Start) -> None:
    operator = start("one")
    job = site.apply("digits")
    submitted = job.submit()
    name = job.ray_job()["metadata"]["name"]

    operator.kill()
    with job.driver() as driver:
        driver.succeed()
    submitted.end("SUCCEEDED")
    operator.start()
    ended = job.stands("Completed")

    assert [run["name"] for run in ended["status"]["runs"]] == [name]
    assert ended["status"]["attempt"] == 1


def test_operator_that_is_told_to_end_hands_over_at_once(site: Site, start: Start) -> None:
    first = start("one", LEASE_DURATION_SECONDS="600", LEASE_RENEW_SECONDS="500")
    first.wait_until_leading()
    second = start("two", LEASE_DURATION_SECONDS="600", LEASE_RENEW_SECONDS="500")

    stood_by = not second.is_leading()
    code = first.stop()
    second.wait_until_leading()
    job = site.apply("digits")

    assert (stood_by, code) == (True, 0)
    assert job.succeed()["status"]["phase"] == "Succeeded"


def test_second_operator_acts_once_the_first_one_is_gone(site: Site, start: Start) -> None:
    first = start("one", **SHORT_LEASE)
    first.wait_until_leading()
    second = start("two", **SHORT_LEASE)
    job = site.apply("digits")
    submitted = job.submit()

    first.kill()
    second.wait_until_leading()
    with job.driver() as driver:
        driver.succeed()
    submitted.end("SUCCEEDED")

    assert job.stands("Completed")["status"]["attempt"] == 1
    assert len(of(site, "ray.io/v1", "RayJob")) <= 1


def test_job_of_another_namespace_is_not_looked_at(site: Site, start: Start, tmp_path: Path) -> None:
    other = Site(site.server, site.rays, next(names), tmp_path)
    start("one")
    elsewhere, job = other.apply("digits"), site.apply("digits")
    job.succeed()

    assert elsewhere.status["observedGeneration"] == -1


def test_job_waits_for_kuberay_and_goes_on_when_it_is_installed(tmp_path: Path) -> None:
    for server in run_control_plane(tmp_path / "plane", API_SERVER, list(crd_documents().values())):
        site = Site(server, None, "lifecycle", tmp_path)  # type: ignore[arg-type]  # nothing runs here
        settings = {"NAMESPACES": "lifecycle", "IDENTITY": "one"}
        with OperatorProcess(server, tmp_path / "one", settings=settings) as operator:
            job = site.apply("digits")
            waiting = job.until("waiting", lambda found: reason(found) == "KubeRayNotInstalled")
            for definition in kuberay_definitions():
                install(server, definition["metadata"]["name"], definition)
            name = job.until("started", lambda found: bool(found["status"].get("rayJob")))["status"]["rayJob"]
            running = job.ray_job(name)
            server.patch_status(running, {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"})
            job.until("told by the watch", lambda found: reason(found) == "Ready")

            assert waiting["status"]["phase"] == "Pending"
            assert operator.stop() == 0


def reason(job: Document) -> str:
    return str(condition_of(job, "ClusterReady")["reason"])
