"""A network of the cluster's own: a bridge in a namespace, and a cable from there to this machine.

    this machine .1 ══ cable ══ bridge ─┬─ .2 .3 …   nodes
                                        ├─ .20 …     pods
                                        └─ .254      gateway of the pods, and DNS

All that nodes do to a machine's network (kube-proxy's rules, forwarding, policies) they do in the namespace,
so it goes when their processes go, and clusters do not meet: each takes the first block of addresses whose
cable nobody else has. Nothing leads out of the namespace but to this machine.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.processes import Processes, StartError

BLOCKS = "10.213"
"""Each cluster has a /24 of these addresses."""
FIRST_POD, GATEWAY = 20, 254
BRIDGE = "pods"
HOLDER = "network"
"""The process that holds the namespace."""


@dataclass(frozen=True)
class Network:
    """The network of one cluster: block number `number`, in the namespace of process `holder`."""

    number: int
    holder: int

    @property
    def host(self) -> str:
        """This machine's address."""
        return self._address(1)

    @property
    def gateway(self) -> str:
        """The pods' gateway, where DNS answers."""
        return self._address(GATEWAY)

    @property
    def cable(self) -> str:
        """This machine's end of the cable."""
        return cable(self.number)

    def node(self, index: int) -> str:
        """The address of the node with this index, counted from 0."""
        return self._address(2 + index)

    def pods(self, index: int, count: int) -> tuple[str, str]:
        """The first and the last address of the pods on one of `count` nodes."""
        share = (GATEWAY - FIRST_POD) // count
        first = FIRST_POD + index * share
        return self._address(first), self._address(first + share - 1)

    def entering(self, command: Sequence[str | Path]) -> list[str]:
        """The command, run in this network."""
        return ["nsenter", f"--net=/proc/{self.holder}/ns/net", "--", *map(str, command)]

    def attach(self, address: str) -> None:
        """Give a node its address, where it has not got it."""
        self._ip("addr", "replace", f"{address}/24", "dev", BRIDGE)

    def detach(self, address: str) -> None:
        """Take a node's address away: nothing answers there any more."""
        self._ip("addr", "del", f"{address}/24", "dev", BRIDGE)

    def build(self) -> None:
        """Make the bridge and connect this machine."""
        self._ip("link", "set", "lo", "up")
        self._ip("link", "add", BRIDGE, "type", "bridge")
        self._ip("link", "set", "cable", "master", BRIDGE, "up")
        self._ip("link", "set", BRIDGE, "up")
        self._ip("addr", "add", f"{self.gateway}/24", "dev", BRIDGE)
        run("ip", "addr", "add", f"{self.host}/24", "dev", self.cable)
        run("ip", "link", "set", self.cable, "up")

    def _address(self, number: int) -> str:
        return f"{BLOCKS}.{self.number}.{number}"

    def _ip(self, *arguments: str) -> None:
        run(*self.entering(("ip", *arguments)))


def start_network(processes: Processes) -> Network:
    """Start the process that holds the namespace, claim a block of addresses and build the network."""
    processes.start(HOLDER, ["unshare", "--net", "sleep", "infinity"], os.environ)
    holder = processes.children[HOLDER].pid
    ours = os.readlink("/proc/self/ns/net")
    processes.wait_until(
        "the network's namespace is there", lambda: os.readlink(f"/proc/{holder}/ns/net") != ours
    )
    network = Network(claim(holder), holder)
    network.build()
    return network


def claim(holder: int) -> int:
    """The number of the first block that nobody has; its cable, which is now there, is the claim."""
    for number in range(256):
        command = ("ip", "link", "add", cable(number), "type", "veth", "peer", "cable", "netns", str(holder))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not done.returncode:
            return number
        if "File exists" not in done.stderr:
            raise StartError(f"{' '.join(command)}: {done.stderr.strip()}")
    raise StartError(
        f"every block of {BLOCKS}.0.0 has a cluster: end some with `python -m tests.cluster down DIR`"
    )


def cable(number: int) -> str:
    return f"trimtab{number}"


def run(*command: str) -> None:
    """Run a command of a moment; StartError with its words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartError(f"{' '.join(command)}: {done.stderr.strip()}")
