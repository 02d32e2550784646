"""Jobs that a real operator carries out on a control plane: what a user, KubeRay's cluster and a driver do.

site = Site(server, rays, "vision", folder)      # a namespace that an operator serves
job = site.apply("digits", readyPolicy="Accepted")
job.submit()                                     # once its Ray cluster runs and its driver is started
with job.driver() as driver:
    driver.searching(3)
    job.stands("Searching")
    driver.succeed()
job.end("SUCCEEDED")
job.stands("Completed")
"""

import copy
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.cluster import ApiServer
from tests.support.driver_stand_in import DriverStandIn
from tests.support.nodes import Node
from tests.support.rays import JobStatus, Rays, SubmittedJob

Document = dict[str, Any]
Test = Callable[[Document], bool]
LIMIT_SECONDS = 90
KINDS = {
    "RayJob": "ray.io/v1",
    "Pod": "v1",
    "ConfigMap": "v1",
    "ServiceAccount": "v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}
"""The kinds of a job's children, and of its pods."""
KUBERAYS = {"RayCluster": "ray.io/v1", "Job": "batch/v1", "Service": "v1"}
"""What KubeRay makes for a RayJob beside pods."""
GPU = "example.com/gpu"
POOLS: Document = {
    "pools": [
        {"name": "cpu", "resources": {"cpu": "1", "memory": "2Gi"}},
        {
            "name": "gpu",
            "resources": {"cpu": "2", "memory": "4Gi", "gpu": 1},
            "gpuResource": GPU,
            "hourlyPrice": 3.0,
        },
    ],
    "store": {"uri": "s3://models"},
}
SPEC: Document = {
    "task": {"entrypoint": "digits:Digits"},
    "objectives": [{"metric": "accuracy", "direction": "maximize"}],
    "search": {"trials": 40, "parameters": [{"name": "lr", "float": {"low": 0.001, "high": 0.1}}]},
    "compress": {"quantize": ["int8"]},
    "guardrail": [{"metric": "accuracy", "maxDrop": 0.02}],
}
TWO_SEGMENTS: Document = {
    "resources": {"search": {"pool": "gpu", "perTrial": {"gpu": 1}}, "compress": {"pool": "cpu"}},
}
"""A spec whose search needs GPUs and whose compression does not."""
names = (f"job-{number}" for number in itertools.count(1))


def profile(name: str, **spec: Any) -> Document:
    """A profile that allows everything, with these fields."""
    kind = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationProfile"}
    return {**kind, "metadata": {"name": name}, "spec": copy.deepcopy(POOLS) | spec}


def give_gpus(node: Node) -> None:
    """Have a node offer the GPUs of the profile's pool: a further one would need submitters of its own."""
    capacity = node.capacity | {GPU: "16"}
    found = node.server.items("v1", "Node", fieldSelector=f"metadata.name={node.name}")[0]
    node.server.patch_status(found, {"capacity": capacity, "allocatable": capacity})


@dataclass
class Site:
    """A namespace with jobs, and a profile of the same name for them."""

    server: ApiServer
    rays: Rays
    namespace: str
    folder: Path
    jobs: list["Job"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.profile = profile(self.namespace)
        self.server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        self.server.apply(self.profile)

    def job(self, name: str | None = None, **spec: Any) -> "Job":
        """A job that is not applied yet, with other fields of spec where these have them (None: without)."""
        given = {"profile": self.namespace, **SPEC, **spec}
        document = {
            "apiVersion": "trimtab.io/v1alpha1",
            "kind": "OptimizationJob",
            "metadata": {"name": name or next(names), "namespace": self.namespace},
            "spec": copy.deepcopy({key: value for key, value in given.items() if value is not None}),
        }
        self.jobs.append(Job(self, document))
        return self.jobs[-1]

    def apply(self, name: str | None = None, **spec: Any) -> "Job":
        """The same, applied."""
        job = self.job(name, **spec)
        job.document = self.server.create(job.document)
        return job

    def clear(self) -> None:
        """Delete every job, and return once nothing of them is left."""
        for job in self.jobs:
            found = self.server.find(job.document)
            if found and job.document["metadata"].get("uid") in (None, uid_of(found)):
                self.server.delete(found)
        for job in self.jobs:
            job.wait_until_nothing_is_left()
        self.jobs.clear()
        is_there = self.server.find(self.profile)
        (self.server.update if is_there else self.server.create)(self.profile)  # whatever a test made of it


@dataclass
class Job:
    """One job, from outside."""

    site: Site
    document: Document
    """As it was applied."""
    patience_seconds: int = LIMIT_SECONDS
    """How long each step is waited for."""

    @property
    def server(self) -> ApiServer:
        return self.site.server

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    def now(self) -> Document:
        """The job as it is."""
        return self.server.get(self.document)

    @property
    def status(self) -> Document:
        found: Document = self.now()["status"]
        return found

    def until(self, what: str, is_so: Test, document: Document | None = None) -> Document:
        """The job, or another object, once this holds of it; the world is asked once and then watched."""
        document = document or self.document
        found = self.server.get(document)
        if is_so(found):
            return found
        metadata = found["metadata"]
        path = self.server.collection(document["apiVersion"], document["kind"], metadata.get("namespace"))
        selected = {
            "fieldSelector": f"metadata.name={metadata['name']}",
            "resourceVersion": metadata["resourceVersion"],
            "timeoutSeconds": str(self.patience_seconds),
        }
        watch = self.server.watch(path, **selected)
        try:
            for kind, found in watch:
                if kind == "DELETED":
                    break
                if is_so(found):
                    return found
        finally:
            watch.close()
        raise AssertionError(f"{self.name}: not {what}: {json.dumps(found.get('status'), indent=1)}")

    def stands(self, reason: str) -> Document:
        """The job once its standing has this reason, for the generation that it has now."""
        return self.until(f"{reason}", lambda found: is_seen(found) and reason_of(found) == reason)

    def runs(self, attempt: int, segment: str | None = None) -> Document:
        """Its RayJob, once that of this attempt, and of this segment, has been made and is told."""

        def is_so(found: Document) -> bool:
            run = (found["status"].get("runs") or [{}])[-1]
            return run.get("attempt") == attempt and segment in (None, run["segment"])

        return self.ray_job(self.until(f"in attempt {attempt}", is_so)["status"]["runs"][-1]["name"])

    def ray_job(self, name: str | None = None) -> Document:
        """The RayJob that runs."""
        name = name or str(
            self.until("running", lambda found: "rayJob" in found["status"])["status"]["rayJob"]
        )
        metadata = {"name": name, "namespace": self.site.namespace}
        return self.server.get({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata})

    def submit(self) -> SubmittedJob:
        """The entrypoint of the RayJob that runs, once KubeRay has submitted and the operator heard of it."""
        submitted = self.site.rays.wait_for(
            self.site.namespace, self.ray_job()["metadata"]["name"], LIMIT_SECONDS
        )
        self.until("ready", lambda found: condition_of(found, "ClusterReady")["reason"] == "Ready")
        return submitted

    def driver(self) -> DriverStandIn:
        """The driver of the RayJob that runs, with the token of its account."""
        account = f"{self.name}-driver"
        token_file = self.site.folder / f"{self.site.namespace}-{account}"
        token_file.write_text(self.server.token_of(self.site.namespace, account))
        plane = self.server.plane
        return DriverStandIn.of(self.ray_job(), plane.url, token_file, plane.certificate)

    def end(self, status: JobStatus, message: str = "") -> None:
        """Have the entrypoint of the RayJob that runs end."""
        self.submit().end(status, message)

    def succeed(self, reason: str = "Completed") -> Document:
        """The job once it has succeeded: the whole life of a job of one segment."""
        submitted = self.submit()
        with self.driver() as driver:
            driver.succeed(reason)
        submitted.end("SUCCEEDED")
        return self.stands(reason)

    def fail(self, kind: str, message: str = "no candidate holds the guardrail") -> Document:
        """The job once it has failed by the word of its driver."""
        submitted = self.submit()
        with self.driver() as driver:
            driver.fail(kind, message)
        submitted.end("SUCCEEDED")
        return self.stands(kind)

    def edit(self, **spec: Any) -> Document:
        """The job after an edit of its spec; None removes a field."""
        return self.server.patch(self.document, {"spec": spec})

    def delete(self) -> None:
        self.server.delete(self.document)

    def child(self, kind: str, name: str) -> Document:
        """A reference to a child by what follows the job's name, such as plan."""
        metadata = {"name": f"{self.name}-{name}", "namespace": self.site.namespace}
        return {"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata}

    def uid_of(self, kind: str, name: str) -> str:
        """The uid of a child; empty when there is none."""
        found = self.server.find(self.child(kind, name))
        return uid_of(found) if found else ""

    def children(self, kind: str) -> list[Document]:
        """Everything of a kind that is labelled as this job's."""
        label = f"trimtab.io/job={self.name}"
        return self.server.items(KINDS[kind], kind, self.site.namespace, labelSelector=label)

    def left(self) -> dict[str, list[str]]:
        """The names of all that is there of it, by kind, with what KubeRay has made for it."""
        found = {kind: names_of(self.children(kind)) for kind in KINDS}
        stem = f"{self.name}-s"  # of RayJobs, with which KubeRay's names begin
        for kind, version in KUBERAYS.items():
            every = names_of(self.server.items(version, kind, self.site.namespace))
            found[kind] = [name for name in every if name.startswith(stem)]
        return {kind: each for kind, each in found.items() if each}

    def wait_until_nothing_is_left(self) -> None:
        """Return once nothing of it is there any more, KubeRay's objects and pods included."""
        self.wait(f"nothing is left of {self.name}", lambda: not self.left())

    def wait(self, what: str, is_so: Callable[[], bool]) -> None:
        """Return once this holds, asked again and again."""
        self.server.plane.processes.wait_until(what, is_so, LIMIT_SECONDS)

    def rewind(self, hours: float, field_name: str = "startTime") -> None:
        """Have its last run begin, or end, earlier by so many hours than its ledger says."""
        self.until("in its ledger", lambda found: field_name in found["status"]["runs"][-1])
        runs = self.status["runs"]
        moved = datetime.fromisoformat(runs[-1][field_name]) - timedelta(hours=hours)
        runs[-1][field_name] = moved.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.server.patch_status(self.document, {"runs": runs})


def condition_of(document: Document, kind: str) -> Mapping[str, Any]:
    """A condition of an object; one that says nothing when it has none."""
    conditions = document["status"].get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {"status": "", "reason": ""})


def reason_of(document: Document) -> str:
    """The reason of a job's standing."""
    return str(condition_of(document, "Succeeded")["reason"])


def is_seen(document: Document) -> bool:
    """Whether the status is about the spec as it is."""
    return bool(document["status"]["observedGeneration"] == document["metadata"]["generation"])


def names_of(documents: Iterable[Document]) -> list[str]:
    return sorted(each["metadata"]["name"] for each in documents)


def uid_of(document: Document) -> str:
    return str(document["metadata"]["uid"])
