"""Ends a cluster of nodes and leaves nothing of it, by what its folder records: in any process, any time."""

import shutil
import subprocess
from pathlib import Path

from tests.cluster.groups import ControlGroups
from tests.cluster.network import cable
from tests.cluster.processes import stop_recorded

NETWORK = "network"
"""The file that records the number of a cluster's network."""


def record_network(folder: Path, number: int) -> None:
    """Record what `clear` has to know of a cluster besides its processes."""
    (folder / NETWORK).write_text(str(number))


def groups_of(number: int) -> ControlGroups:
    """The control groups of the cluster with this network."""
    return ControlGroups(cable(number))


def clear(folder: Path) -> None:
    """End the cluster of a folder: its nodes at once, then its servers, with its network and control groups.

    The nodes' disks go too; their configuration and everything's logs stay.
    """
    record = folder / NETWORK
    if not record.exists():  # there is no network yet, hence no node
        stop_recorded(folder)
        return
    groups = groups_of(int(record.read_text()))
    for node in groups.nodes():
        groups.kill(node)
    stop_recorded(folder)
    subprocess.run(["ip", "link", "del", groups.name], capture_output=True, check=False)
    groups.remove()
    for disk in folder.glob("nodes/*/lib"):
        shutil.rmtree(disk)
    record.unlink()
