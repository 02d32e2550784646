"""The nodes under the other tests of this tier do what Kubernetes' nodes do."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.cluster.images import BASE, base_image, images_folder
from tests.cluster.nodes import KubectlError, Nodes
from tests.cluster.pools import GPU, GPUS
from tests.support.cluster import ApiServer

Document = dict[str, Any]
NAMESPACE = "self-check"
PATIENCE = "--timeout=60s"
SERVE = ["python3", "-m", "http.server", "8000"]
ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=1).status)"
LOST = [
    {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute"}
    for state in ("unreachable", "not-ready")
]
"""Tolerated by all pods here: they stay with a lost node."""
TAINTED = {"key": GPU, "operator": "Exists"}


@pytest.fixture(scope="module", name="server")
def api_server(nodes: Nodes) -> Iterator[ApiServer]:
    """The API server; in a namespace that is `restricted` run a server and a client, on a node each."""
    nodes.load(base_image(images_folder()))
    server = ApiServer(nodes.plane)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    server.create(namespace)
    server.create(pod("server", "cpu", SERVE, keeps_on=True))
    server.create(pod("client", "gpu", ["sleep", "infinity"], keeps_on=True))
    server.create(service())
    in_namespace(nodes, "wait", "--for=condition=Ready", "pod", "--all", PATIENCE)
    yield server
    server.delete(namespace)


def pod(name: str, pool: str, command: list[str], gpus: int = 0, keeps_on: bool = False) -> Document:
    """A pod that `restricted` lets in, on a node of a pool; one that keeps on is started again."""
    container = {
        "name": "main",
        "image": BASE,
        "command": command,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"limits": {GPU: str(gpus)} if gpus else {}},
    }
    spec = {
        "nodeSelector": {"pool": pool},
        "tolerations": [*LOST, TAINTED] if pool == "gpu" else LOST,
        "restartPolicy": "Always" if keeps_on else "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
    }
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def service() -> Document:
    metadata = {"name": "greeter", "namespace": NAMESPACE}
    spec = {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def policy(allowed: str) -> Document:
    """Only pods of this name reach the server."""
    metadata = {"name": "server", "namespace": NAMESPACE}
    peers = [{"podSelector": {"matchLabels": {"app": allowed}}}]
    rule = {"from": peers, "ports": [{"port": 8000, "protocol": "TCP"}]}
    spec = {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"], "ingress": [rule]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def in_namespace(nodes: Nodes, *arguments: str) -> str:
    return nodes.kubectl("--namespace", NAMESPACE, *arguments)


def can_reach(nodes: Nodes) -> bool:
    """Whether the client reaches the server by the name of its Service."""
    url = f"http://greeter.{NAMESPACE}.svc.cluster.local"
    try:
        return in_namespace(nodes, "exec", "client", "--", "python3", "-c", ASK, url) == "200\n"
    except KubectlError:
        return False


def is_lost(nodes: Nodes, name: str) -> bool:
    condition = "{.status.conditions[?(@.type=='Ready')].status}"
    return nodes.kubectl("get", "node", name, f"--output=jsonpath={condition}") != "True"


def restarts(nodes: Nodes, name: str) -> int:
    count = "--output=jsonpath={.status.containerStatuses[0].restartCount}"
    return int(in_namespace(nodes, "get", "pod", name, count))


@pytest.mark.parametrize(("pool", "gpus"), [("cpu", 0), ("gpu", 1)])
def test_restricted_pod_runs_to_its_end_on_each_pool(
    server: ApiServer, nodes: Nodes, pool: str, gpus: int
) -> None:
    server.create(pod(f"short-{pool}", pool, ["python3", "-c", "print(6 * 7)"], gpus))

    succeeded = "--for=jsonpath={.status.phase}=Succeeded"
    in_namespace(nodes, "wait", succeeded, f"pod/short-{pool}", PATIENCE)

    assert in_namespace(nodes, "logs", f"short-{pool}") == "42\n"


def test_pod_that_wants_more_gpus_than_there_are_waits(server: ApiServer, nodes: Nodes) -> None:
    server.create(pod("greedy", "gpu", SERVE, gpus=GPUS + 1))

    in_namespace(nodes, "wait", "--for=condition=PodScheduled=False", "pod/greedy", PATIENCE)

    in_namespace(nodes, "delete", "pod", "greedy")


def test_service_answers_on_the_other_node_by_its_name(nodes: Nodes, server: ApiServer) -> None:
    server.wait_until("the Service answers", lambda: can_reach(nodes))


def test_policy_lets_in_whom_it_names_until_it_is_gone(nodes: Nodes, server: ApiServer) -> None:
    server.apply(policy(allowed="friend"))
    server.wait_until("the client is kept out", lambda: not can_reach(nodes))
    server.apply(policy(allowed="client"))
    server.wait_until("the client is let in", lambda: can_reach(nodes))

    server.apply(policy(allowed="friend"))
    server.wait_until("the client is kept out again", lambda: not can_reach(nodes))
    server.delete(policy(allowed="friend"))
    server.wait_until("all are let in", lambda: can_reach(nodes))


def test_kubelet_restarts_under_its_pods(nodes: Nodes, server: ApiServer) -> None:
    before = restarts(nodes, "client")

    nodes.restart_kubelet("gpu-1")

    server.wait_until("the client works", lambda: can_reach(nodes))
    assert restarts(nodes, "client") == before


def test_lost_nodes_come_back_one_with_new_pods_and_one_where_it_was(nodes: Nodes, server: ApiServer) -> None:
    cut_off, frozen = "gpu-1", "cpu-1"
    client, served = restarts(nodes, "client"), restarts(nodes, "server")

    nodes.lose(cut_off)
    nodes.lose(frozen, freeze=True)
    for name in (cut_off, frozen):
        server.wait_until("the node is lost", partial(is_lost, nodes, name))
    nodes.revive(cut_off)
    nodes.revive(frozen)

    assert not is_lost(nodes, cut_off)
    assert not is_lost(nodes, frozen)
    server.wait_until("the client was started again", lambda: restarts(nodes, "client") > client)
    server.wait_until("the Service answers", lambda: can_reach(nodes))
    assert restarts(nodes, "server") == served
