"""A Kubernetes control plane on the loopback address, as ordinary processes of this user.

    folder ─ serving.crt, serving.key   one self-signed pair: serves HTTPS and signs service account tokens
           ─ tokens.csv                 the administrator's bearer token, new in every run
           ─ kubeconfig                 an administrator's, for kubectl
           ─ etcd/  logs/  pids

SERVERS says what runs, in the order of starting; another server is one name there (and in `programs`) and
one function for its flags and one for its health.
"""

import json
import os
import secrets
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.cluster.processes import Processes, free_ports, is_listening
from tests.cluster.programs import UnavailableError, find_program

OPENSSL_CONFIGURATION = """\
[req]
distinguished_name = name
x509_extensions = extensions
[name]
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = IP:127.0.0.1, DNS:localhost
"""


@dataclass
class ControlPlane:
    """One control plane in one empty folder; `outlive` lets it go on after this process."""

    folder: Path
    outlive: bool = False
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    etcd_port: int = 0
    peer_port: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.etcd_port, self.peer_port, self.port = free_ports(3)
        self.processes = Processes(self.folder, self.outlive)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """What a client has to trust."""
        return self.folder / "serving.crt"

    def start(self) -> None:
        """Return once every server is healthy; UnavailableError when one is not built, StartError else."""
        paths = {name: find_program(name) for name in SERVERS}
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_certificate(self.folder)
        self.write_credentials()
        try:
            for name, server in SERVERS.items():
                self.processes.start(name, [paths[name], *server.flags(self)], os.environ)
                self.processes.wait_until(f"{name} is healthy", partial(server.is_healthy, self))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.processes.stop()

    def write_credentials(self) -> None:
        """Write the token file of the API server and the administrator's kubeconfig."""
        write_private(self.folder / "tokens.csv", f'{self.token},admin,admin,"system:masters"\n')
        cluster = {"server": self.url, "certificate-authority": str(self.certificate)}
        configuration = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "admin"}}],
            "current-context": "tests",
        }
        write_private(self.folder / "kubeconfig", json.dumps(configuration, indent=1))  # JSON is YAML


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is started and known to be healthy."""

    flags: Callable[[ControlPlane], Sequence[str]]
    is_healthy: Callable[[ControlPlane], bool]


def etcd_flags(plane: ControlPlane) -> list[str]:
    client, peer = f"http://127.0.0.1:{plane.etcd_port}", f"http://127.0.0.1:{plane.peer_port}"
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


def api_server_flags(plane: ControlPlane) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{plane.etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.port}",
        "--advertise-address=127.0.0.1",  # else it looks for another address, which a host may not have
        "--endpoint-reconciler-type=none",  # the Service `kubernetes` may not point at a loopback address
        f"--tls-cert-file={plane.folder}/serving.crt",
        f"--tls-private-key-file={plane.folder}/serving.key",
        f"--token-auth-file={plane.folder}/tokens.csv",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={plane.folder}/serving.crt",
        f"--service-account-signing-key-file={plane.folder}/serving.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--profiling=false",
    ]


def is_api_server_ready(plane: ControlPlane) -> bool:
    trust = ssl.create_default_context(cafile=plane.certificate)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
    )
    try:
        with opener.open(f"{plane.url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


SERVERS = {
    "etcd": Server(etcd_flags, lambda plane: is_listening(plane.etcd_port)),
    "kube-apiserver": Server(api_server_flags, is_api_server_ready),
}


def write_certificate(folder: Path) -> None:
    """Write serving.crt and serving.key: self-signed, for the loopback address, for 30 days."""
    (folder / "openssl.cnf").write_text(OPENSSL_CONFIGURATION)
    command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=trimtab-tests"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-config", "openssl.cnf"]
    command += ["-keyout", "serving.key", "-out", "serving.crt"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UnavailableError("openssl was not found: install openssl 3") from error
    if done.returncode:
        raise UnavailableError(f"openssl could not make a certificate: {done.stderr.strip()}")


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read."""
    path.touch(mode=0o600)
    path.write_text(text)
