"""One node: containerd and a kubelet, with mounts and control groups of their own.

    folder ─ containerd.toml, kubelet.yaml, networks/   its configuration
           ─ lib/, log/                                 its disk: what is /var/lib and /var/log on the node

A power cut kills all of its processes at once. The mounts go with the last of them, the pods' networks with
the mounts; the disk stays, and the node starts from it again.

A node claims to have four times this machine's processors, as what pods ask for would soon exceed two. They
run on the machine's own all the same.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.cluster import configuration
from tests.cluster.configuration import HEALTH_PORT, Beat
from tests.cluster.groups import ControlGroups
from tests.cluster.network import Network
from tests.cluster.processes import Processes, StartError
from tests.cluster.programs import find_program

BOOT = """\
set -e
mount -t tmpfs tmpfs /run
mount --bind "$1/lib" /var/lib
mount --bind "$1/log" /var/log
for each in /proc/sys/kernel /proc/sys/vm; do # the kubelet would change this machine's settings
    mount --bind $each $each
    mount -o remount,bind,ro $each
done
memory=/sys/devices/system/node # the kubelet counts the processors of each memory node there
for each in 0 1 2 3; do
    mkdir -p /run/memory/node$each
    mount --bind $memory/node0 /run/memory/node$each
done
mount --rbind /run/memory $memory
exec containerd --config "$1/containerd.toml"
"""


def environment() -> Mapping[str, str]:
    """That of a node's programs, which find others in an administrator's folders and use no proxy."""
    path = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
    return {**os.environ, "PATH": path, "NO_PROXY": "*", "no_proxy": "*"}


@dataclass
class Machine:
    """One node, of the cluster to which the network, the control groups and the processes belong."""

    name: str
    address: str
    folder: Path
    network: Network
    groups: ControlGroups
    processes: Processes
    images: list[Path] = field(default_factory=list)
    """The archives that were loaded."""

    def configure(self, pods: tuple[str, str], trusted: Path, beat: Beat) -> None:
        """Write what its programs read: the range of its pods' addresses, whom they trust, the pace."""
        for each in ("lib", "log", "networks"):
            (self.folder / each).mkdir(parents=True)
        dns, networks = self.network.gateway, self.folder / "networks"
        (self.folder / "containerd.toml").write_text(configuration.containerd(networks))
        (networks / "pods.conflist").write_text(configuration.pod_network(*pods, self.network.gateway))
        group = self.groups.path(self.name)
        (self.folder / "kubelet.yaml").write_text(
            configuration.kubelet(self.address, dns, group, trusted, beat)
        )

    def boot(self) -> None:
        """Start containerd, which holds the node's mounts, on the node's address."""
        self.groups.create(self.name)
        self.network.attach(self.address)
        command = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", BOOT, "sh", str(self.folder)]
        self._start("containerd", self.network.entering(command))

    def start_kubelet(self, kubeconfig: Path) -> None:
        """Start the kubelet, with containerd's mounts, as this node's user."""
        command: list[str | Path] = [
            find_program("kubelet"),
            "--config",
            self.folder / "kubelet.yaml",
            "--kubeconfig",
            kubeconfig,
        ]
        command += ["--hostname-override", self.name, "--node-ip", self.address]
        self._start("kubelet", self._entering(command))

    def stop_kubelet(self) -> None:
        self.processes.stop_one(self._process("kubelet"))

    def load(self, archive: Path) -> None:
        """Load the images of an archive."""
        command = ["ctr", "--namespace", "k8s.io", "images", "import", str(archive)]
        self._run(command, f"{archive} could not be loaded into {self.name}")
        self.images.append(archive)

    def digest_of(self, image: str) -> str:
        """What identifies an image that is there."""
        listed = self._run(["ctr", "--namespace", "k8s.io", "images", "list", f"name=={image}"], image)
        return next(word for word in listed.split() if word.startswith("sha256:"))

    def tag(self, image: str, name: str) -> None:
        """Let an image be there under another name too."""
        command = ["ctr", "--namespace", "k8s.io", "images", "tag", "--force", image, name]
        self._run(command, f"{image} could not be named {name} on {self.name}")

    def is_containerd_ready(self) -> bool:
        booted = psutil.Process(self._containerd.pid).name() == "containerd"  # before, /run is this machine's
        return booted and not self._try(["ctr", "version"]).returncode

    @property
    def health_url(self) -> str:
        """Where the kubelet says that it is well."""
        return f"http://{self.address}:{HEALTH_PORT}/healthz"

    def freeze(self) -> None:
        """Let nothing on the node go on, as in a machine that hangs."""
        self.groups.freeze(self.name)

    def thaw(self) -> None:
        """Let everything on the node go on where it was."""
        self.groups.thaw(self.name)

    def cut_power(self) -> None:
        """End all that the node does, at once."""
        self.network.detach(self.address)
        self.groups.kill(self.name)
        self.groups.remove(self.name)  # else the kubelet would look for the containers of these, next time
        for name in ("containerd", "kubelet"):
            if (process := self._process(name)) in self.processes.children:
                self.processes.kill_one(process)

    def is_on(self) -> bool:
        return self._process("containerd") in self.processes.children

    def _start(self, name: str, command: Sequence[str | Path]) -> None:
        self.processes.start(self._process(name), self.groups.joining(self.name, command), environment())

    def _process(self, name: str) -> str:
        return f"{self.name}-{name}"

    def _entering(self, command: Sequence[str | Path]) -> list[str]:
        mounts = f"--mount=/proc/{self._containerd.pid}/ns/mnt"
        return self.network.entering(["nsenter", mounts, "--", *command])

    @property
    def _containerd(self) -> subprocess.Popen[bytes]:
        return self.processes.children[self._process("containerd")]

    def _try(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._entering(command), env=environment(), capture_output=True, text=True, check=False
        )

    def _run(self, command: Sequence[str | Path], problem: str) -> str:
        done = self._try(command)
        if done.returncode:
            raise StartError(f"{problem}: {done.stderr.strip()}")
        return done.stdout
