"""How fast jobs become Ray jobs, and what the operator takes, beside KubeRay's own operator in Go.

1,000 OptimizationJobs are created at once on a real API server, with no node and no other controller, and
every job's creation is timed until its RayJob is there. KubeRay turns 1,000 RayJobs, the very ones that we
make, into RayClusters on an API server of its own; neither operator runs while the other one is measured.
Then 10,000 jobs at rest.
"""

import json
import re
import ssl
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.cluster.control_plane import API_SERVER, ControlPlane
from tests.cluster.definitions import install, kuberay_definitions, trimtab_definitions
from tests.support.cluster import ApiServer, RefusedError
from tests.support.operator_process import OPERATOR, OperatorProcess

JOBS = 1_000
IDLE = 10_000
CLIENTS = 4
REST_SECONDS = 60
"""How long the operator is left alone to see what it takes at rest: the time itself is what is measured."""
PATIENCE_SECONDS = 900
MOST_WRITES = 12
MOST_BYTES = 300 * 10**6
KUBERAY = "kuberay-operator"
NAMESPACE = "bench"
DEFAULTS = {"DISCOVERY_SECONDS": "10"}
"""Of what tests set otherwise."""
RECONCILED = "trimtab_reconcile_duration_seconds_count"
QUIET_SECONDS = 5
KUBERAY_SETTINGS = ("-reconcile-concurrency=4", "-qps=100", "-burst=200")
"""KubeRay's defaults, but for the concurrency, which is 1."""
WRITES = {"POST": "create", "PUT": "replace", "PATCH": "patch", "APPLY": "apply", "DELETE": "delete"}
"""The API server's words for the requests that change something, and ours."""
SPEC: dict[str, Any] = {
    "profile": "bench",
    "task": {"entrypoint": "digits:Digits", "code": {"configMap": "digits-code"}},
    "objectives": [{"metric": "accuracy", "direction": "maximize"}],
    "search": {
        "trials": 40,
        "parallelism": 4,
        "parameters": [{"name": "lr", "float": {"low": 0.0001, "high": 0.1, "log": True}}],
    },
    "compress": {"quantize": ["fp16", "int8"]},
    "guardrail": [{"metric": "accuracy", "maxDrop": 0.02}],
    "resources": {"search": {"pool": "cpu", "workers": 4, "perTrial": {"cpu": 1, "memory": "2Gi"}}},
}
PROFILE: dict[str, Any] = {
    "apiVersion": "trimtab.io/v1alpha1",
    "kind": "OptimizationProfile",
    "metadata": {"name": "bench"},
    "spec": {
        "images": {"worker": "registry.example/trimtab@sha256:" + "0" * 64},
        "pools": [{"name": "cpu", "resources": {"cpu": "4", "memory": "16Gi"}, "hourlyPrice": 0.2}],
        "store": {"uri": "s3://models"},
    },
}
"""A job and a profile of an ordinary kind: search and compression, on one pool."""


@dataclass
class Arrivals:
    """When each object of a collection was first seen, by its name; it watches until closed."""

    server: ApiServer
    path: str
    times: dict[str, float] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> "Arrivals":
        self._watch = self.server.watch(self.path)
        threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()

    def _follow(self) -> None:
        for kind, seen in self._watch:
            if kind == "ADDED":
                name = seen["metadata"]["labels"].get("trimtab.io/job") or seen["metadata"]["name"]
                self.times.setdefault(name, time.perf_counter())
                self.objects.setdefault(name, seen)

    def wait_for(self, number: int) -> None:
        began = time.perf_counter()
        while len(self.times) < number:
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise SystemExit(f"{self.path}: {len(self.times)} of {number} after {PATIENCE_SECONDS} s")
            time.sleep(0.2)


@dataclass(frozen=True)
class Pace:
    """How long each of many objects took, and what the operator's process used meanwhile."""

    latencies: Sequence[float]
    cpu_seconds: float
    peak_bytes: int
    writes: Mapping[str, int]

    def at(self, percent: int) -> float:
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def create_all(server: ApiServer, documents: Sequence[dict[str, Any]]) -> dict[str, float]:
    """When each document's creation was acknowledged, by name."""
    first = documents[0]
    path = server.collection(first["apiVersion"], first["kind"], NAMESPACE)
    with httpx.Client(
        base_url=server.url,
        headers={"Authorization": f"Bearer {server.plane.token}"},
        verify=ssl.create_default_context(cafile=server.plane.certificate),
        trust_env=False,
        timeout=60,
    ) as client:

        def create(document: dict[str, Any]) -> tuple[str, float]:
            client.post(path, json=document).raise_for_status()
            return document["metadata"]["name"], time.perf_counter()

        with ThreadPoolExecutor(CLIENTS) as clients:
            return dict(clients.map(create, documents))


def job(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {"name": f"job-{number:05d}", "namespace": NAMESPACE},
        "spec": SPEC | changes,
    }


def ours(server: ApiServer, operator: "Operator") -> tuple[Pace, list[dict[str, Any]]]:
    """Our pace, and the RayJobs that were made."""
    before = writes(server)
    with Arrivals(server, server.collection("ray.io/v1", "RayJob")) as arrivals:
        created = create_all(server, [job(number) for number in range(JOBS)])
        arrivals.wait_for(JOBS)
        operator.settle()
    after = writes(server)
    after.subtract(before)
    after.subtract({"create optimizationjobs": JOBS})
    latencies = [max(0.0, arrivals.times[name] - moment) for name, moment in created.items()]
    made = {kind: count for kind, count in sorted(after.items()) if count}
    pace = Pace(latencies, operator.cpu_seconds, operator.peak_bytes, made)
    return pace, list(arrivals.objects.values())


def kuberay(folder: Path, ray_jobs: Sequence[dict[str, Any]]) -> Pace:
    """KubeRay's pace for the same RayJobs."""
    documents = [
        {
            "apiVersion": "ray.io/v1",
            "kind": "RayJob",
            "metadata": {"name": each["metadata"]["name"], "namespace": NAMESPACE},
            "spec": each["spec"],
        }
        for each in ray_jobs
    ]
    with plane(folder, (*API_SERVER, KUBERAY), KUBERAY_SETTINGS) as server:
        server.create(namespace())
        server.wait_until("RayClusters are served", lambda: is_watchable(server, "RayCluster"))
        process = psutil.Process(server.plane.processes.children[KUBERAY].pid)
        before = cpu_seconds(process)
        with Arrivals(server, server.collection("ray.io/v1", "RayCluster")) as arrivals:
            created = create_all(server, documents)
            arrivals.wait_for(JOBS)
        used = cpu_seconds(process) - before
        owners = {
            each["metadata"]["ownerReferences"][0]["name"]: name for name, each in arrivals.objects.items()
        }
        latencies = [max(0.0, arrivals.times[owners[name]] - moment) for name, moment in created.items()]
        return Pace(latencies, used, process.memory_info().rss, {})


class Operator(OperatorProcess):
    """Our operator as a process of its own, with the documented permissions and the default settings."""

    def start(self) -> None:
        self.began = time.perf_counter()
        super().start()
        self.process = psutil.Process(self.processes.children[OPERATOR].pid)

    @property
    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process)

    @property
    def peak_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.findall(r"VmHWM:\s*(\d+)", status)[0])

    def wait_for(self, name: str, least: float) -> float:
        """When a metric was first seen at `least` or more, in seconds since the process was started."""
        self.processes.wait_until(
            f"{name} is {least}", lambda: self.metric(name) >= least, PATIENCE_SECONDS, every_seconds=0.2
        )
        return time.perf_counter() - self.began

    def settle(self) -> None:
        """Return once all has been written: jobs whose pods do not come are looked at again and again."""
        written: Counter[str] | None = None
        while (now := writes(self.server)) != written:
            written = now
            time.sleep(QUIET_SECONDS)


def idle(server: ApiServer, operator: Operator) -> dict[str, float]:
    """What 10,000 jobs at rest take, and how soon after its start the operator has begun to look at jobs."""
    create_all(server, [job(number, suspend=True) for number in range(JOBS, IDLE)])
    operator.settle()
    operator.stop()
    operator.start()
    first = operator.wait_for(RECONCILED, 1)
    everything = operator.wait_for(RECONCILED, IDLE)
    operator.settle()
    before = operator.cpu_seconds
    time.sleep(REST_SECONDS)
    return {
        "first_reconcile_seconds": round(first, 1),
        "all_reconciled_seconds": round(everything, 1),
        "cpu_percent_at_rest": round((operator.cpu_seconds - before) / REST_SECONDS * 100, 2),
        "resident_mb": round(operator.process.memory_info().rss / 1e6),
    }


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def writes(server: ApiServer) -> Counter[str]:
    """How many writes the API server has answered, by what they did to which kind; Leases do not count."""
    headers = {"Authorization": f"Bearer {server.plane.token}"}
    trust = ssl.create_default_context(cafile=server.plane.certificate)
    text = httpx.get(f"{server.url}/metrics", headers=headers, verify=trust, trust_env=False, timeout=60).text
    found: Counter[str] = Counter()
    for labels, value in re.findall(r"^apiserver_request_total\{(.*)\} (\S+)$", text, re.MULTILINE):
        label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        is_lease = label["resource"] == "leases"
        if label["verb"] in WRITES and label["code"].startswith("2") and not is_lease:
            kind = "/".join(filter(None, (label["resource"], label["subresource"])))
            found[f"{WRITES[label['verb']]} {kind}"] += int(float(value))
    return found


@contextmanager
def plane(folder: Path, servers: Sequence[str], kuberay_flags: Sequence[str] = ()) -> Iterator[ApiServer]:
    started = ControlPlane(folder, servers, flags={KUBERAY: kuberay_flags})
    started.start()
    try:
        yield ApiServer(started)
    finally:
        started.stop()


def is_watchable(server: ApiServer, kind: str) -> bool:
    """Whether a new definition has reached the part of the server that answers watches."""
    try:
        server.watch(server.collection("ray.io/v1", kind)).close()
    except RefusedError:
        return False
    return True


def namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def told(name: str, pace: Pace) -> str:
    figures = f"p50 {pace.at(50):6.1f} s   p99 {pace.at(99):6.1f} s   last {max(pace.latencies):6.1f} s"
    return (
        f"{name:<9} {figures}   processor {pace.cpu_seconds:5.1f} s   memory {pace.peak_bytes / 1e6:4.0f} MB"
    )


def main() -> None:
    print(__doc__)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with plane(folder / "ours", API_SERVER) as server:
            install(server.plane, [*trimtab_definitions().values(), *kuberay_definitions()])
            server.create(namespace())
            server.create(PROFILE)
            server.wait_until("RayJobs are served", lambda: is_watchable(server, "RayJob"))
            with Operator(server, folder / "operator", settings=DEFAULTS) as operator:
                operator.wait_until_leading()
                pace, ray_jobs = ours(server, operator)
                print(told("ours", pace), flush=True)
                rest = idle(server, operator)
        print(f"at rest   {json.dumps(rest)}", flush=True)
        peer = kuberay(folder / "kuberay", ray_jobs)
        print(told("KubeRay", peer), flush=True)
    print(f"KubeRay's settings: {' '.join(KUBERAY_SETTINGS)}\n")
    print(json.dumps(verdict(pace, peer, rest)))


def verdict(pace: Pace, peer: Pace, rest: Mapping[str, float]) -> dict[str, Any]:
    a_job = sum(pace.writes.values()) / JOBS
    ratio = round(peer.at(99) / pace.at(99), 2)
    return {
        "claim": f"{JOBS} jobs at once: p99 from job to RayJob, against KubeRay's from RayJob to RayCluster",
        "ours": {
            "p50_seconds": round(pace.at(50), 2),
            "p99_seconds": round(pace.at(99), 2),
            "writes_a_job": round(a_job, 2),
            "writes": dict(pace.writes),
            "cpu_seconds": round(pace.cpu_seconds, 1),
            "peak_mb": round(pace.peak_bytes / 1e6),
            f"{IDLE}_at_rest": rest,
        },
        "peers": {
            "KubeRay": {
                "p50_seconds": round(peer.at(50), 2),
                "p99_seconds": round(peer.at(99), 2),
                "cpu_seconds": round(peer.cpu_seconds, 1),
                "peak_mb": round(peer.peak_bytes / 1e6),
            }
        },
        "limits": {"writes_a_job": MOST_WRITES, "peak_mb": MOST_BYTES / 1e6},
        "ratio": ratio,
        "goal": 1.0,
        "met": ratio >= 1.0 and a_job <= MOST_WRITES and pace.peak_bytes <= MOST_BYTES,
    }


if __name__ == "__main__":
    main()
