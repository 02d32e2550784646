"""The operator as a process of its own, told everything by its environment, as on a cluster.

    with OperatorProcess(server, folder, settings={"NAMESPACES": "vision"}) as operator:
        ...
        operator.kill()
        operator.start()

It has the documented permissions and no others, a Lease of its own, and reaches the API server directly or
through a proxy. Where several serve one control plane, each is to serve namespaces of its own.
"""

import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from tests.cluster.processes import Processes, free_ports
from tests.support.api_proxy import ApiProxy
from tests.support.cluster import ApiServer

Document = dict[str, Any]
PERMISSIONS = Path(__file__).parents[2] / "docs/reference/rbac.md"
HOME = "trimtab-system"
"""The namespace of operators, with their Leases."""
PREFIX = "TRIMTAB_OPERATOR_"
OPERATOR = "operator"
LIMIT_SECONDS = 120


@dataclass
class OperatorProcess:
    """One operator: started when it is entered as a context manager, and ready then."""

    server: ApiServer
    folder: Path
    """Of its kubeconfig and logs."""
    name: str = "operator"
    """Of its Lease: operators of one name stand by for each other."""
    proxy: ApiProxy | None = None
    """Through which it reaches the API server."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """By the names of their variables, without the prefix."""
    python: Path = Path(sys.executable)
    sources: Path | None = None
    """A folder with the packages to run; None: those of this repository."""
    token: str = ""
    """Of an account with other permissions than the documented ones."""

    def __post_init__(self) -> None:
        self.processes = Processes(self.folder)
        self.health_port, self.metrics_port = free_ports(2)
        self.kubeconfig = self.folder / "kubeconfig"

    def __enter__(self) -> "OperatorProcess":
        self.folder.mkdir(parents=True, exist_ok=True)
        url = self.proxy.url if self.proxy else None
        self.server.plane.write_kubeconfig(self.kubeconfig, self.token or permitted_token(self.server), url)
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if OPERATOR in self.processes.children:
            self.kill()  # nobody waits for its Lease

    def start(self) -> None:
        """Start it, anew after it has ended."""
        command = [str(self.python), "-P", "-m", "trimtab_operator"]
        self.processes.start(OPERATOR, command, self.environment)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.processes.kill_one(OPERATOR)

    def stop(self) -> int:
        """The exit code, once it has ended as it was asked to."""
        child = self.processes.children.pop(OPERATOR)
        child.send_signal(signal.SIGTERM)
        return child.wait(LIMIT_SECONDS)

    def wait_until_ready(self) -> None:
        """Return once it has read what is there."""
        self.processes.wait_until("the operator is ready", self.is_ready, LIMIT_SECONDS)

    def wait_until_leading(self) -> None:
        """Return once it is the one that acts."""
        self.processes.wait_until("the operator leads", self.is_leading, LIMIT_SECONDS)

    def is_ready(self) -> bool:
        return self.answer("/readyz", self.health_port) != ""

    def is_leading(self) -> bool:
        return self.metric("trimtab_leader") == 1

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; 0 while nothing is known of it."""
        text = self.answer("/metrics", self.metrics_port)
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))

    def answer(self, path: str, port: int) -> str:
        """What it says over HTTP; empty while it does not say that all is well."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            return ""
        except OSError:
            return ""

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return self.processes.log(OPERATOR).read_text()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that it is started with."""
        settings = {
            "KUBECONFIG": str(self.kubeconfig),
            "LEASE_NAMESPACE": HOME,
            "LEASE_NAME": self.name,
            "HEALTH_PORT": str(self.health_port),
            "METRICS_PORT": str(self.metrics_port),
            "DISCOVERY_SECONDS": "1",
            **self.settings,
        }
        path = {"PYTHONPATH": str(self.sources)} if self.sources else {}
        return {**os.environ, **path, **{f"{PREFIX}{name}": value for name, value in settings.items()}}


def permitted_token(server: ApiServer) -> str:
    """A token of an account that may do what the documentation says of the operator, and nothing else."""
    metadata = {"name": "trimtab-operator", "namespace": HOME}
    server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}})
    server.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    for role in documented_roles():
        where = {"namespace": HOME} if role["kind"] == "Role" else {}
        named = {"name": role["metadata"]["name"], **where}
        binding = {
            "apiVersion": role["apiVersion"],
            "kind": f"{role['kind']}Binding",
            "metadata": named,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": named["name"]},
            "subjects": [{"kind": "ServiceAccount", **metadata}],
        }
        server.apply(without_names(role) | {"metadata": named})
        server.apply(binding)
    return server.token_of(HOME, metadata["name"])


def documented_roles() -> Iterator[Document]:
    """The roles of the operator, which the documentation gives in full."""
    for text in re.findall(r"^```yaml\n(.*?)^```$", PERMISSIONS.read_text(), re.MULTILINE | re.DOTALL):
        yield yaml.safe_load(text)


def without_names(role: Document) -> Document:
    """The role for a Lease of any name: every test's operator has its own."""
    rules = [{key: value for key, value in rule.items() if key != "resourceNames"} for rule in role["rules"]]
    return {**role, "rules": rules}
