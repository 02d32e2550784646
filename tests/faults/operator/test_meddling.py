"""Somebody changes or deletes what the operator has made, or what it made it from, while a job runs."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.conftest import Recovery
from tests.support.operated import (
    TWO_SEGMENTS,
    Document,
    Job,
    Site,
    condition_of,
)


def searching(site: Site, **spec: Any) -> Job:
    """A job whose first trials have ended."""
    job = site.apply(**spec)
    job.submit()
    with job.driver() as driver:
        driver.searching(3)
    job.stands("Searching")
    return job


def ledger(document: Document) -> list[tuple[int, str, str]]:
    """Attempt, segment and outcome of each run."""
    return [(run["attempt"], run["segment"], run["outcome"]) for run in document["status"]["runs"]]


def test_ray_job_that_was_deleted_by_hand_is_another_attempts(site: Site, recovery: Recovery) -> None:
    job = searching(site)
    first = job.ray_job()

    with recovery("RayJob deleted by hand, the pause of 10 s included"):
        site.server.delete(first)
        waiting = job.stands("BackingOff")
        job.runs(attempt=2)
        job.submit()

    assert "its RayJob was deleted" in condition_of(waiting, "Ready")["message"]
    assert site.server.find(first) is None
    assert ledger(job.succeed()) == [(1, "search", "Deleted"), (2, "search", "Succeeded")]


def test_ray_cluster_that_was_deleted_by_hand_is_another_attempts(site: Site, recovery: Recovery) -> None:
    job = searching(site)
    cluster = site.server.items("ray.io/v1", "RayCluster", site.namespace)[0]

    with recovery("RayCluster deleted by hand, up to the pause"):
        site.server.delete(cluster)
        job.submit().lose_submitter()
        job.stands("BackingOff")

    assert ledger(job.now()) == [(1, "search", "Infrastructure")]


def edit_plan(job: Job) -> None:
    job.server.patch(job.child("ConfigMap", "plan"), {"data": {"plan.json": "{}", "control.json": None}})


def delete_plan(job: Job) -> None:
    job.server.delete(job.child("ConfigMap", "plan"))


def delete_all(job: Job) -> None:
    for kind, name in {
        "NetworkPolicy": "ray",
        "RoleBinding": "driver",
        "Role": "driver",
        "ServiceAccount": "driver",
        "ConfigMap": "plan",
    }.items():
        job.server.delete(job.child(kind, name))


PLANS: dict[str, Callable[[Job], None]] = {
    "plan edited": edit_plan,
    "plan deleted": delete_plan,
    "plan, account, role, binding and policy deleted": delete_all,
}


@pytest.mark.parametrize("what", PLANS)
def test_children_are_made_again_as_they_were(site: Site, recovery: Recovery, what: str) -> None:
    job = searching(site)
    before, children = site.server.get(job.child("ConfigMap", "plan"))["data"], job.left()

    with recovery(what):
        PLANS[what](job)
        job.wait("all children", lambda: job.left() == children and data_of(job, "plan") == before)

    assert ledger(job.succeed()) == [(1, "search", "Succeeded")]


def data_of(job: Job, name: str) -> Document | None:
    found = job.server.find(job.child("ConfigMap", name))
    return found and found["data"]


def edit_profile(site: Site) -> None:
    """Another store, and GPUs that no node has."""
    pools = [each | {"gpuResource": "example.com/none"} for each in site.profile["spec"]["pools"]]
    site.server.patch(site.profile, {"spec": {"pools": pools, "store": {"uri": "s3://elsewhere"}}})


def delete_profile(site: Site) -> None:
    site.server.delete(site.profile)


PROFILES: dict[str, Callable[[Site], None]] = {
    "profile edited": edit_profile,
    "profile deleted": delete_profile,
}


@pytest.mark.parametrize("what", PROFILES)
def test_job_goes_on_under_the_profile_that_it_was_admitted_under(
    site: Site, recovery: Recovery, what: str
) -> None:
    job = searching(site, **TWO_SEGMENTS)
    before = job.status
    with job.driver() as driver:
        driver.end_segment()
    PROFILES[what](site)

    with recovery(f"{what}, up to the next segment"):
        job.end("SUCCEEDED")
        job.runs(1, "export")
        job.submit()
    ended = job.succeed()

    assert ledger(ended) == [(1, "search", "Succeeded"), (1, "export", "Succeeded")]
    assert ended["status"]["planDigest"] == before["planDigest"]
    assert ended["status"]["artifacts"][0]["uri"].startswith("s3://models/")


def test_plan_that_cannot_be_made_again_fails_the_job_until_it_is_tried_again(
    site: Site, recovery: Recovery
) -> None:
    job = searching(site)
    site.server.patch(site.profile, {"spec": {"store": {"uri": "s3://elsewhere"}}})

    with recovery("profile edited and plan deleted, then retried"):
        delete_plan(job)
        lost = job.stands("PlanLost")
        job.wait("no RayJob", lambda: not job.children("RayJob"))
        job.edit(retry=1)
        job.runs(attempt=2)

    assert lost["status"]["phase"] == "Failed"
    assert "raise spec.retry" in condition_of(lost, "Succeeded")["message"]
    assert job.succeed()["status"]["artifacts"][0]["uri"].startswith("s3://elsewhere/")


def test_config_map_of_somebody_else_is_never_taken_over(site: Site, recovery: Recovery) -> None:
    metadata = {"name": "taken-plan", "namespace": site.namespace}
    theirs = site.server.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"plan.json": "mine"}}
    )
    job = site.apply("taken")

    waiting = job.until("told", lambda found: condition_of(found, "ClusterReady")["reason"] == "NameTaken")

    assert condition_of(waiting, "ClusterReady")["message"] == (
        f"ConfigMap {site.namespace}/taken-plan is there and is not this job's; rename the job, or delete it "
        "if nobody needs it"
    )
    assert site.server.get(theirs) == theirs
    assert job.children("RayJob") == []
    with recovery("a ConfigMap of somebody else removed, looked for every 30 s"):
        site.server.delete(theirs)
        job.runs(attempt=1)
