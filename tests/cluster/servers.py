"""The servers of a control plane: how each is started, known to be healthy, and what it needs first.

KubeRay asks each Ray cluster's dashboard for its job by the name of a Service. No node here runs Services, so
it is told of an HTTP proxy for such names, at which a test's stand-in for the dashboards listens.
"""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cluster.processes import is_listening
from tests.cluster.programs import PROGRAMS

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane

PORTS = ("etcd", "peer", "api", "controllers", "scheduler", "metrics", "probe", "dashboards")
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def no_environment(plane: "ControlPlane") -> Mapping[str, str]:
    return {}


def no_preparation(plane: "ControlPlane") -> None:
    return


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is started and known to be healthy.

    `prepare` runs once, before the first start. A server that is `awaited` is healthy before the next starts.
    """

    flags: Callable[["ControlPlane"], Sequence[str]]
    is_healthy: Callable[["ControlPlane"], bool]
    environment: Callable[["ControlPlane"], Mapping[str, str]] = no_environment
    prepare: Callable[["ControlPlane"], None] = no_preparation
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
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.ports['api']}",
        "--advertise-address=127.0.0.1",  # else it looks for another address, which a host may not have
        "--endpoint-reconciler-type=none",  # the Service `kubernetes` may not point at a loopback address
        *serving_flags(plane),
        f"--token-auth-file={plane.folder}/tokens.csv",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={plane.folder}/serving.crt",
        f"--service-account-signing-key-file={plane.folder}/serving.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--profiling=false",
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
    ]


def kuberay_environment(plane: "ControlPlane") -> dict[str, str]:
    """Go never uses a proxy for loopback addresses, so this leaves the API server's alone."""
    dashboards = f"http://127.0.0.1:{plane.ports['dashboards']}"
    return {"KUBECONFIG": str(plane.kubeconfig), "HTTP_PROXY": dashboards, "NO_PROXY": "", "no_proxy": ""}


def install_kuberay(plane: "ControlPlane") -> None:
    """Apply KubeRay's definitions and wait until they are served: it exits when it cannot watch them.

    They are larger than the annotation that a client-side apply writes, hence the server-side one.
    """
    paths = sorted(PROGRAMS["kuberay-operator"].definitions_path.glob("*.yaml"))
    with ThreadPoolExecutor() as pool:
        names = list(pool.map(lambda path: apply_definition(plane, path), paths))
    plane.processes.wait_until("KubeRay's definitions are served", lambda: are_served(plane, names))


def apply_definition(plane: "ControlPlane", path: Path) -> str:
    """The name of the definition of a file such as ray.io_rayjobs.yaml."""
    group, _, plural = path.stem.partition("_")
    name = f"{plural}.{group}"
    url = f"{DEFINITIONS}/{name}?fieldManager=tests&force=true"
    send(plane, url, path.read_bytes())
    return name


def are_served(plane: "ControlPlane", names: Sequence[str]) -> bool:
    conditions = [json.loads(send(plane, f"{DEFINITIONS}/{name}"))["status"]["conditions"] for name in names]
    return all(is_true("Established", each or []) for each in conditions)  # null at first


def is_true(kind: str, conditions: Sequence[Mapping[str, Any]]) -> bool:
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


def send(plane: "ControlPlane", path: str, applied: bytes | None = None) -> bytes:
    """The API server's answer to a GET, or to a server-side apply of a document, as an administrator's."""
    headers = {"Authorization": f"Bearer {plane.token}", "Content-Type": "application/apply-patch+yaml"}
    request = urllib.request.Request(plane.url + path, applied, headers, method="PATCH" if applied else "GET")
    with opener(plane).open(request, timeout=60) as answer:
        found: bytes = answer.read()
        return found


def answers(plane: "ControlPlane", url: str) -> bool:
    """Whether something answers 200 at this URL."""
    try:
        with opener(plane).open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def opener(plane: "ControlPlane") -> urllib.request.OpenerDirector:
    """What opens URLs of this host, trusting its certificate and no proxy."""
    trust = ssl.create_default_context(cafile=plane.certificate)
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
    )


def are_controllers_ready(plane: "ControlPlane") -> bool:
    """Whether the controllers act: pods are refused in a namespace without its first service account."""
    if not answers(plane, f"https://127.0.0.1:{plane.ports['controllers']}/healthz"):
        return False
    try:
        send(plane, "/api/v1/namespaces/default/serviceaccounts/default")
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
        prepare=install_kuberay,
    ),
}
