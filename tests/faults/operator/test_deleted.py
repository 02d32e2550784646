"""A job, or its namespace, is deleted at any point of its life: nothing is left, KubeRay's part included."""

from collections.abc import Callable

import pytest

from tests.faults.conftest import Recovery
from tests.support.operated import TWO_SEGMENTS, Job, Site


def before_it_is_seen(site: Site) -> Job:
    return site.apply()


def without_profile(site: Site) -> Job:
    job = site.apply(profile="none")
    job.stands("ProfileNotFound")
    return job


def starting(site: Site) -> Job:
    job = site.apply()
    job.stands("Starting")
    return job


def searching(site: Site) -> Job:
    job = site.apply(**TWO_SEGMENTS)
    job.submit()
    with job.driver() as driver:
        driver.searching(3)
    job.stands("Searching")
    return job


def compressing(site: Site) -> Job:
    job = searching(site)
    with job.driver() as driver:
        driver.end_segment()
    job.end("SUCCEEDED")
    job.runs(1, "export")
    job.submit()
    with job.driver() as driver:
        driver.compressing()
    job.stands("Compressing")
    return job


def backing_off(site: Site) -> Job:
    job = site.apply()
    job.submit().end("FAILED")
    job.stands("BackingOff")
    return job


def suspending(site: Site) -> Job:
    job = searching(site)
    job.edit(suspend=True)
    return job


def suspended(site: Site) -> Job:
    job = suspending(site)
    job.stands("Suspended")
    return job


def succeeded(site: Site) -> Job:
    job = site.apply()
    job.succeed()
    return job


def failed(site: Site) -> Job:
    job = site.apply()
    job.fail("GuardrailNotMet")
    return job


POINTS: dict[str, Callable[[Site], Job]] = {
    "before it is seen": before_it_is_seen,
    "without a profile": without_profile,
    "starting": starting,
    "searching": searching,
    "compressing": compressing,
    "backing off": backing_off,
    "suspending": suspending,
    "suspended": suspended,
    "succeeded": succeeded,
    "failed": failed,
}


@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_left_of_a_job_that_was_deleted(site: Site, recovery: Recovery, point: str) -> None:
    job = POINTS[point](site)

    with recovery(f"job deleted, {point}"):
        job.delete()
        job.wait_until_nothing_is_left()

    assert site.server.find(job.document) is None


def test_job_of_the_same_name_begins_anew(site: Site, recovery: Recovery) -> None:
    first = searching(site)
    name = first.name

    with recovery("job deleted and applied anew at once"):
        first.delete()
        second = site.apply(name)
        second.submit()

    assert second.succeed()["status"]["runs"][0]["attempt"] == 1


def test_namespace_goes_with_all_that_runs_in_it(site: Site, recovery: Recovery) -> None:
    doomed = Site(site.server, site.rays, f"{site.namespace}-doomed", site.folder)
    job, other = searching(doomed), searching(site)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": doomed.namespace}}

    with recovery("namespace deleted while a job runs in it"):
        site.server.delete(namespace)
        job.wait("no namespace", lambda: site.server.find(namespace) is None)
    with other.driver() as driver:
        driver.end_segment()
    other.end("SUCCEEDED")

    assert other.runs(1, "export")
