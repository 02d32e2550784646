"""A Kubernetes control plane on the loopback address, as ordinary processes of this user.

    folder ─ serving.crt, serving.key   one self-signed pair: serves HTTPS and signs service account tokens
           ─ tokens.csv                 the administrator's bearer token, new in every run
           ─ kubeconfig                 an administrator's, for kubectl
           ─ etcd/  logs/  pids

`servers` says what runs, in the order of starting: API_SERVER for what reads and writes objects, EVERYTHING
for what also needs controllers, a scheduler and KubeRay. `servers.py` says how; another server is one name
there, and in `programs`.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.cluster.processes import Processes, free_ports
from tests.cluster.programs import UnavailableError, find_program
from tests.cluster.servers import PORTS, SERVERS

API_SERVER = ("etcd", "kube-apiserver")
EVERYTHING = tuple(SERVERS)

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
    """One control plane in one empty folder; `outlive` lets it go on after this process.

    Flags and environment variables are added to a server's own, the last one counting; they may be changed
    while it is stopped.
    """

    folder: Path
    servers: Sequence[str] = API_SERVER
    outlive: bool = False
    flags: dict[str, Sequence[str]] = field(default_factory=dict)
    environments: dict[str, Mapping[str, str]] = field(default_factory=dict)
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    ports: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.processes = Processes(self.folder, self.outlive)
        self.programs: dict[str, Path] = {}

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.ports['api']}"

    @property
    def certificate(self) -> Path:
        """What a client has to trust; with the key beside it, a test can serve HTTPS under the same trust."""
        return self.folder / "serving.crt"

    @property
    def kubeconfig(self) -> Path:
        """An administrator's."""
        return self.folder / "kubeconfig"

    def start(self) -> None:
        """Return once every server is healthy; UnavailableError when one is not built, StartError else."""
        self.programs = {name: find_program(name) for name in self.servers}
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_certificate(self.folder)
        write_private(self.folder / "tokens.csv", f'{self.token},admin,admin,"system:masters"\n')
        self.write_kubeconfig(self.kubeconfig, self.token)
        try:
            for name in self.servers:
                SERVERS[name].prepare(self)
                self._start(name)
                if SERVERS[name].awaited:
                    self._await(name)
            for name in self.servers:
                self._await(name)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.processes.stop()

    def stop_server(self, name: str) -> None:
        """End one server, which is given the time to end well; the others go on without it."""
        self.processes.stop_one(name)

    def kill_server(self, name: str) -> None:
        """End one server as a power cut would."""
        self.processes.kill_one(name)

    def start_server(self, name: str) -> None:
        """Start a stopped server again on the same ports, with what it stored; return once it is healthy."""
        self._start(name)
        self._await(name)

    def write_kubeconfig(self, path: Path, token: str, url: str | None = None) -> None:
        """Write a kubeconfig of a token's owner, for the API server or for a proxy with its certificate."""
        cluster = {"server": url or self.url, "certificate-authority": str(self.certificate)}
        configuration = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "user"}}],
            "current-context": "tests",
        }
        write_private(path, json.dumps(configuration, indent=1))  # JSON is YAML

    def _start(self, name: str) -> None:
        server = SERVERS[name]
        command = [str(self.programs[name]), *server.flags(self), *self.flags.get(name, ())]
        environment = {**os.environ, **server.environment(self), **self.environments.get(name, {})}
        self.processes.start(name, command, environment)

    def _await(self, name: str) -> None:
        self.processes.wait_until(f"{name} is healthy", partial(SERVERS[name].is_healthy, self))


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
