"""Every state of a job, reached by the real operator on a control plane, and judged by kstatus itself."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.programs import find_program
from tests.support import pod_states
from tests.support.cluster import ApiServer
from tests.support.kstatus import kstatus_of
from tests.support.nodes import Node
from tests.support.operated import Document, Job, Site, condition_of, profile
from tests.support.operator_process import OperatorProcess
from tests.support.pod_states import PodState


def judged(document: Document) -> tuple[str, str]:
    """What people and what GitOps tools are told of a job."""
    return document["status"]["phase"], kstatus_of(document)


@pytest.fixture(scope="module", autouse=True)
def quota_job(operator: OperatorProcess, sites: dict[str, Site]) -> Iterator[Job]:
    """A job in a namespace that has no room for pods, of which warnings tell half a minute later."""
    site = sites["kstatus-quota"]
    site.server.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none", "namespace": site.namespace},
            "spec": {"hard": {"pods": "0"}},
        }
    )
    yield site.apply()
    site.clear()


def test_job_without_its_profile_waits_for_it(site: Site) -> None:
    job = site.apply(profile="later")
    assert judged(job.stands("ProfileNotFound")) == ("Pending", "InProgress")

    later = site.server.create(profile("later"))

    assert judged(job.stands("Starting")) == ("Starting", "InProgress")
    site.server.delete(later)


def test_refused_job_has_failed_until_its_profile_allows_it(site: Site) -> None:
    job = site.apply(resources={"search": {"pool": "arm"}})
    assert judged(job.stands("Refused")) == ("Failed", "Failed")

    pools = [*site.profile["spec"]["pools"], {"name": "arm", "resources": {"cpu": "1", "memory": "1Gi"}}]
    site.server.patch(site.profile, {"spec": {"pools": pools}})

    assert judged(job.stands("Starting")) == ("Starting", "InProgress")


PODS: dict[str, tuple[PodState, str]] = {
    "image": (pod_states.image_pull_fails, "ImagePullFailed"),
    "secret": (pod_states.configuration_fails, "ContainerNotCreated"),
    "memory": (pod_states.out_of_memory, "Crashing"),
}


@pytest.mark.parametrize("name", PODS)
def test_job_whose_pods_do_not_start_waits_and_goes_on_when_they_do(
    site: Site, node: Node, name: str
) -> None:
    state, reason = PODS[name]
    workers = {"ray.io/node-type": "worker", "trimtab.io/job": name}
    node.let(state, namespace=site.namespace, labels=workers)
    job = site.apply(name)
    assert judged(job.stands(reason)) == ("Starting", "InProgress")

    node.let(pod_states.running, namespace=site.namespace, labels=workers)

    job.submit()
    assert judged(job.stands("Starting")) == ("Starting", "InProgress")


def test_job_that_no_node_suits_waits_for_one(site: Site) -> None:
    selector = {"nodeSelector": {"pool": "kstatus"}}
    pools = [each | selector for each in site.profile["spec"]["pools"]]
    site.server.patch(site.profile, {"spec": {"pools": pools}})
    job = site.apply(resources={"search": {"pool": "cpu"}})
    assert judged(job.stands("Unschedulable")) == ("Starting", "InProgress")

    with Node(site.server, "kstatus-node", labels={"pool": "kstatus"}):
        job.until("ready", lambda found: condition_of(found, "ClusterReady")["status"] == "True")
        site.clear()


def test_job_in_a_queue_waits_for_its_turn(site: Site) -> None:
    job = site.apply()

    site.server.patch(job.ray_job(), {"spec": {"suspend": True}})

    assert judged(job.stands("Queued")) == ("Queued", "InProgress")


def test_job_on_its_way_to_success(site: Site) -> None:
    job = site.apply()
    submitted = job.submit()
    with job.driver() as driver:
        driver.searching(12)
        assert judged(job.stands("Searching")) == ("Searching", "InProgress")
        driver.compressing()
        assert judged(job.stands("Compressing")) == ("Compressing", "InProgress")
        driver.progress.change(phase="Verifying", stage="guardrail")
        assert judged(job.stands("Verifying")) == ("Verifying", "InProgress")
        driver.succeed()

    submitted.end("SUCCEEDED")

    assert judged(job.stands("Completed")) == ("Succeeded", "Current")


def test_job_that_is_ready_when_accepted_stays_so_while_it_runs(site: Site) -> None:
    job = site.apply(readyPolicy="Accepted")
    assert judged(job.stands("Starting")) == ("Starting", "Current")
    job.submit()
    with job.driver() as driver:
        driver.searching(12)

    assert judged(job.stands("Searching")) == ("Searching", "Current")


def test_job_that_reached_a_budget_is_current(site: Site) -> None:
    assert judged(site.apply().succeed("BudgetReached")) == ("Succeeded", "Current")


@pytest.mark.parametrize("kind", ["GuardrailNotMet", "Code", "Configuration", "NoTrialCompleted"])
def test_failed_job_is_failed_until_it_is_tried_again(site: Site, kind: str) -> None:
    job = site.apply()
    assert judged(job.fail(kind)) == ("Failed", "Failed")

    job.edit(retry=1)

    assert judged(job.stands("Starting")) == ("Starting", "InProgress")
    assert job.runs(attempt=2)["metadata"]["labels"]["trimtab.io/attempt"] == "2"


def test_job_whose_attempts_are_lost_is_in_progress_until_the_fifth(site: Site) -> None:
    job = site.apply()
    for attempt in range(1, 5):
        job.runs(attempt)
        job.submit().end("FAILED")
        assert judged(job.stands("BackingOff")) == ("Pending", "InProgress")
        job.rewind(1, "endTime")
    job.runs(5)

    job.submit().end("FAILED")

    assert judged(job.stands("Infrastructure")) == ("Failed", "Failed")


def test_suspended_job_is_neither_current_nor_failed(site: Site, node: Node) -> None:
    job = site.apply()
    job.submit()
    node.confirms_deletions = False
    try:
        job.edit(suspend=True)
        assert judged(job.stands("Suspending")) == ("Starting", "InProgress")
    finally:
        node.confirms_deletions = True
        node.refresh()
    assert judged(job.stands("Suspended")) == ("Suspended", "InProgress")

    job.edit(suspend=False)

    assert judged(job.stands("Starting")) == ("Starting", "InProgress")
    assert job.runs(attempt=2)


def kubectl(server: ApiServer, *arguments: str) -> "subprocess.Popen[str]":
    command = [str(find_program("kubectl")), f"--kubeconfig={server.plane.kubeconfig}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


ENDS: dict[str, tuple[str, Callable[[Job], Any]]] = {
    "condition=Succeeded": ("success", Job.succeed),
    "condition=Succeeded=false": ("failure", lambda job: job.fail("GuardrailNotMet")),
}


@pytest.mark.parametrize("condition", ENDS)
def test_kubectl_waits_for_the_end(site: Site, condition: str) -> None:
    name, end = ENDS[condition]
    job = site.apply(name)
    target = f"optjob/{name}", f"--namespace={site.namespace}"
    with kubectl(site.server, "wait", f"--for={condition}", *target, "--timeout=120s") as waiting:
        end(job)

        told, _ = waiting.communicate()
    assert (waiting.returncode, told) == (0, f"optimizationjob.trimtab.io/{name} condition met\n")


def test_kubectl_shows_a_job_in_a_line(site: Site) -> None:
    site.apply("shown").succeed()

    with kubectl(site.server, "get", "optjob", "shown", f"--namespace={site.namespace}") as getting:
        head, line = getting.communicate()[0].splitlines()

    assert head.split() == ["NAME", "PHASE", "STAGE", "TRIALS", "BEST", "SIZE", "SPEEDUP", "AGE"]
    assert line.split()[:2] == ["shown", "Succeeded"]
    assert line.split()[-4:-1] == ["1", "MB", "4x"]


def test_job_in_a_full_namespace_waits_for_its_quota(quota_job: Job) -> None:
    waiting = quota_job.stands("QuotaExceeded")

    assert judged(waiting) == ("Starting", "InProgress")
    assert "exceeded quota: none" in condition_of(waiting, "ClusterReady")["message"]
