"""Faults on real parts: what each does to a job, and what it waits for until the job has got over it.

FAULTS[name] says, beside, how many attempts are lost by it and what kind of job it needs.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.cluster.images import WORKER
from tests.cluster.nodes import Nodes
from tests.faults.nodes.ordeal import WORKERS, Document, Ordeal, over
from tests.support.operated import condition_of
from tests.support.proxy import Fault

FULL = os.environ.get("TRIMTAB_FAULTS") == "full"
AWAY_SECONDS = 60 if FULL else 15
SLOW_SECONDS = 2.0
HOSTAGE = "gpu-1"
"""The node that is lost with a worker: neither a head nor an operator is there."""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def nodes_of(ordeal: Ordeal) -> Nodes:
    return ordeal.ground.platform.nodes


def node_of(pod: Document) -> str:
    return str(pod["spec"]["nodeName"])


def name_of(pod: Document) -> str:
    return str(pod["metadata"]["name"])


# Pods.


def worker_killed(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    worker = next(pod for pod in ordeal.workers() if node_of(pod) != HOSTAGE)
    with ordeal.met("worker killed, until another has its place and trials are recorded"):
        ordeal.kill(worker)
        ordeal.has_all_workers(but=worker)
        ordeal.goes_on()


def submitter_killed(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    (submitter,) = ordeal.submitters()
    with ordeal.met("submitter killed, until another follows the driver and trials are recorded"):
        ordeal.kill(submitter)
        ordeal.team.wait_until("another submitter runs", partial(has_other_submitter, ordeal, submitter))
        ordeal.goes_on()


def has_other_submitter(ordeal: Ordeal, submitter: Document) -> bool:
    """Whether a submitter runs that is not this one."""
    others = [pod for pod in ordeal.submitters() if name_of(pod) != name_of(submitter)]
    return any(pod["status"]["phase"] == "Running" for pod in others)


def head_killed(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    with ordeal.met("head killed, until the next attempt's first trial"):
        ordeal.kill(ordeal.head())
        ordeal.begins_again()


def head_and_worker_killed(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    with ordeal.met("head and worker killed at once, until the next attempt's first trial"):
        ordeal.kill(ordeal.head(), ordeal.workers()[0])
        ordeal.begins_again()


def head_evicted(ordeal: Ordeal) -> None:
    """By a drain, which uses the API for evictions and would wait for whatever refuses one."""
    ordeal.goes_on()
    head, nodes = ordeal.head(), nodes_of(ordeal)
    only = f"ray.io/node-type=head,trimtab.io/job-uid={ordeal.uid}"
    with ordeal.met("head evicted by a drain, until the next attempt's first trial"):
        nodes.kubectl(
            "drain", node_of(head), f"--pod-selector={only}", "--delete-emptydir-data", "--timeout=90s"
        )
        ordeal.begins_again()
    nodes.kubectl("uncordon", node_of(head))
    assert node_of(ordeal.head()) != node_of(head)


def worker_out_of_memory(ordeal: Ordeal) -> None:
    """A trial takes more memory than its container has: the system ends it, or Ray just before."""
    ordeal.goes_on()
    greed = ordeal.team.notes / "greed"
    trials = ordeal.status()["trials"]
    lost = trials["retried"] + trials["failed"]

    def is_lost(found: Document) -> bool:
        now = found["status"]["trials"]
        return bool(now["retried"] + now["failed"] > lost)

    with ordeal.met(
        "worker out of its container's memory, until all workers are there and trials are recorded"
    ):
        greed.touch()
        ordeal.job.until("a trial was lost", is_lost)
        ordeal.team.wait_until("all workers are there", lambda: len(ordeal.workers()) == WORKERS)
        ordeal.goes_on(2 * WORKERS)
    assert not greed.exists()


# The driver.


def driver_hung(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    with ordeal.met("driver hung, until the next attempt's first trial (30 s of silence are allowed here)"):
        ordeal.driver().hang()
        ordeal.begins_again()
    assert "no sign of life" in ordeal.status()["runs"][-2]["message"]


def old_driver_goes_on(ordeal: Ordeal) -> None:
    """Its head is no more for Kubernetes, while nobody on the node ends it."""
    ordeal.goes_on()
    head, old, nodes = ordeal.head(), ordeal.driver(), nodes_of(ordeal)
    with ordeal.met("head lost while its driver lives on, until the next attempt's first trial"):
        nodes.stop_kubelet(node_of(head))
        ordeal.kill(head)
        ordeal.begins_again()
    ordeal.team.wait_until("the old driver has ended by itself", lambda: not old.is_there())
    assert "taken over" in old.printed()
    nodes.start_kubelet(node_of(head))


# Nodes.


def kubelet_restarted(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    pods = {pod["metadata"]["uid"] for pod in (ordeal.head(), *ordeal.workers())}
    with ordeal.met("kubelet under the job's pods restarted, until it is ready and trials are recorded"):
        nodes_of(ordeal).restart_kubelet(node_of(ordeal.workers()[0]))
        ordeal.goes_on()
    assert pods == {pod["metadata"]["uid"] for pod in (ordeal.head(), *ordeal.workers())}


def workers_node_lost(ordeal: Ordeal) -> None:
    """The administrator does what the status says, word for word."""
    ordeal.goes_on()
    nodes = nodes_of(ordeal)
    (worker,) = [pod for pod in ordeal.workers() if node_of(pod) == HOSTAGE]
    stuck = f"pod {name_of(worker)} on node {HOSTAGE}"
    with ordeal.met("worker's node lost, until it is told (noticed after 8 s here)"):
        nodes.lose(HOSTAGE)
        assert ordeal.is_told(f"{stuck}: the node does not answer")["reason"] == "NodeLost"
    with ordeal.met("worker's node told as lost, until trials are recorded with fewer workers"):
        ordeal.goes_on()
    told = ordeal.is_told(f"{stuck} stays Terminating")["message"]
    with ordeal.met(
        "lost node declared out of service, until another worker is there and trials are recorded"
    ):
        nodes.kubectl(*commanded(told))
        ordeal.has_all_workers(but=worker)
        ordeal.goes_on()
    ordeal.job.until("ready", lambda found: condition_of(found, "ClusterReady")["status"] == "True")
    nodes.revive(HOSTAGE)
    nodes.kubectl("taint", "node", HOSTAGE, f"{OUT_OF_SERVICE}-")


def commanded(message: str) -> list[str]:
    """The words of the command of kubectl that a message has."""
    found = re.search(r"kubectl (taint node \S+ [^\s,]+)", message)
    assert found, message
    return found[1].split()


def heads_node_lost(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    node = lose_heads_node(ordeal, freeze=False, how="without power")
    nodes_of(ordeal).revive(node)
    ordeal.goes_on()


def heads_node_frozen(ordeal: Ordeal) -> None:
    """The old driver wakes up while the next attempt runs, and is fenced off, or ended by its kubelet."""
    ordeal.goes_on()
    old = ordeal.driver()
    node = lose_heads_node(ordeal, freeze=True, how="frozen")
    nodes_of(ordeal).revive(node)
    ordeal.team.wait_until("the old driver has ended", lambda: not old.is_there())
    ordeal.goes_on()


def lose_heads_node(ordeal: Ordeal, freeze: bool, how: str) -> str:
    """The node, once the job goes on elsewhere; its run says which pod was lost where."""
    head = ordeal.head()
    with ordeal.met(f"head's node {how}, until the next attempt's first trial (noticed after 8 + 5 s here)"):
        nodes_of(ordeal).lose(node_of(head), freeze)
        ordeal.begins_again()
    assert f"pod {name_of(head)} on node {node_of(head)}" in ordeal.status()["runs"][-2]["message"]
    assert node_of(ordeal.head()) != node_of(head)
    return node_of(head)


# The store.


def store_down(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    ordeal.mark()
    ordeal.ground.s3.kill()
    is_over = over(AWAY_SECONDS)
    ordeal.is_told("the store is waited for")
    ordeal.team.wait_until("the outage is over", is_over)
    with ordeal.recovery(f"S3 back after {AWAY_SECONDS} s, until trials are recorded"):
        ordeal.ground.s3.start()
        ordeal.goes_on()


def store_slow(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    with ordeal.met(f"S3 late by {SLOW_SECONDS:.0f} s with each answer, until trials are recorded"):
        slow = ordeal.ground.proxy.order(Fault("freeze", seconds=SLOW_SECONDS, times=None))
        ordeal.goes_on(2 * WORKERS)
    slow.release.set()


def store_full(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    ordeal.mark()
    ballast = ordeal.ground.fill_store()
    ordeal.is_told("the store is waited for")
    with ordeal.recovery("room made in a full S3, until trials are recorded"):
        ballast.unlink()
        ordeal.goes_on()


# Images and operators.


def image_missing(ordeal: Ordeal) -> None:
    image = ordeal.ground.missing_image
    told = ordeal.is_told(f"cannot pull {image}")
    assert told["reason"] == "ImagePullFailed"
    with ordeal.met("missing image pushed, until the first trial"):
        nodes_of(ordeal).push(WORKER, image)
        ordeal.searches()


def operator_upgraded(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    with ordeal.met("operator upgraded from the version before, until the new one tells of trials"):
        ordeal.ground.operate(older=False)
        ordeal.goes_on()


def operator_rolled_back(ordeal: Ordeal) -> None:
    ordeal.goes_on()
    with ordeal.met("operator rolled back to the version before, until the old one tells of trials"):
        ordeal.ground.roll_back()
        ordeal.goes_on()


def upgraded_and_rolled_back(ordeal: Ordeal) -> None:
    operator_upgraded(ordeal)
    operator_rolled_back(ordeal)


Strike = Callable[[Ordeal], None]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault, and what kind of job meets it."""

    strike: Strike
    needs: tuple[str, ...] = ()
    """What is special: `older` driver and operator, an `image` that is missing, a `slow` store."""


FAULTS = {
    "worker-killed": Trouble(worker_killed),
    "submitter-killed": Trouble(submitter_killed),
    "head-killed": Trouble(head_killed),
    "head-and-worker-killed": Trouble(head_and_worker_killed),
    "head-evicted": Trouble(head_evicted),
    "worker-out-of-memory": Trouble(worker_out_of_memory),
    "driver-hung": Trouble(driver_hung),
    "old-driver-goes-on": Trouble(old_driver_goes_on),
    "kubelet-restarted": Trouble(kubelet_restarted),
    "workers-node-lost": Trouble(workers_node_lost),
    "heads-node-lost": Trouble(heads_node_lost),
    "heads-node-frozen": Trouble(heads_node_frozen),
    "store-down": Trouble(store_down),
    "store-slow": Trouble(store_slow, ("slow",)),
    "store-full": Trouble(store_full),
    "image-missing": Trouble(image_missing, ("image",)),
    "operator-upgraded": Trouble(upgraded_and_rolled_back, ("older",)),
}
