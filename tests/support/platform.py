"""A platform on real nodes, as a site has one: the chart, its images, S3, a profile, teams' namespaces.

    team = platform.team("vision")                 # a namespace that enforces pod-security: restricted
    job = team.apply(Path("examples/digits/job.yaml").read_text())
    job.until("Succeeded", lambda found: found["status"]["phase"] == "Succeeded")
    team.store(job).get("result.json")

`platform` runs once per session. The Ray pods' image holds Ray and Trimtab; what is heavy, torch and the
like, is this machine's own environment, which a local volume brings into the pods: `restricted` allows no
hostPath. The folder NOTES of the pods is one folder of this machine: a task writes there what a test reads.
"""

import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.images import IS_FULL, OPERATOR, RAY_ALONE, ROOT, WORKER, build_image, images_folder
from tests.cluster.nodes import Nodes
from tests.cluster.pools import divide, pooled_nodes
from tests.cluster.programs import find_program
from tests.support.chart import HOME, Helm, Release
from tests.support.cluster import ApiServer
from tests.support.operated import Job
from tests.support.s3 import S3Server
from trimtab_jobs.store import Store, open_store

Document = dict[str, Any]
BUCKET = "models"
SECRET = "store-credentials"
PACKAGES, NOTES = "/opt/packages", "/opt/notes"
PATIENCE_SECONDS = 420
"""How long a test waits for what a job does: everything runs on the cores of one machine."""
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
POOLS: list[Document] = [
    {"name": "cpu", "nodeSelector": {"pool": "cpu"}, "resources": {"cpu": "1", "memory": "2Gi"}},
    {
        "name": "gpu",
        "nodeSelector": {"pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "resources": {"cpu": "1", "memory": "2Gi", "gpu": 1},
        "hourlyPrice": 3.0,
    },
]


@dataclass
class Platform:
    """Trimtab on real nodes, with what its jobs need."""

    nodes: Nodes
    s3: S3Server
    release: Release
    folder: Path
    teams: dict[str, "Team"] = field(default_factory=dict)

    @property
    def server(self) -> ApiServer:
        return ApiServer(self.nodes.plane)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.nodes.kubectl(*arguments, stdin=stdin)

    def install(self, **values: Any) -> None:
        """Install or upgrade the chart with these values, and return once its operator is ready."""
        self.release.upgrade(VALUES | values)
        self.kubectl("-n", HOME, "rollout", "status", f"deployment/{OPERATOR_NAME}", "--timeout=120s")

    def team(self, name: str) -> "Team":
        """A team's namespace; the same one for the same name."""
        if name not in self.teams:
            notes = self.folder / "notes" / name
            notes.mkdir(parents=True)
            notes.chmod(0o777)
            credentials = self.s3.add_user(name, BUCKET, f"{name}/")
            for document in team_documents(name, credentials, self.nodes.names, notes):
                self.server.create(document)
            self.teams[name] = Team(self, name, notes)
        return self.teams[name]


OPERATOR_NAME = "trimtab-operator"
VALUES: Document = {
    "image": {"repository": OPERATOR.rpartition(":")[0], "tag": OPERATOR.rpartition(":")[2]},
    "worker": {"image": WORKER},
    "crds": {"enabled": False},  # there from the start: the garbage collector is slow to learn of new kinds
    "kuberay": {"namespace": "kuberay-system"},
    "operator": {"env": {"TRIMTAB_OPERATOR_HEAD_MEMORY": "2Gi"}},
    "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
}


@dataclass
class Team:
    """A namespace that enforces the restricted standard, with credentials of the store and the volumes."""

    platform: Platform
    namespace: str
    notes: Path
    """What its pods see as NOTES."""

    @property
    def server(self) -> ApiServer:
        return self.platform.server

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.platform.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, manifest: str) -> Job:
        """Apply a manifest as a person does; its job."""
        self.kubectl("apply", "-f", "-", stdin=manifest)
        (document,) = (
            each for each in yaml.safe_load_all(manifest) if each and each["kind"] == "OptimizationJob"
        )
        document["metadata"]["namespace"] = self.namespace
        return Job(self, document, PATIENCE_SECONDS)

    def pods(self, **labels: str) -> list[Document]:
        """The pods of the namespace with these labels, but those that are going."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found = self.server.items("v1", "Pod", self.namespace, labelSelector=selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def store(self, job: Job) -> Store:
        """The job's store, with the AWS_* variables that the fixture `platform` has set."""
        uid = job.now()["metadata"]["uid"]
        return open_store(f"s3://{BUCKET}/{self.namespace}/{job.name}/{uid}")

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        self.platform.nodes.plane.processes.wait_until(what, is_so, PATIENCE_SECONDS, every_seconds=0.3)

    def nothing_runs(self) -> bool:
        """Whether no Ray cluster is left, and no pod that holds anything of a node, even if it is going."""
        clusters = self.server.items("ray.io/v1", "RayCluster", self.namespace)
        pods = self.server.items("v1", "Pod", self.namespace)
        return not clusters and all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in pods)


def profile(endpoint: str) -> Document:
    """The profile of jobs that name none."""
    volumes = [
        {"name": name, "persistentVolumeClaim": {"claimName": name, "readOnly": name == "packages"}}
        for name in ("packages", "notes")
    ]
    mounts = [
        {"name": "packages", "mountPath": PACKAGES, "readOnly": True},
        {"name": "notes", "mountPath": NOTES},
    ]
    return {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationProfile",
        "metadata": {
            "name": "standard",
            "annotations": {"trimtab.io/is-default-profile": "true"},
        },
        "spec": {
            "pools": POOLS,
            "store": {
                "uri": f"s3://{BUCKET}",
                "prefixes": [f"s3://{BUCKET}/{{namespace}}/"],
                "endpoint": endpoint,
                "secretRef": SECRET,
            },
            "overlay": {
                "env": [
                    *([] if IS_FULL else [{"name": "PYTHONPATH", "value": PACKAGES}]),
                    {"name": "TRIMTAB_TEST_NOTES", "value": NOTES},
                ],
                "volumes": volumes,
                "volumeMounts": mounts,
            },
        },
    }


def team_documents(
    name: str, credentials: Mapping[str, str], nodes: list[str], notes: Path
) -> Iterator[Document]:
    """What a platform team makes for a team: its namespace, the store's credentials, volumes and claims."""
    kept = {key: value for key, value in credentials.items() if key != "AWS_ENDPOINT_URL"}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
    yield {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": name},
        "stringData": kept,
    }
    yield from local_volume(name, "packages", sysconfig.get_path("purelib"), "ReadOnlyMany", nodes)
    yield from local_volume(name, "notes", str(notes), "ReadWriteMany", nodes)


def local_volume(namespace: str, name: str, folder: str, mode: str, nodes: list[str]) -> Iterator[Document]:
    """A folder of this machine, where all nodes are, as a volume and the claim that it is for."""
    of_nodes = {"key": "kubernetes.io/hostname", "operator": "In", "values": nodes}
    common = {
        "accessModes": [mode],
        "storageClassName": "",
    }
    volume = f"{name}-{namespace}"
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume},
        "spec": {
            **common,
            "capacity": {"storage": "10Gi"},
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": namespace, "name": name},
            "local": {"path": folder},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [of_nodes]}]}},
        },
    }
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**common, "volumeName": volume, "resources": {"requests": {"storage": "10Gi"}}},
    }


@pytest.fixture(scope="session")
def platform(nodes: Nodes, helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Trimtab on the session's nodes; tests share it, each with teams of its own."""
    with running_platform(nodes, helm, tmp_path_factory.mktemp("platform")) as found:
        yield found


@contextmanager
def running_platform(nodes: Nodes, helm: Helm, folder: Path) -> Iterator[Platform]:
    """Trimtab installed by its chart on started nodes; meanwhile the AWS_* variables are its store's."""
    nodes.load(build_image(images_folder(), ROOT, "operator", OPERATOR, {}))
    nodes.load(build_image(images_folder(), ROOT, "worker", WORKER, {} if IS_FULL else RAY_ALONE))
    s3 = S3Server.at(folder / "s3", nodes.address)
    s3.has_users = True
    s3.start()
    s3.make_bucket(BUCKET)
    server = ApiServer(nodes.plane)
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME, "labels": RESTRICTED}})
    server.create(profile(s3.endpoint))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3.environment().items():
            patch.setenv(name, value)
        found = Platform(nodes, s3, helm.release(server, "trimtab"), folder)
        found.install()
        yield found
    s3.stop()


@contextmanager
def own_platform(folder: Path, *names: str) -> Iterator[Platform]:
    """Trimtab on nodes of one's own, for a program that is no test; they end with it."""
    nodes = pooled_nodes(folder / "nodes", names, policies=True)
    nodes.start()
    try:
        divide(nodes)
        with running_platform(nodes, Helm(find_program("helm"), folder / "helm"), folder) as found:
            yield found
    finally:
        nodes.stop()
