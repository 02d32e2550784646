"""Why a Ray cluster is not ready yet, from its pods and from warnings, with what to do about it. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from trimtab_operator.manifests import at, is_going, items_at, mapping_at, text_at, whole_at
from trimtab_operator.pods import is_cut_off, is_ready, is_stuck, place_of, pods_of_run, running_since
from trimtab_operator.ray_jobs import SeenRayJob
from trimtab_operator.texts import cut
from trimtab_operator.world import Manifest

_SAID_BYTES = 300
LONG_START = timedelta(minutes=3)
"""How long Ray may take to get ready in a pod that runs, before that is told."""
_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_IMAGE_FIX = "check the image's name and digest, the profile's images.pullSecrets and the registry"
_NODE_FIX = "add nodes, or change the pool's resources, nodeSelector or tolerations in the profile"
_QUOTA_FIX = "raise the namespace's ResourceQuota, lower spec.search.parallelism, or wait for other jobs"
_FORBIDDEN_FIX = "the namespace's policies have to allow the pods of the profile"
_CREATE_FIX = "make it in the job's namespace, or change the profile"
_MEMORY_FIX = "give the pool more memory in the profile"
_CRASH_FIX = "see its log: kubectl logs --previous"
_NO_ANSWER = "the node does not answer"
_OUT_OF_SERVICE = (
    "start it again; or, once its machine is off: kubectl taint node {node} "
    "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute, and remove the taint when it is back"
)
_SUSPENDED_FIX = "it starts when Kueue admits it"
BY_WARNINGS = ("Starting", "QuotaExceeded", "Forbidden")
"""Reasons that come and go without a word from a pod: by warnings, which nobody watches."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why the cluster is not ready: a reason for machines, a message for people."""

    reason: str
    message: str


def waiting_of(
    ray_job: SeenRayJob, pods: tuple[Manifest, ...], events: tuple[Manifest, ...], now: datetime
) -> Waiting:
    """Return the gravest reason there is; Starting when all is as it should be."""
    if ray_job.is_queued:
        return Waiting("Queued", f"RayJob {ray_job.name} is suspended: {_SUSPENDED_FIX}")
    of_run = pods_of_run(ray_job.segment, ray_job.attempt, pods)
    found = [*_of_pods(of_run, now), *_of_events(_about(ray_job, events))]
    return _gravest(found) or _silent_of(of_run, now) or starting_of(ray_job.name)


def trouble_of(ray_job: SeenRayJob, pods: tuple[Manifest, ...], now: datetime) -> Waiting | None:
    """Return what is wrong with a pod of a cluster that has been ready; None when all is as it should be."""
    return _gravest(_of_pods(pods_of_run(ray_job.segment, ray_job.attempt, pods), now))


def _silent_of(pods: tuple[Manifest, ...], now: datetime) -> Waiting | None:
    """Return that Ray does not get ready in a pod that has run for long, as where its image lacks a part."""
    for pod in pods:
        started = running_since(pod)
        if started is not None and now - started > LONG_START and not is_ready(pod):
            fix = f"see kubectl logs {text_at(pod, 'metadata', 'name')}, and that its image has ray[default]"
            return Waiting("Starting", f"{place_of(pod)} runs, but Ray does not answer in it; {fix}")
    return None


def _gravest(found: Iterable[Waiting]) -> Waiting | None:
    return min(found, key=lambda each: (_ORDER.index(each.reason), each.message), default=None)


def _about(ray_job: SeenRayJob, events: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """Return the events about a RayJob and its cluster, whose name begins with the RayJob's."""
    about = [(text_at(event, "involvedObject", "name"), event) for event in events]
    return tuple(event for name, event in about if f"{name}-".startswith(f"{ray_job.name}-"))


def starting_of(ray_job: str) -> Waiting:
    """Return that all is as it should be; how many pods run is not told, as each one would be a write."""
    return Waiting("Starting", f"RayJob {ray_job} makes its cluster")


_ORDER = (
    "NodeLost",
    "QuotaExceeded",
    "Forbidden",
    "ImagePullFailed",
    "ContainerNotCreated",
    "Crashing",
    "Unschedulable",
)


def _of_pods(pods: tuple[Manifest, ...], now: datetime) -> Iterator[Waiting]:
    for pod in pods:
        if is_stuck(pod, now):
            yield lost_with_its_node(pod)
        elif is_cut_off(pod):
            yield Waiting("NodeLost", f"{place_of(pod)}: {_NO_ANSWER}; it is waited for")
        if is_going(pod):
            continue
        name = text_at(pod, "metadata", "name")
        for condition in items_at(pod, "status", "conditions"):
            if at(condition, "type") == "PodScheduled" and at(condition, "reason") == "Unschedulable":
                said = cut(text_at(condition, "message"), _SAID_BYTES).rstrip(".")
                yield Waiting("Unschedulable", f"pod {name} finds no node: {said}; {_NODE_FIX}")
        for container in _containers(pod):
            yield from _of_container(name, container)


def lost_with_its_node(pod: Manifest) -> Waiting:
    """Return that a pod does not end, as nobody can say whether it has."""
    node = text_at(pod, "spec", "nodeName") or "NODE"
    fix = _OUT_OF_SERVICE.format(node=node)
    return Waiting("NodeLost", f"{place_of(pod)} stays Terminating: {_NO_ANSWER}; {fix}")


def _containers(pod: Manifest) -> tuple[Manifest, ...]:
    status = mapping_at(pod, "status")
    return (*items_at(status, "initContainerStatuses"), *items_at(status, "containerStatuses"))


def _of_container(pod: str, container: Manifest) -> Iterator[Waiting]:
    waits = mapping_at(container, "state", "waiting")
    reason = text_at(waits, "reason")
    said = cut(text_at(waits, "message") or reason, _SAID_BYTES).rstrip(".")
    if reason in _IMAGE:
        image = text_at(container, "image")
        yield Waiting("ImagePullFailed", f"pod {pod} cannot pull {image}: {said}; {_IMAGE_FIX}")
    elif reason in ("CreateContainerConfigError", "CreateContainerError"):
        yield Waiting("ContainerNotCreated", f"pod {pod}: {said}; {_CREATE_FIX}")
    elif reason == "CrashLoopBackOff":
        yield Waiting("Crashing", f"pod {pod} crashes: {crash_of(container) or said}")


def crash_of(container: Manifest) -> str:
    """Return how a container ended that did not end well, with what to do; empty when it has not."""
    for state in ("state", "lastState"):
        ended = mapping_at(container, state, "terminated")
        code = whole_at(ended, "exitCode")
        if text_at(ended, "reason") == "OOMKilled":
            return f"it was out of memory; {_MEMORY_FIX}"
        if code:
            return f"exit code {code}; {_CRASH_FIX}"
    return ""


def out_of_memory(pods: tuple[Manifest, ...]) -> str:
    """Return a hint that a pod of a lost run was out of memory; empty when none was."""
    for pod in pods:
        if any("out of memory" in crash_of(container) for container in _containers(pod)):
            return f"pod {text_at(pod, 'metadata', 'name')} was out of memory; {_MEMORY_FIX}"
    return ""


def _of_events(events: tuple[Manifest, ...]) -> Iterator[Waiting]:
    for event in events:
        said = cut(text_at(event, "message"), _SAID_BYTES)
        for pattern, make in _WARNINGS:
            if pattern.search(said):
                yield make(said)
                break


_WARNINGS: tuple[tuple[re.Pattern[str], Callable[[str], Waiting]], ...] = (
    (re.compile("exceeded quota"), lambda said: Waiting("QuotaExceeded", f"{said}; {_QUOTA_FIX}")),
    (
        re.compile("is forbidden|denied the request"),
        lambda said: Waiting("Forbidden", f"{said}; {_FORBIDDEN_FIX}"),
    ),
)


def memory_note(pods: tuple[Manifest, ...]) -> str:
    """Return which pod that runs again was out of memory; empty when none was."""
    said = out_of_memory(pods)
    return f"{said}, or each trial less by spec.resources.search.perTrial.memory" if said else ""


def are_gone(pods: tuple[Manifest, ...]) -> bool:
    """Whether no pod of a job holds anything of a node any more."""
    return all(text_at(pod, "status", "phase") in ("Succeeded", "Failed") for pod in pods)
