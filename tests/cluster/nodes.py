"""A Kubernetes cluster with real nodes: pods run, find names, reach Services, and are lost with a node.

    nodes = Nodes(folder, ["cpu-1", "gpu-1"], policies=True)
    nodes.start()                       # about 15 s; UnavailableError says what this machine lacks
    nodes.load(archive)                 # images come from archives, never from a registry
    nodes.kubectl("run", "greeter", "--image=localhost/base:test", "--", "echo", "hello")
    nodes.lose("gpu-1"); nodes.revive("gpu-1")
    nodes.stop()

Each node is a containerd and a kubelet (`machine.py`) on the cluster's own network (`network.py`). One
kube-proxy and one CoreDNS serve all nodes, and so does what enforces network policies, if wanted
(`enforcement.py`). The control plane and KubeRay run beside, on this machine. When the process that started
it ends in any way, so does everything (`guard.py`).

    folder ─ as ControlPlane's      also logs/ of every program
           ─ nodes/NAME/            a node's configuration and disk
           ─ network                the number of the cluster's network, while it is up
"""

import json
import subprocess
import sys
import urllib.error
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.cluster import configuration
from tests.cluster.clearing import clear, groups_of, record_network
from tests.cluster.configuration import DNS_HEALTH_PORT, FAST, PROXY_HEALTH_PORT, SLOW
from tests.cluster.control_plane import EVERYTHING, ControlPlane
from tests.cluster.definitions import trimtab_definitions
from tests.cluster.guard import start_guard
from tests.cluster.machine import Machine, environment
from tests.cluster.network import Network, start_network
from tests.cluster.packages import check_machine
from tests.cluster.pause import write_pause_image
from tests.cluster.processes import Processes
from tests.cluster.programs import find_program
from tests.cluster.servers import answers

PROGRAMS = ("kubelet", "kube-proxy", "coredns", "kubectl")
PROXY = "system:kube-proxy"
FAST_LOSS: dict[str, Sequence[str]] = {
    "kube-controller-manager": ["--node-monitor-period=1s", "--node-monitor-grace-period=8s"],
    "kube-apiserver": [
        "--default-not-ready-toleration-seconds=5",
        "--default-unreachable-toleration-seconds=5",
    ],
}
"""A lost node is NotReady after 8 s, not 50; its pods are evicted 5 s later, not 300."""
ROOT = Path(__file__).parents[2]


class KubectlError(Exception):
    """kubectl's own words for why it did not do as asked."""


class Nodes:
    """One cluster in one empty folder; `outlive` lets it go on after this process.

    `resources` are made up, by node, such as GPUs that a node does not have.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        *,
        fast_loss: bool = False,
        policies: bool = False,
        resources: Mapping[str, Mapping[str, str]] | None = None,
        outlive: bool = False,
    ) -> None:
        self.folder = folder
        self.names = list(names)
        self.fast_loss = fast_loss
        self.policies = policies
        self.resources = resources or {}
        self.outlive = outlive
        self.processes = Processes(folder, outlive)
        self.all_processes = [self.processes]
        self.machines: dict[str, Machine] = {}
        self.archives: list[Path] = []
        self.plane: ControlPlane
        self.network: Network

    @property
    def address(self) -> str:
        """This machine's address, at which pods reach what listens here."""
        return self.network.host

    @property
    def rules(self) -> Path:
        """What enforces network policies writes here what holds now."""
        return self.folder / "policies.nft"

    @property
    def kubeconfig(self) -> Path:
        """An administrator's."""
        return self.plane.kubeconfig

    def start(self) -> None:
        """Return once every node is ready, and DNS, Services and policies work."""
        check_machine()
        for name in PROGRAMS:
            find_program(name)
        try:
            self.switch_on()
            self._start()
        except BaseException:
            self.stop()
            raise

    def switch_on(self) -> None:
        """Give the nodes their network and let each start its containerd, as yet without a control plane."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.outlive:
            self.all_processes.append(start_guard(self.folder))
        self.network = start_network(self.processes)
        record_network(self.folder, self.network.number)
        self._boot()

    def _start(self) -> None:
        self.plane = self._control_plane()
        self.all_processes.append(self.plane.processes)
        self.plane.start()  # containerd gets ready meanwhile
        write_pause_image(self.folder / "pause.tar")
        self.load(self.folder / "pause.tar")
        for machine in self.machines.values():
            machine.start_kubelet(self.plane.kubeconfig_of(user_of(machine.name)))
        self._start_services()
        for name in self.names:
            self._await_node(name, self._heartbeat)
            self._offer(name)
        self._await_services()

    def stop(self) -> None:
        """End the cluster; what its programs wrote into `logs` stays."""
        clear(self.folder)
        for each in self.all_processes:
            each.stop()

    def load(self, archive: Path) -> None:
        """Load the images of an OCI or Docker archive into every node, as soon as it is on."""
        self.archives.append(archive)
        self._load_missing([each for each in self.machines.values() if each.is_on()])

    def lose(self, name: str, freeze: bool = False) -> None:
        """Cut a node's power, or have it hang: nothing on it goes on, and nothing on it notices."""
        machine = self.machines[name]
        if freeze:
            machine.freeze()
        else:
            machine.cut_power()

    def revive(self, name: str) -> None:
        """Start a lost node from its disk, or let one that hangs go on; return once it is ready."""
        machine = self.machines[name]
        if machine.is_on():
            before = self._renewal(name)
            machine.thaw()
            self._await_node(name, self._renewal, before)
            return
        machine.boot()
        self._load_missing([machine])
        self._start_kubelet(machine)

    def restart_kubelet(self, name: str) -> None:
        """End a node's kubelet and start it again, under the pods that run; return once the node is ready."""
        self.stop_kubelet(name)
        self.start_kubelet(name)

    def stop_kubelet(self, name: str) -> None:
        """Let a node's pods go on with nobody who looks after them."""
        self.machines[name].stop_kubelet()

    def start_kubelet(self, name: str) -> None:
        """Start it again; return once the node is ready."""
        self._start_kubelet(self.machines[name])

    def digest_of(self, image: str) -> str:
        """What identifies a loaded image, such as sha256:9f86…"""
        return self.machines[self.names[0]].digest_of(image)

    def push(self, image: str, name: str) -> None:
        """Let every node that is on have a loaded image under another name too."""
        for machine in self.machines.values():
            if machine.is_on():
                machine.tag(image, name)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints; KubectlError when it fails."""
        command = [str(find_program("kubectl")), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(
            command, input=stdin, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _control_plane(self) -> ControlPlane:
        users = {user_of(name): "system:nodes" for name in self.names} | {PROXY: "system:node-proxiers"}
        return ControlPlane(
            self.folder,
            EVERYTHING,
            list(trimtab_definitions().values()),
            self.outlive,
            self.network.host,
            users,
            flags=FAST_LOSS if self.fast_loss else {},
        )

    def _boot(self) -> None:
        """Switch the nodes on."""
        groups = groups_of(self.network.number)
        trusted = self.folder / "serving.crt"
        for index, name in enumerate(self.names):
            place = (self.network.node(index), self.folder / "nodes" / name, self.network)
            machine = Machine(name, *place, groups, self.processes)
            machine.configure(
                self.network.pods(index, len(self.names)), trusted, FAST if self.fast_loss else SLOW
            )
            machine.boot()
            self.machines[name] = machine

    def _load_missing(self, machines: Sequence[Machine]) -> None:
        def load(machine: Machine) -> None:
            for archive in self.archives[len(machine.images) :]:
                machine.load(archive)

        for machine in machines:
            self.processes.wait_until(f"{machine.name}'s containerd answers", machine.is_containerd_ready)
        with ThreadPoolExecutor() as pool:
            list(pool.map(load, machines))

    def _start_services(self) -> None:
        """Start what makes Services, names and policies of the cluster, for all nodes."""
        gateway = self.network.gateway
        proxy, dns = self.folder / "kube-proxy.yaml", self.folder / "Corefile"
        proxy.write_text(configuration.kube_proxy(self.plane.kubeconfig_of(PROXY), self.names[0], gateway))
        dns.write_text(configuration.core_dns(self.kubeconfig, gateway))
        self._start_service("kube-proxy", [find_program("kube-proxy"), "--config", proxy])
        self._start_service("coredns", [find_program("coredns"), "-conf", dns])
        if self.policies:
            command: list[str | Path] = [sys.executable, "-m", "tests.cluster.enforcement"]
            command += [self.kubeconfig, self.rules, self.network.host, gateway]
            self._start_service("policies", command)

    def _await_services(self) -> None:
        gateway = self.network.gateway
        for name, port, path in (
            ("kube-proxy", PROXY_HEALTH_PORT, "healthz"),
            ("DNS", DNS_HEALTH_PORT, "ready"),
        ):
            is_ready = partial(answers, self.plane, f"http://{gateway}:{port}/{path}")
            self.processes.wait_until(f"{name} is ready", is_ready)
        if self.policies:
            self.processes.wait_until("policies are enforced", self.rules.exists)

    def _start_kubelet(self, machine: Machine) -> None:
        """Start it where the node is known already; return once it has reported."""
        before = self._heartbeat(machine.name)
        machine.start_kubelet(self.plane.kubeconfig_of(user_of(machine.name)))
        self._await_node(machine.name, self._heartbeat, before)
        self._offer(machine.name)

    def _await_node(self, name: str, sign: Callable[[str], str], before: str = "") -> None:
        """Return once the node gave a new sign of this kind, and is ready."""
        self.processes.wait_until(
            f"{name} is ready", lambda: sign(name) != before and self._ready(name).get("status") == "True"
        )

    def _ready(self, name: str) -> dict[str, Any]:
        """What the API server knows of a node's readiness."""
        conditions = self._read(f"/api/v1/nodes/{name}").get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == "Ready"), {})

    def _heartbeat(self, name: str) -> str:
        """When the kubelet last reported on its node, which it does at its start."""
        return str(self._ready(name).get("lastHeartbeatTime", ""))

    def _renewal(self, name: str) -> str:
        """When the kubelet last gave a sign of life."""
        lease = self._read(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}")
        return str(lease.get("spec", {}).get("renewTime", ""))

    def _read(self, path: str) -> dict[str, Any]:
        """A document, empty while it, or the API server, is not there."""
        try:
            found: dict[str, Any] = json.loads(self.plane.send(path))
        except urllib.error.HTTPError as error:
            error.close()
            return {}
        except OSError:
            return {}
        return found

    def _offer(self, name: str) -> None:
        """Make up the node's resources; a kubelet that starts denies those that it does not find."""
        if amounts := self.resources.get(name):
            patch = json.dumps({"status": {"capacity": amounts, "allocatable": amounts}})
            self.kubectl("patch", "node", name, "--subresource=status", "--type=merge", f"--patch={patch}")

    def _start_service(self, name: str, command: Sequence[str | Path]) -> None:
        variables = {**environment(), "PYTHONPATH": str(ROOT)}
        self.processes.start(name, self.network.entering(command), variables)


def user_of(node: str) -> str:
    """The name by which the API server knows a node's kubelet."""
    return f"system:node:{node}"
