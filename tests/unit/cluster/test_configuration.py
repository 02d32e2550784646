"""What nodes are configured by, as files to review: `TRIMTAB_GOLDEN=write pytest …` writes them."""

import os
from pathlib import Path

import pytest

from tests.cluster import configuration
from tests.cluster.configuration import FAST, SLOW
from tests.cluster.network import Network

REVIEWED = Path(__file__).parent / "golden"
FOLDER = Path("/cluster")
NETWORK = Network(number=7, holder=1)
FILES = {
    "containerd.toml": configuration.containerd(FOLDER / "nodes/cpu-1/networks"),
    "pods.conflist": configuration.pod_network(*NETWORK.pods(1, 2), NETWORK.gateway),
    "kubelet.yaml": configuration.kubelet(
        NETWORK.node(0), NETWORK.gateway, "/trimtab7/cpu-1", FOLDER / "serving.crt", SLOW
    ),
    "kubelet-fast.yaml": configuration.kubelet(
        NETWORK.node(1), NETWORK.gateway, "/trimtab7/gpu-1", FOLDER / "serving.crt", FAST
    ),
    "kube-proxy.yaml": configuration.kube_proxy(
        FOLDER / "users/kube-proxy.kubeconfig", "cpu-1", NETWORK.gateway
    ),
    "Corefile": configuration.core_dns(FOLDER / "kubeconfig", NETWORK.gateway),
}


@pytest.mark.parametrize("name", FILES)
def test_configuration_is_as_reviewed(name: str) -> None:
    if os.environ.get("TRIMTAB_GOLDEN") == "write":
        (REVIEWED / name).write_text(FILES[name])
    assert FILES[name] == (REVIEWED / name).read_text(), f"TRIMTAB_GOLDEN=write {REVIEWED / name}"


def test_every_reviewed_file_is_written() -> None:
    assert {path.name for path in REVIEWED.iterdir()} == set(FILES)


@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_pods_of_different_nodes_have_different_addresses(count: int) -> None:
    ranges = [NETWORK.pods(index, count) for index in range(count)]
    ends = [int(address.rpartition(".")[2]) for each in ranges for address in each]

    assert ends == sorted(set(ends))
    assert ends[-1] < int(NETWORK.gateway.rpartition(".")[2])
    assert ends[0] > int(NETWORK.node(count - 1).rpartition(".")[2])
