"""Where jobs on real nodes meet faults: an operator with little patience, a store that may be away or full.

The store is one of the tests' own, on a disk of SPACE_MEGABYTES; a job may reach it through a proxy that is
slow. The operator may be of the version before: the same code, which says that it is another.
"""

import os
import shutil
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.images import OPERATOR, WORKER, build_image, images_folder
from tests.cluster.pools import GPU, SEAT
from tests.support import platform
from tests.support.chart import CHART, HOME
from tests.support.platform import BUCKET, NOTES, Platform
from tests.support.proxy import S3Proxy
from tests.support.s3 import S3Server
from tests.support.versions import another_context, another_version
from trimtab_api.versions import SCHEMA_VERSION

Document = dict[str, Any]
SPACE_MEGABYTES = 96
OLDER = "0.0.9"
OLDER_OPERATOR = f"{OPERATOR.rpartition(':')[0]}:{OLDER}"
HOURLY_PRICE = 3.6
"""Of a worker's pod: a thousandth a second."""
SETTINGS = {
    **platform.VALUES["operator"]["env"],
    "TRIMTAB_OPERATOR_NODE_PATIENCE_SECONDS": "5",
    "TRIMTAB_OPERATOR_DRIVER_SILENCE_SECONDS": "30",
}
SIZE = {"cpu": "1", "memory": "2Gi"}
POOLS: list[Document] = [
    {
        "name": "seats",  # a worker on each of two nodes
        "tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}],
        "gpuResource": SEAT,
        "resources": {**SIZE, "gpu": 1},
        "hourlyPrice": HOURLY_PRICE,
    },
    {"name": "anywhere", "resources": SIZE, "hourlyPrice": HOURLY_PRICE},
]


@dataclass
class Ground:
    """The platform with a store of the tests' own, and what may be done to it."""

    platform: Platform
    proxy: S3Proxy
    folder: Path
    is_older: bool | None = None
    """Whether the operator is of the version before; None: not known yet."""
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def s3(self) -> S3Server:
        return self.platform.s3

    def operate(self, older: bool) -> None:
        """Have jobs served by the operator of this version, or of the one before, by an upgrade."""
        if self.is_older is not older:
            self.platform.release.upgrade(values(older), self._older_chart() if older else CHART)
            self._await_operator(older)

    def roll_back(self) -> None:
        """Undo the last upgrade."""
        self.platform.release.rollback(0)
        self._await_operator(not self.is_older)

    def _await_operator(self, older: bool) -> None:
        """Return once no operator of another version is left."""
        name = f"deployment/{platform.OPERATOR_NAME}"
        self.platform.kubectl("-n", HOME, "rollout", "status", name, "--timeout=180s")
        self.is_older = older

    def _older_chart(self) -> Path:
        """The chart of the version before, whose operator's image every node has from then on."""
        folder = self.folder / "older"
        if not folder.exists():
            context = another_context(folder / "context", OLDER, SCHEMA_VERSION - 1)
            image = build_image(images_folder(), context, "operator", OLDER_OPERATOR, {})
            self.platform.nodes.load(image)
            shutil.copytree(CHART, folder / "chart")
            about = yaml.safe_load((CHART / "Chart.yaml").read_text())
            changed = about | {"version": OLDER, "appVersion": OLDER}
            (folder / "chart/Chart.yaml").write_text(yaml.safe_dump(changed))
        return folder / "chart"

    def fill_store(self) -> Path:
        """Leave no room in the store until the file that is returned is gone."""
        ballast = self.s3.folder / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.s3.folder).free)
        return ballast

    def profile(self, name: str, needs: Collection[str]) -> Document:
        """The profile of a job that needs an `older` driver, a missing `image` or a `slow` store."""
        found = platform.profile(self.proxy.endpoint if "slow" in needs else self.s3.endpoint)
        spec = found["spec"] | {"pools": POOLS}
        if "older" in needs:
            team = self.platform.team(name)
            another_version(team.notes / "older", OLDER, SCHEMA_VERSION - 1)
            spec["overlay"] = spec["overlay"] | {"env": older_first(spec["overlay"]["env"])}
        if "image" in needs:
            spec["images"] = {"worker": self.missing_image}
        return {**found, "metadata": {"name": name}, "spec": spec}

    @property
    def missing_image(self) -> str:
        """The worker's image, by its digest, under a name that is not there before it is pushed."""
        digest = self.digests.setdefault(WORKER, self.platform.nodes.digest_of(WORKER))
        return f"{WORKER.rpartition(':')[0]}-pushed@{digest}"


def values(older: bool) -> Document:
    """The values of the chart."""
    repository, _, tag = (OLDER_OPERATOR if older else OPERATOR).rpartition(":")
    return platform.VALUES | {"image": {"repository": repository, "tag": tag}, "operator": {"env": SETTINGS}}


def older_first(variables: list[dict[str, str]]) -> list[dict[str, str]]:
    """The variables of a pod, with the sources of the version before first on Python's path."""
    path = ":".join(each["value"] for each in variables if each["name"] == "PYTHONPATH")
    others = [each for each in variables if each["name"] != "PYTHONPATH"]
    return [*others, {"name": "PYTHONPATH", "value": f"{NOTES}/older:{path}".rstrip(":")}]


@contextmanager
def ground_on(found: Platform, folder: Path) -> Iterator[Ground]:
    """The platform as a ground for faults; it is as before afterwards."""
    with small_disk(folder / "s3") as disk:
        s3 = S3Server.at(disk, found.nodes.address)
        s3.has_users = True
        s3.start()
        try:
            s3.make_bucket(BUCKET)
            with S3Proxy(s3) as proxy, pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
                yield Ground(Platform(found.nodes, s3, found.release, folder), proxy, folder)
        finally:
            s3.stop()
    found.install()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """The folder, as a disk of little space."""
    folder.mkdir(parents=True)
    options = f"size={SPACE_MEGABYTES}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
