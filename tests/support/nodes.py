"""A node without a machine: the real scheduler binds pods to it, and it reports what a kubelet would.

with Node(server, "cpu-1", labels={"pool": "cpu"}) as node:
    node.let(image_pull_fails, namespace="vision", labels={"ray.io/node-type": "worker"})
    ...
    node.let(running, namespace="vision")

Pods run and are ready at once unless `let` says otherwise, the latest word counting, for pods that are there
and those to come. A deleted pod is gone at once unless `confirms_deletions` is unset. A pod that no node
suits (`nodeSelector`, resources) stays unscheduled, by the scheduler's own word. `lose` cuts the node off.
"""

import itertools
import queue
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPException
from types import TracebackType
from typing import Any

from tests.support.cluster import ApiServer, RefusedError
from tests.support.pod_states import PodState, running
from tests.support.watch import Watch

Document = dict[str, Any]
PodTest = Callable[[Document], bool]

HEARTBEAT_SECONDS = 5.0  # the node counts as lost after 50 s without one
RETRY_SECONDS = 0.2
CAPACITY = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "500Gi", "pods": "500"}
GONE = {404, 409}
addresses = itertools.count(1)


class Node:
    """One node, while it is entered as a context manager."""

    def __init__(
        self,
        server: ApiServer,
        name: str,
        labels: Mapping[str, str] | None = None,
        capacity: Mapping[str, str] | None = None,
    ) -> None:
        self.server = server
        self.name = name
        self.labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **(labels or {})}
        self.capacity = {**CAPACITY, **(capacity or {})}
        self.confirms_deletions = True
        self.pods: dict[str, Document] = {}
        """The pods that are bound to it, by uid, as last seen."""
        self._due: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._addresses: dict[str, str] = {}
        self._rules: list[tuple[PodTest, PodState]] = [(lambda pod: True, running)]
        self._stopping = threading.Event()
        self._watch: Watch | None = None
        loops = (self._beat, self._follow, self._report)
        self._threads = [threading.Thread(target=each, daemon=True) for each in loops]

    def __enter__(self) -> "Node":
        self.server.apply(self._lease())
        self.server.create(self._node())
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lose()
        self._try(lambda: self.server.delete(self._node()))  # else pods would still be bound to it

    def let(
        self,
        state: PodState,
        *,
        namespace: str | None = None,
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Have pods in this state from now on: of a namespace, with a text in their name, with labels."""
        self.add_rule(lambda pod: matches(pod, namespace, name, labels or {}), state)

    def add_rule(self, is_meant: PodTest, state: PodState) -> None:
        """Have the pods that a test picks in this state from now on."""
        self._rules = [(is_meant, state), *self._rules]
        self.refresh()

    def refresh(self) -> None:
        """Have every pod looked at again, as a state may depend on more than the pod."""
        for uid in list(self.pods):
            self._due.put(uid)

    def lose(self) -> None:
        """Do and report nothing any more, as a node that is cut off."""
        self._stopping.set()
        self._due.put(None)
        if self._watch:
            self._watch.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _beat(self) -> None:
        while not self._stopping.wait(HEARTBEAT_SECONDS):
            self._try(lambda: self.server.apply(self._lease()))
            self._try(self._stay_ready)

    def _stay_ready(self) -> None:
        """Say so again when this node was taken for lost, as after an outage of the API server."""
        conditions = self.server.get(self._node())["status"]["conditions"]
        if any(each["type"] == "Ready" and each["status"] != "True" for each in conditions):
            self.server.patch_status(self._node(), self._node()["status"])

    def _follow(self) -> None:
        """List and watch the node's pods, again whenever the stream ends."""
        while not self._stopping.is_set():
            self._try(self._follow_once)

    def _follow_once(self) -> None:
        path, mine = "/api/v1/pods", {"fieldSelector": f"spec.nodeName={self.name}"}
        listed = self.server.read(path, **mine)
        self.pods = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
        self.refresh()
        self._watch = self.server.watch(path, **mine, resourceVersion=listed["metadata"]["resourceVersion"])
        for kind, pod in self._watch:
            if kind == "ERROR" or self._stopping.is_set():
                return
            uid = pod["metadata"]["uid"]
            if kind == "DELETED":
                self.pods.pop(uid, None)
            else:
                self.pods[uid] = pod
                self._due.put(uid)

    def _report(self) -> None:
        """Bring the API server's view of each pod that is due to what this node makes of it."""
        while (uid := self._due.get()) and not self._stopping.is_set():
            pod = self.pods.get(uid)
            if pod and not self._try(partial(self._act, pod)):
                self._due.put(uid)

    def _act(self, pod: Document) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            if self.confirms_deletions:
                self.server.delete(described(pod), gracePeriodSeconds=0)
            return
        known = pod.get("status", {})
        if known.get("phase") in {"Succeeded", "Failed"}:
            return
        state = next(state for is_meant, state in self._rules if is_meant(pod))
        wanted = state(pod) | self._place(pod)
        if any(known.get(name) != value for name, value in wanted.items()):
            self.server.patch_status(described(pod), wanted)

    def _place(self, pod: Document) -> Document:
        """Where the pod is: an address of its own, at which nothing listens."""
        uid = pod["metadata"]["uid"]
        if uid not in self._addresses:
            number = next(addresses)
            self._addresses[uid] = f"10.244.{number // 250}.{number % 250 + 1}"
        address = self._addresses[uid]
        return {"hostIP": "192.0.2.1", "podIP": address, "podIPs": [{"ip": address}]}

    def _try(self, action: Callable[[], object]) -> bool:
        """Whether this was done, or need not be any more; if not, a moment later."""
        try:
            action()
        except (RefusedError, OSError, HTTPException) as error:
            if not isinstance(error, RefusedError) or error.code not in GONE:
                self._stopping.wait(RETRY_SECONDS)
                return False
        return True

    def _node(self) -> Document:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "a stand-in"}
        ready |= {"lastHeartbeatTime": now, "lastTransitionTime": now}
        status = {"capacity": self.capacity, "allocatable": self.capacity, "conditions": [ready]}
        metadata = {"name": self.name, "labels": self.labels}
        return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}

    def _lease(self) -> Document:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": self.name, "leaseDurationSeconds": 40, "renewTime": now},
        }


def matches(pod: Document, namespace: str | None, name: str, labels: Mapping[str, str]) -> bool:
    metadata = pod["metadata"]
    return (
        namespace in (None, metadata["namespace"])
        and name in metadata["name"]
        and labels.items() <= metadata.get("labels", {}).items()
    )


def described(pod: Document) -> Document:
    """The pod with its kind, which a list leaves out."""
    return {"apiVersion": "v1", "kind": "Pod", **pod}
