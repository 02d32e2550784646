"""The pods of a run as their nodes tell of them: which are lost, and whether it can go on. Pure.

A pod on a node that does not answer stays Terminating until the node, or an administrator, confirms its end,
and KubeRay makes none in its place meanwhile. A head is never made up for: the driver was in it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from trimtab_operator import names
from trimtab_operator.manifests import at, is_going, items_at, mapping_at, text_at, time_at, whole_at
from trimtab_operator.texts import cut
from trimtab_operator.world import Manifest

_GROUP = "ray.io/group"
_KIND = "ray.io/node-type"
_RAY = ("ray-head", "ray-worker")
LATE = timedelta(seconds=15)
"""How long after the time that a pod was given to end it counts as stuck."""
_ENDED = ("Succeeded", "Failed")
_SAID_BYTES = 160


def pods_of_run(segment: str, attempt: int, pods: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """Return the pods of one run; those of the run before may still be there."""
    labels = {names.SEGMENT: segment, names.ATTEMPT: str(attempt)}
    return tuple(pod for pod in pods if labels.items() <= mapping_at(pod, "metadata", "labels").items())


def is_stuck(pod: Manifest, now: datetime) -> bool:
    """Whether a pod should have ended by now, and nobody confirms that it has."""
    due = _due(pod)
    return due is not None and due <= now


def is_cut_off(pod: Manifest) -> bool:
    """Whether the node of a pod does not answer: all was well by its last word, and is not by others'."""
    truths = {
        text_at(each, "type"): text_at(each, "status") for each in items_at(pod, "status", "conditions")
    }
    return truths.get("Ready") == "False" and truths.get("ContainersReady") == "True"


def is_ready(pod: Manifest) -> bool:
    """Whether all of a pod is ready, by its own word and others'."""
    conditions = items_at(pod, "status", "conditions")
    return any(at(each, "type") == "Ready" and at(each, "status") == "True" for each in conditions)


def running_since(pod: Manifest) -> datetime | None:
    """Return since when Ray runs in a pod; None while it does not."""
    return time_at(_container(pod), "state", "running", "startedAt")


def place_of(pod: Manifest) -> str:
    """Return which pod it is, and on which node."""
    node = text_at(pod, "spec", "nodeName")
    return f"pod {text_at(pod, 'metadata', 'name')}" + (f" on node {node}" if node else "")


def head_of(pods: Iterable[Manifest]) -> Manifest | None:
    """Return the head of a run; None where there is none, or more than one."""
    heads = [pod for pod in pods if at(pod, "metadata", "labels", _KIND) == "head"]
    return heads[0] if len(heads) == 1 else None


def identity_of(head: Manifest) -> str | None:
    """Return what is another with every start of a head; None of one that is not ready, or not any more."""
    uid = text_at(head, "metadata", "uid")
    is_there = is_ready(head) and text_at(head, "status", "phase") == "Running" and not is_going(head)
    return f"{uid}/{_restarts(head)}" if is_there and uid else None


def loss_of(pods: tuple[Manifest, ...], known: str | None, now: datetime) -> str:
    """Return why a run cannot go on, whatever its RayJob says; empty when it can.

    `known` is its head when its cluster got ready; until then there is no driver, and nothing is lost with a
    head that is made anew.
    """
    head = head_of(pods)
    if known and head and (why := _end_of(head, known)):
        return why
    for group in _groups(pods):
        stuck = [pod for pod in group if is_stuck(pod, now)]
        if stuck and (len(stuck) == len(group) or not known):
            return f"{place_of(stuck[0])} is lost: the node does not answer"
    return ""


def seconds_to_loss(pods: Iterable[Manifest], now: datetime) -> float | None:
    """Return when the next of the pods that should end will count as stuck; None when none will."""
    times = [due for pod in pods if (due := _due(pod)) is not None and due > now]
    return (min(times) - now) / timedelta(seconds=1) if times else None


def _due(pod: Manifest) -> datetime | None:
    """Return when a pod counts as stuck that is being deleted; its time to end is in that date already."""
    until = time_at(pod, "metadata", "deletionTimestamp")
    if until is None or text_at(pod, "status", "phase") in _ENDED:
        return None
    try:
        return until + LATE
    except OverflowError:
        return until


def _groups(pods: Iterable[Manifest]) -> list[list[Manifest]]:
    """Return the pods of Ray, the submitter's left out, by group."""
    found: dict[str, list[Manifest]] = {}
    for pod in pods:
        if group := text_at(pod, "metadata", "labels", _GROUP):
            found.setdefault(group, []).append(pod)
    return list(found.values())


def _end_of(head: Manifest, known: str) -> str:
    """Return how the head ended that had the driver; empty while it has not."""
    where = place_of(head)
    phase = text_at(head, "status", "phase")
    if phase in _ENDED:
        said = [text_at(head, "status", field) for field in ("reason", "message")]
        return ": ".join([f"the head, {where}, ended as {phase}", *filter(None, said)])
    if is_going(head):
        return f"the head, {where}, is being deleted{_disruption(head)}"
    uid = text_at(head, "metadata", "uid")
    if not known.startswith(f"{uid}/"):
        return f"the head was made anew as {where}"
    if known != f"{uid}/{_restarts(head)}":
        return f"the head, {where}, was started anew{_last_words(head)}"
    return ""


def _disruption(pod: Manifest) -> str:
    """Return why a pod is taken away, where Kubernetes says so."""
    for each in items_at(pod, "status", "conditions"):
        if at(each, "type") == "DisruptionTarget" and at(each, "status") == "True":
            return f": {cut(text_at(each, 'message') or text_at(each, 'reason'), _SAID_BYTES)}"
    return ""


def _last_words(pod: Manifest) -> str:
    ended = mapping_at(_container(pod), "lastState", "terminated")
    reason, said = text_at(ended, "reason"), text_at(ended, "message").strip()
    if reason == "OOMKilled":
        return ": it was out of memory; raise the operator's setting HEAD_MEMORY"
    said = said or f"{reason}, exit code {whole_at(ended, 'exitCode')}"
    return f": {cut(said, _SAID_BYTES)}" if ended else ""


def _restarts(pod: Manifest) -> int:
    return whole_at(_container(pod), "restartCount")


def _container(pod: Manifest) -> Manifest:
    """Return the status of a pod's container in which Ray runs."""
    found = items_at(pod, "status", "containerStatuses")
    return next((each for each in found if at(each, "name") in _RAY), {})
