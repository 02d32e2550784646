"""Nodes as pools: a name less its number is the pool's; nodes of the pool `gpu` claim to have GPUs.

Nodes of the pool `spare` get the pods for which no other has room. Every node has one SEAT: pods that ask
for it are spread over the nodes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.nodes import Nodes

GPU_POOL, GPU = "gpu", "nvidia.com/gpu"
GPUS = 2
"""Of each node of that pool."""
SPARE_POOL, SEAT = "spare", "example.com/seat"


def pooled_nodes(folder: Path, names: Sequence[str], **options: bool) -> Nodes:
    """Nodes whose GPUs are made up, to be started; `options` are theirs."""
    return Nodes(folder, names, resources=made_up(names), **options)


def divide(nodes: Nodes) -> None:
    """Label each started node with its pool, and keep pods off GPUs that do not tolerate their taint."""
    for name in nodes.names:
        nodes.kubectl("label", "node", name, f"pool={pool_of(name)}")
        if pool_of(name) == GPU_POOL:
            nodes.kubectl("taint", "node", name, f"{GPU}=present:NoSchedule")
        if pool_of(name) == SPARE_POOL:
            nodes.kubectl("taint", "node", name, "spare=present:PreferNoSchedule")


def made_up(names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """The resources that nodes do not have and claim."""
    gpus = {GPU: str(GPUS)}
    return {name: {SEAT: "1"} | (gpus if pool_of(name) == GPU_POOL else {}) for name in names}


def pool_of(name: str) -> str:
    """The pool of a node: `gpu` of `gpu-1`."""
    return name.rpartition("-")[0] or name
