"""A Kubernetes control plane as ordinary processes of this user, on loopback unless nodes join it.

    folder ─ serving.crt, serving.key   one self-signed pair: serves HTTPS, signs service account tokens, and
                                        shows a kubelet that it is the API server who asks
           ─ tokens.csv                 bearer tokens, new in every run
           ─ kubeconfig                 an administrator's, for kubectl
           ─ users/NAME.kubeconfig      of further users, such as the nodes'
           ─ etcd/  logs/  pids

`servers` says what runs, in the order of starting: API_SERVER for what reads and writes objects, EVERYTHING
for what also needs controllers, a scheduler and KubeRay. `servers.py` says how; another server is one name
there, and in `programs`.
"""

import json
import os
import secrets
import ssl
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.cluster.definitions import Document, install
from tests.cluster.processes import Processes, free_ports
from tests.cluster.programs import UnavailableError, find_program
from tests.cluster.servers import API_SERVICE, LOOPBACK, PORTS, SERVERS

API_SERVER = ("etcd", "kube-apiserver")
NO_PROXY = {"NO_PROXY": "*", "no_proxy": "*"}
"""All that the servers talk to is on this machine."""
EVERYTHING = tuple(SERVERS)

OPENSSL_CONFIGURATION = """\
[req]
distinguished_name = name
x509_extensions = extensions
[name]
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
subjectAltName = {names}
"""


@dataclass
class ControlPlane:
    """One control plane in one empty folder; `outlive` lets it go on after this process.

    With an `address` of this machine that nodes reach, it serves nodes; `users` are those who may come beside
    the administrator, each with its group.

    Flags and environment variables are added to a server's own, the last one counting; they may be changed
    while it is stopped. `definitions` are CustomResourceDefinitions beside those that the servers expect: the
    garbage collector knows kinds that come later only after half a minute.
    """

    folder: Path
    servers: Sequence[str] = API_SERVER
    definitions: Sequence[Document] = ()
    outlive: bool = False
    address: str = LOOPBACK
    users: Mapping[str, str] = field(default_factory=dict)
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
        return f"https://{self.address}:{self.ports['api']}"

    @property
    def has_nodes(self) -> bool:
        """Whether nodes can join: their pods reach it, and it reaches them."""
        return self.address != LOOPBACK

    @property
    def certificate(self) -> Path:
        """What a client has to trust; with the key beside it, a test can serve HTTPS under the same trust."""
        return self.folder / "serving.crt"

    @property
    def kubeconfig(self) -> Path:
        """An administrator's."""
        return self.folder / "kubeconfig"

    def kubeconfig_of(self, user: str) -> Path:
        """Another user's."""
        return self.folder / "users" / f"{user.removeprefix('system:').replace(':', '-')}.kubeconfig"

    def start(self) -> None:
        """Return once every server is healthy; UnavailableError when one is not built, StartError else."""
        self.programs = {name: find_program(name) for name in self.servers}
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_certificate(self.folder, self.address)
        self._write_identities()
        try:
            self._start_all()
        except BaseException:
            self.stop()
            raise

    def _write_identities(self) -> None:
        lines = [f'{self.token},admin,admin,"system:masters"']
        self.write_kubeconfig(self.kubeconfig, self.token)
        for user, group in self.users.items():
            token = secrets.token_hex(16)
            lines.append(f'{token},{user},{user},"{group}"')
            self.kubeconfig_of(user).parent.mkdir(exist_ok=True)
            self.write_kubeconfig(self.kubeconfig_of(user), token)
        write_private(self.folder / "tokens.csv", "\n".join(lines) + "\n")

    def _start_all(self) -> None:
        foundations = [name for name in self.servers if SERVERS[name].awaited]
        others = [name for name in self.servers if not SERVERS[name].awaited]
        for name in foundations:
            self.start_server(name)
        expected = [each for name in self.servers for each in SERVERS[name].definitions()]
        install(self, [*self.definitions, *expected])
        for name in others:
            self._start(name)
        for name in others:
            self._await(name)

    def stop(self) -> None:
        """End every server, each before those it stands on, which would wait for it to let go of them."""
        for name in reversed(self.servers):
            if name in self.processes.children:
                self.processes.stop_one(name)
        self.processes.stop()

    def stop_server(self, name: str) -> None:
        """End one server, which is given the time to end well; the others go on without it.

        An API server takes all of that time, as it waits for the watches of the others: kill it instead.
        """
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

    def send(self, path: str, created: bytes | None = None, accept: str = "application/json") -> bytes:
        """The API server's answer, as an administrator's, to a GET or to the creation of a document."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, created, headers)
        with self.opener().open(request, timeout=60) as answer:
            found: bytes = answer.read()
            return found

    def opener(self) -> urllib.request.OpenerDirector:
        """What opens URLs of this host, trusting its certificate and no proxy."""
        trust = ssl.create_default_context(cafile=self.certificate)
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )

    def _start(self, name: str) -> None:
        server = SERVERS[name]
        command = [str(self.programs[name]), *server.flags(self), *self.flags.get(name, ())]
        environment = {
            **os.environ,
            **NO_PROXY,
            **server.environment(self),
            **self.environments.get(name, {}),
        }
        self.processes.start(name, command, environment)

    def _await(self, name: str) -> None:
        self.processes.wait_until(f"{name} is healthy", partial(SERVERS[name].is_healthy, self))


def write_certificate(folder: Path, address: str = LOOPBACK) -> None:
    """Write serving.crt and serving.key: self-signed, for loopback, the address and pods, for 30 days."""
    names = [f"IP:{each}" for each in dict.fromkeys((LOOPBACK, address, API_SERVICE))]
    names += ["DNS:localhost", "DNS:kubernetes.default.svc"]
    (folder / "openssl.cnf").write_text(OPENSSL_CONFIGURATION.format(names=", ".join(names)))
    subject = "/O=system:masters/CN=trimtab-tests"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj", subject]
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
