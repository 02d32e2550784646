"""Why a cluster is not ready: told by its pods and by warnings, each with a way out."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.worlds import (
    DEFAULTS,
    READY,
    Document,
    applied,
    conditions,
    job,
    lost,
    message,
    ray_job,
    searching,
    status_of,
    tick,
)
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Observed


def pod(name: str = "digits-head", **status: Any) -> Document:
    return {"metadata": {"name": name}, "status": {"phase": "Pending", **status}}


def waits(reason: str, text: str = "", image: str = "registry.example.org/a:1") -> Document:
    return pod(
        containerStatuses=[{"image": image, "state": {"waiting": {"reason": reason, "message": text}}}]
    )


def unscheduled(text: str) -> Document:
    return pod(
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}]
    )


def crashes(**ended: Any) -> Document:
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    return pod(containerStatuses=[{"state": state, "lastState": {"terminated": ended}}])


def with_pods(world: Observed, *pods: Document) -> Observed:
    """The world with these as pods of the newest run."""
    labels = world.ray_jobs[-1]["metadata"]["labels"]
    labelled = ({**each, "metadata": {**each["metadata"], "labels": labels}} for each in pods)
    return replace(world, pods=tuple(labelled))


def warned(world: Observed, text: str, about: str = "") -> Observed:
    name = about or f"{world.ray_jobs[-1]['metadata']['name']}-x7k2p"
    return replace(world, events=({"type": "Warning", "involvedObject": {"name": name}, "message": text},))


PODS: dict[str, tuple[Document, str, str]] = {
    "no such image": (
        waits("ErrImagePull", "not found"),
        "ImagePullFailed",
        "pod digits-head cannot pull registry.example.org/a:1: not found; check the image's name and digest,"
        " the profile's images.pullSecrets and the registry",
    ),
    "image is tried again": (
        waits("ImagePullBackOff"),
        "ImagePullFailed",
        "pod digits-head cannot pull registry.example.org/a:1: ImagePullBackOff; check the image's name and"
        " digest, the profile's images.pullSecrets and the registry",
    ),
    "image of the init container": (
        {
            "metadata": {"name": "w"},
            "status": {
                "initContainerStatuses": [
                    {"image": "i", "state": {"waiting": {"reason": "InvalidImageName"}}}
                ]
            },
        },
        "ImagePullFailed",
        "pod w cannot pull i: InvalidImageName; check the image's name and digest, the profile's"
        " images.pullSecrets and the registry",
    ),
    "no room": (
        unscheduled("0/3 nodes are available: 3 Insufficient cpu."),
        "Unschedulable",
        "pod digits-head finds no node: 0/3 nodes are available: 3 Insufficient cpu; add nodes, or change"
        " the pool's resources, nodeSelector or tolerations in the profile",
    ),
    "no such Secret": (
        waits("CreateContainerConfigError", 'secret "s3" not found'),
        "ContainerNotCreated",
        'pod digits-head: secret "s3" not found; make it in the job\'s namespace, or change the profile',
    ),
    "out of memory": (
        crashes(reason="OOMKilled", exitCode=137),
        "Crashing",
        "pod digits-head crashes: it was out of memory; give the pool more memory in the profile",
    ),
    "crashes": (
        crashes(reason="Error", exitCode=2),
        "Crashing",
        "pod digits-head crashes: exit code 2; see its log: kubectl logs --previous",
    ),
    "crashes and says nothing": (crashes(), "Crashing", "pod digits-head crashes: back-off"),
    "being made": (waits("ContainerCreating"), "Starting", "RayJob digits-s0-a1-47148c28 makes its cluster"),
    "being deleted": (
        {**waits("ErrImagePull"), "metadata": {"name": "a", "deletionTimestamp": "2026-11-24T08:00:00Z"}},
        "Starting",
        "RayJob digits-s0-a1-47148c28 makes its cluster",
    ),
    "all is well": (pod(phase="Running"), "Starting", "RayJob digits-s0-a1-47148c28 makes its cluster"),
}


@pytest.mark.parametrize(("found", "reason", "says"), PODS.values(), ids=PODS)
def test_pod_says_why_it_does_not_run(found: Document, reason: str, says: str) -> None:
    world = tick(with_pods(tick(applied(job())), found))

    assert conditions(world)["ClusterReady"] == f"False/{reason}"
    assert message(world, "ClusterReady") == says


EVENTS = {
    "a quota": ('pods "a" is forbidden: exceeded quota: small, used: cpu=4', "QuotaExceeded"),
    "pod security": ('pods "a" is forbidden: violates PodSecurity "restricted:latest"', "Forbidden"),
    "an admission webhook": ("admission webhook x denied the request: no", "Forbidden"),
    "something else": ("Created service", "Starting"),
}


@pytest.mark.parametrize(("text", "reason"), EVENTS.values(), ids=EVENTS)
def test_warning_about_its_cluster_says_why_there_are_no_pods(text: str, reason: str) -> None:
    world = tick(warned(tick(applied(job())), text))

    assert conditions(world)["ClusterReady"] == f"False/{reason}"


@pytest.mark.parametrize("name", ["digits-s0-a10-47148c28", "other"], ids=["another attempt", "another job"])
def test_warning_about_something_else_is_not_told(name: str) -> None:
    world = tick(warned(tick(applied(job())), "exceeded quota", about=name))

    assert conditions(world)["ClusterReady"] == "False/Starting"


def test_gravest_reason_is_told() -> None:
    world = with_pods(tick(applied(job())), unscheduled("no room"), waits("ErrImagePull"))

    assert conditions(tick(world))["ClusterReady"] == "False/ImagePullFailed"


def test_pods_of_the_run_before_do_not_count() -> None:
    world = with_pods(searching(), waits("ErrImagePull"))
    begun = tick(replace(lost(world), now=world.now.replace(hour=9)))

    assert conditions(tick(begun))["ClusterReady"] == "False/Starting"


def test_pod_that_was_made_anew_while_the_search_goes_on_says_why_it_does_not_run() -> None:
    world = tick(ray_job(with_pods(searching(), waits("ErrImagePull", "not found")), READY))

    told = message(world, "ClusterReady")
    assert conditions(world)["ClusterReady"] == "False/ImagePullFailed"
    assert (status_of(world).phase, status_of(world).message) == ("Searching", told)


def test_submitter_that_does_not_run_is_why_there_is_no_driver_yet() -> None:
    world = tick(ray_job(with_pods(tick(applied(job())), waits("ErrImagePull", "not found")), READY))

    assert (status_of(world).phase, conditions(world)["Succeeded"]) == ("Starting", "Unknown/ImagePullFailed")


def test_ready_cluster_has_nothing_to_wait_for() -> None:
    world = tick(ray_job(with_pods(searching(), pod(phase="Running")), READY))

    assert conditions(world)["ClusterReady"] == "True/Ready"


@pytest.mark.parametrize(
    "status",
    [{"jobDeploymentStatus": "Suspended"}, {"jobDeploymentStatus": "Suspending"}],
    ids=["taken out", "being taken out"],
)
def test_ray_job_that_is_suspended_is_queued(status: Document) -> None:
    world = tick(ray_job(searching(), status))

    assert (status_of(world).phase, conditions(world)["ClusterReady"]) == ("Queued", "False/Queued")


@pytest.mark.parametrize(
    ("world", "seconds"),
    [
        pytest.param(tick(applied(job())), 30.0, id="nothing told yet"),
        pytest.param(warned(tick(applied(job())), "exceeded quota: compute"), 30.0, id="told by a warning"),
        pytest.param(with_pods(tick(applied(job())), waits("ErrImagePull")), None, id="told by a pod"),
    ],
)
def test_warnings_are_looked_for_again_as_nobody_watches_them(world: Observed, seconds: float | None) -> None:
    assert reconcile(world, DEFAULTS).requeue_after_seconds == seconds
