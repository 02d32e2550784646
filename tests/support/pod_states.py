"""What a kubelet reports of a pod: each function gives the status of one state.

A status depends on nothing but the pod, so that reporting it twice changes nothing.
"""

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
PodState = Callable[[Document], Document]


def running(pod: Document) -> Document:
    """Every container runs and is ready."""
    return status(pod, "Running", {"running": {"startedAt": moment(pod)}}, ready=True)


def unready(pod: Document) -> Document:
    """Every container runs, and none is ready."""
    return status(pod, "Running", {"running": {"startedAt": moment(pod)}})


def starting(pod: Document) -> Document:
    """The node still makes the containers."""
    return status(pod, "Pending", {"waiting": {"reason": "ContainerCreating"}})


def image_pull_fails(pod: Document) -> Document:
    """No image can be pulled."""
    image = pod["spec"]["containers"][0]["image"]
    message = f'Back-off pulling image "{image}": ErrImagePull: failed to pull and unpack image: not found'
    return status(pod, "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": message}})


def configuration_fails(pod: Document) -> Document:
    """A Secret or ConfigMap that a container needs is not there."""
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "credentials" not found'}
    return status(pod, "Pending", {"waiting": waiting})


def init_fails(pod: Document) -> Document:
    """The first init container fails again and again."""
    waiting = {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}
    }
    containers = [pod_container(each, waiting, last=terminated(pod, "Error", 1)) for each in inits(pod)[:1]]
    rest = [pod_container(each, {"waiting": {"reason": "PodInitializing"}}) for each in inits(pod)[1:]]
    pending = status(pod, "Pending", {"waiting": {"reason": "PodInitializing"}})
    conditions = [
        each | {"status": "False"} if each["type"] == "Initialized" else each
        for each in pending["conditions"]
    ]
    return pending | {"conditions": conditions, "initContainerStatuses": [*containers, *rest]}


def succeeded(pod: Document) -> Document:
    return status(pod, "Succeeded", terminated(pod, "Completed", 0))


def failed(pod: Document) -> Document:
    return status(pod, "Failed", terminated(pod, "Error", 1))


def out_of_memory(pod: Document) -> Document:
    """The kernel killed the containers; those of a pod that restarts them wait for it."""
    killed = terminated(pod, "OOMKilled", 137)
    if pod["spec"]["restartPolicy"] == "Never":
        return status(pod, "Failed", killed)
    waiting = {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}
    }
    return status(pod, "Running", waiting, last=killed)


def evicted(pod: Document) -> Document:
    """The node had to free memory."""
    message = "The node was low on resource: memory."
    return status(pod, "Failed", terminated(pod, "Error", 137)) | {"reason": "Evicted", "message": message}


def status(
    pod: Document, phase: str, state: Document, *, ready: bool = False, last: Document | None = None
) -> Document:
    """A pod's status with every container in one state, and every init container done."""
    truths = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
    conditions = [
        {"type": kind, "status": str(is_so), "lastProbeTime": None, "lastTransitionTime": moment(pod)}
        for kind, is_so in truths.items()
    ]
    done = terminated(pod, "Completed", 0)
    return {
        "phase": phase,
        "conditions": conditions,
        "initContainerStatuses": [pod_container(each, done, ready=True) for each in inits(pod)] or None,
        "containerStatuses": [
            pod_container(each, state, ready=ready, last=last) for each in pod["spec"]["containers"]
        ],
        "startTime": moment(pod),
        "reason": None,
        "message": None,
    }


def pod_container(
    container: Document, state: Document, *, ready: bool = False, last: Document | None = None
) -> Document:
    """The status of one container."""
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "" if "waiting" in state and not last else f"sha256:{container['name']}",
        "state": state,
        "lastState": last or {},
        "ready": ready,
        "restartCount": 1 if last else 0,
        "started": "running" in state,
    }


def inits(pod: Document) -> list[Document]:
    found: list[Document] = pod["spec"].get("initContainers", [])
    return found


def terminated(pod: Document, reason: str, code: int) -> Document:
    times = {"startedAt": moment(pod), "finishedAt": moment(pod)}
    return {"terminated": {"reason": reason, "exitCode": code, **times}}


def moment(pod: Document) -> str:
    return str(pod["metadata"]["creationTimestamp"])
