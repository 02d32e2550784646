"""A Ray cluster of several nodes on this machine, as KubeRay makes one of pods."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from trimtab_api.segments import WorkerGroup

STORE_BYTES = 80 * 2**20


class Nodes:
    """A head that works for nobody, and nodes that are added and removed."""

    def __init__(self) -> None:
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)

    def add(self, group: WorkerGroup, slots: int) -> Any:
        """A node with room for so many works of a group."""
        resources = {f"group-{group.name}": slots}
        return self.cluster.add_node(num_cpus=2, resources=resources, object_store_memory=STORE_BYTES)

    def remove(self, node: Any) -> None:
        """End a node as a power cut would."""
        self.cluster.remove_node(node)


@contextmanager
def ray_nodes() -> Iterator[Nodes]:
    """A cluster that `ray.init(address="auto")` finds, in this process and in those that it starts."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("PYTHONHASHSEED", "0")
        environment.setenv("RAY_AUTH_TOKEN", os.environ.get("RAY_AUTH_TOKEN") or "0" * 64)
        nodes = Nodes()
        environment.setenv("RAY_ADDRESS", nodes.cluster.address)
        yield nodes
        nodes.cluster.shutdown()
