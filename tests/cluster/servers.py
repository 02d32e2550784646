"""The servers of a control plane: how each is started and known to be healthy.

KubeRay asks each Ray cluster's dashboard for its job by the name of a Service. Where nodes run pods, it does
so through the API server, as it is outside of their network. Without nodes nothing runs Services, so it is
told of an HTTP proxy for such names, at which a test's stand-in for the dashboards listens.
"""

import urllib.error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cluster.definitions import Document, kuberay_definitions
from tests.cluster.processes import is_listening

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane

LOOPBACK = "127.0.0.1"
SERVICES, API_SERVICE = "10.96.0.0/16", "10.96.0.1"
"""The addresses of Services, of which the API server takes the first."""
PORTS = ("etcd", "peer", "api", "controllers", "scheduler", "metrics", "probe", "dashboards")


def no_environment(plane: "ControlPlane") -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is started and known to be healthy; what it expects to be defined.

    A server that is `awaited` is healthy, and all is defined, before those start that stand on it.
    """

    flags: Callable[["ControlPlane"], Sequence[str]]
    is_healthy: Callable[["ControlPlane"], bool]
    environment: Callable[["ControlPlane"], Mapping[str, str]] = no_environment
    definitions: Callable[[], Sequence[Document]] = list
    awaited: bool = False


def etcd_flags(plane: "ControlPlane") -> list[str]:
    client, peer = (f"http://127.0.0.1:{plane.ports[name]}" for name in ("etcd", "peer"))
    return [
        f"--data-dir={plane.folder}/etcd",
        "--unsafe-no-fsync",  # nothing here has to survive a power cut
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--log-level=warn",
    ]


def api_server_flags(plane: "ControlPlane") -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{plane.ports['etcd']}",
        f"--bind-address={plane.address}",
        f"--secure-port={plane.ports['api']}",
        f"--advertise-address={plane.address}",  # else it looks for another, which a host may not have
        *serving_flags(plane),
        *(node_flags(plane) if plane.has_nodes else nodeless_flags()),
        f"--token-auth-file={plane.folder}/tokens.csv",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={plane.folder}/serving.crt",
        f"--service-account-signing-key-file={plane.folder}/serving.key",
        f"--service-cluster-ip-range={SERVICES}",
        "--profiling=false",
    ]


def nodeless_flags() -> list[str]:
    return [
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",  # the Service `kubernetes` may not point at a loopback address
    ]


def node_flags(plane: "ControlPlane") -> list[str]:
    """What the API server needs to let kubelets do their work, and nothing else, and to reach them itself."""
    return [
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--kubelet-client-certificate={plane.folder}/serving.crt",
        f"--kubelet-client-key={plane.folder}/serving.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",  # so that only the namespaces' own rules keep such pods out
    ]


def controller_flags(plane: "ControlPlane") -> list[str]:
    return [
        *client_flags(plane, "controllers"),
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        f"--service-account-private-key-file={plane.folder}/serving.key",
        f"--root-ca-file={plane.folder}/serving.crt",
        f"--flex-volume-plugin-dir={plane.folder}/flexvolume",  # else it makes a folder under /usr
    ]


def scheduler_flags(plane: "ControlPlane") -> list[str]:
    return client_flags(plane, "scheduler")


def client_flags(plane: "ControlPlane", port: str) -> list[str]:
    """What the servers have in common that Kubernetes runs beside its API server."""
    return [
        f"--kubeconfig={plane.kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.ports[port]}",
        *serving_flags(plane),
        "--leader-elect=false",
        "--profiling=false",
    ]


def serving_flags(plane: "ControlPlane") -> list[str]:
    return [
        f"--tls-cert-file={plane.folder}/serving.crt",
        f"--tls-private-key-file={plane.folder}/serving.key",
    ]


def kuberay_flags(plane: "ControlPlane") -> list[str]:
    return [
        "-enable-leader-election=false",
        "-reconcile-concurrency=4",
        f"-metrics-addr=127.0.0.1:{plane.ports['metrics']}",
        f"-health-probe-bind-address=127.0.0.1:{plane.ports['probe']}",
        *(["-use-kubernetes-proxy"] if plane.has_nodes else []),
    ]


def kuberay_environment(plane: "ControlPlane") -> dict[str, str]:
    """Go never uses a proxy for loopback addresses, so this leaves the API server's alone."""
    if plane.has_nodes:
        return {"KUBECONFIG": str(plane.kubeconfig)}
    dashboards = f"http://127.0.0.1:{plane.ports['dashboards']}"
    return {"KUBECONFIG": str(plane.kubeconfig), "HTTP_PROXY": dashboards, "NO_PROXY": "", "no_proxy": ""}


def answers(plane: "ControlPlane", url: str) -> bool:
    """Whether something answers 200 at this URL."""
    try:
        with plane.opener().open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def are_controllers_ready(plane: "ControlPlane") -> bool:
    """Whether the controllers act: pods are refused in a namespace without its first service account."""
    if not answers(plane, f"https://127.0.0.1:{plane.ports['controllers']}/healthz"):
        return False
    try:
        plane.send("/api/v1/namespaces/default/serviceaccounts/default")
    except urllib.error.HTTPError as error:
        error.close()
        return False
    return True


SERVERS = {
    "etcd": Server(etcd_flags, lambda plane: is_listening(plane.ports["etcd"]), awaited=True),
    "kube-apiserver": Server(
        api_server_flags, lambda plane: answers(plane, f"{plane.url}/readyz"), awaited=True
    ),
    "kube-controller-manager": Server(controller_flags, are_controllers_ready),
    "kube-scheduler": Server(
        scheduler_flags, lambda plane: answers(plane, f"https://127.0.0.1:{plane.ports['scheduler']}/healthz")
    ),
    "kuberay-operator": Server(
        kuberay_flags,
        lambda plane: answers(plane, f"http://127.0.0.1:{plane.ports['probe']}/healthz"),
        environment=kuberay_environment,
        definitions=kuberay_definitions,
    ),
}
