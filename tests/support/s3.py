"""A real S3 server for tests: VersityGW on the loopback address, objects in a temporary folder.

`s3_server` runs once per session; `s3_bucket` gives a test a bucket of its own and sets the AWS_*
variables, so that `open_store(s3_bucket)` reaches it without more. `own_s3_server` may be stopped,
killed, frozen and started again. A user of a server has what is below a prefix, and nothing else.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cluster.processes import Processes, free_ports, is_listening
from tests.cluster.programs import UnavailableError, find_program
from tests.support.tiers import skip_tier

LOOPBACK = "127.0.0.1"
ACCESS_KEY, SECRET_KEY, REGION = "trimtab-tests", "not-a-secret", "us-east-1"


@dataclass
class S3Server:
    """One running server. `folder` holds its logs and, under `objects/`, one folder per bucket."""

    program: Path
    folder: Path
    port: int
    processes: Processes
    host: str = LOOPBACK
    has_users: bool = False
    """Whether it knows others than its owner; to be said before it starts."""
    statements: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of each bucket's policy: what its users may."""

    @classmethod
    def at(cls, folder: Path, host: str = LOOPBACK) -> "S3Server":
        """A server of this folder that is not started yet; UnavailableError when none is built here."""
        return cls(find_program("versitygw"), folder, free_ports(1)[0], Processes(folder), host)

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    def environment(self, endpoint: str | None = None) -> dict[str, str]:
        """The AWS_* variables by which a client reaches the server, or a proxy in front of it."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
        }

    def start(self) -> None:
        """Start, or start again after `stop` or `kill` on the same port with the same objects."""
        (self.folder / "objects").mkdir(parents=True, exist_ok=True)
        for name in ("attributes", "users"):
            (self.folder / name).mkdir(exist_ok=True)
        address = ["--port", f"{self.host}:{self.port}", "--region", REGION, "--quiet", "--keep-alive"]
        address += ["--iam-dir", f"{self.folder}/users"] if self.has_users else []
        # Object attributes in a folder: not every file system under a temporary folder has extended ones.
        backend = ["posix", "--sidecar", f"{self.folder}/attributes", f"{self.folder}/objects"]
        environment = os.environ | {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
        self.processes.start("versitygw", [self.program, *address, *backend], environment)
        self.processes.wait_until("the S3 server listens", lambda: is_listening(self.port, self.host))

    def stop(self) -> None:
        self.processes.stop()

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._process.kill()
        self.processes.stop()

    def freeze(self) -> None:
        """Answer nothing until `thaw`; connections are still accepted, by the system."""
        self._process.suspend()

    def thaw(self) -> None:
        self._process.resume()

    def make_bucket(self, name: str) -> str:
        """The s3:// address of a new bucket; 3 to 63 lower-case letters, digits and hyphens."""
        (self.folder / "objects" / name).mkdir()
        return f"s3://{name}"

    def add_user(self, name: str, bucket: str, prefix: str) -> dict[str, str]:
        """The AWS_* variables of a new user, who may read and write the bucket's keys that begin so."""
        command: list[str | Path] = [self.program, "admin", "--endpoint-url", self.endpoint]
        command += ["--access", ACCESS_KEY, "--secret", SECRET_KEY]
        command += ["create-user", "--access", name, "--secret", SECRET_KEY, "--role", "user"]
        subprocess.run(command, capture_output=True, check=True)
        self.statements.setdefault(bucket, []).extend(statements(name, f"arn:aws:s3:::{bucket}", prefix))
        policy = self.folder / "attributes" / bucket / "meta/policy"
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": self.statements[bucket]}))
        return self.environment() | {"AWS_ACCESS_KEY_ID": name}

    @property
    def _process(self) -> psutil.Process:
        return psutil.Process(self.processes.children["versitygw"].pid)


def statements(user: str, bucket: str, prefix: str) -> list[dict[str, Any]]:
    """What a bucket's policy says of a user who may use the keys that begin so, and see their names only."""
    common = {"Effect": "Allow", "Principal": {"AWS": [user]}}
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    below = {"StringLike": {"s3:prefix": f"{prefix}*"}}
    return [
        {**common, "Action": objects, "Resource": f"{bucket}/{prefix}*"},
        {**common, "Action": "s3:ListBucket", "Resource": bucket, "Condition": below},
    ]


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The session's S3 server, shared by its tests: to be left running."""
    yield from run_server(tmp_path_factory.mktemp("s3"))


@pytest.fixture
def own_s3_server(tmp_path: Path) -> Iterator[S3Server]:
    """A server of this test's own, which it may stop, kill or freeze."""
    yield from run_server(tmp_path / "s3")


def run_server(folder: Path) -> Iterator[S3Server]:
    """A started server, ended afterwards; the tier is skipped when none is built here."""
    try:
        server = S3Server.at(folder)
    except UnavailableError as error:
        skip_tier(str(error))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3_bucket(s3_server: S3Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The s3:// address of a bucket of this test's own, with the AWS_* variables set."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    taken = len(list((s3_server.folder / "objects").iterdir()))
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())
    return s3_server.make_bucket(f"{words[:50].strip('-')}-{taken}")
