"""How soon the first trial of a job runs, from `kubectl apply`, beside a bare RayJob.

Ours: an OptimizationJob, until the first line of its first trial, whose module imports torch. Bare: the
RayJob that ours makes, with the same image, environment, resources, mode and node, but with KubeRay's own
probes and an entrypoint that starts one actor, which imports torch and runs its first line. Both find an
empty node that has the images, and a disk whose cache is warm; they take turns, and medians count.
"""

import copy
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.support.platform import Platform, Team, own_platform
from tests.support.watch import Watch

Document = dict[str, Any]
ROUNDS = 2
GOAL = round(1 / 1.2, 2)
CODE = Path(__file__).parent / "user_code"
OURS, BARE = "ours", "bare RayJob"
DRIVERS = {OURS: ["-m", "trimtab_jobs"], BARE: ["/trimtab/code/bare.py"]}
"""By which arguments of Python the driver's process is known."""
PARTS = (
    "RayJob made",
    "pods placed",
    "head ready",
    "cluster ready",
    "submitter runs",
    "driver runs",
    "worker loads code",
    "first line",
)
KINDS = {"RayJob": "ray.io/v1", "RayCluster": "ray.io/v1", "Pod": "v1"}


@dataclass
class Sightings:
    """When each step of one job was first seen, in seconds of the clock of this machine, its pods' too."""

    team: Team
    times: dict[str, float] = field(default_factory=dict)
    pods: dict[str, Document] = field(default_factory=dict)
    ray_job: Document = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        server = self.team.server
        paths = {kind: server.collection(KINDS[kind], kind, self.team.namespace) for kind in KINDS}
        watches = {kind: server.watch(path) for kind, path in paths.items()}
        for kind, watch in watches.items():
            threading.Thread(target=self._follow, args=(kind, watch), daemon=True).start()
        try:
            yield
        finally:
            for watch in watches.values():
                watch.close()

    def see(self, part: str) -> None:
        self.times.setdefault(part, time.time())

    def _follow(self, kind: str, watch: Watch) -> None:
        saw: Mapping[str, Callable[[Document], None]] = {
            "RayJob": self._saw_ray_job,
            "RayCluster": self._saw_cluster,
            "Pod": self._saw_pod,
        }
        for _, seen in watch:
            saw[kind](seen)

    def _saw_ray_job(self, seen: Document) -> None:
        self.ray_job = seen
        self.see("RayJob made")

    def _saw_cluster(self, seen: Document) -> None:
        if seen.get("status", {}).get("state") == "ready":
            self.see("cluster ready")

    def _saw_pod(self, seen: Document) -> None:
        node_type = seen["metadata"]["labels"].get("ray.io/node-type", "submitter")
        self.pods[node_type] = seen
        if node_type == "submitter" and seen["status"].get("phase") == "Running":
            self.see("submitter runs")
        if all("nodeName" in self.pods.get(each, {}).get("spec", {}) for each in ("head", "worker")):
            self.see("pods placed")
        ready = {each["type"]: each["status"] for each in seen["status"].get("conditions", [])}
        if node_type == "head" and ready.get("Ready") == "True":
            self.see("head ready")


def measured(
    team: Team, contender: str, name: str, apply: Callable[[], Document]
) -> tuple[dict[str, float], Document]:
    """Seconds from apply until each part was over, and the RayJob."""
    sightings = Sightings(team)
    noted = team.notes / name
    with sightings.watching():
        began = time.time()
        document = apply()
        team.wait_until("the first line has run", lambda: noted.exists() and noted.read_text() != "")
        sightings.times["driver runs"] = started(DRIVERS[contender], name)
    loaded, first = map(float, noted.read_text().split())
    sightings.times |= {"worker loads code": loaded, "first line": first}
    team.server.delete(document)
    team.wait_until("its pods are gone", lambda: nothing_is_left(team))
    return {part: sightings.times[part] - began for part in PARTS}, sightings.ray_job


def started(arguments: Sequence[str], name: str) -> float:
    """When the process of Python with these arguments began that is the driver of this name."""
    for process in psutil.process_iter(["cmdline", "environ", "create_time"]):
        command, environment = process.info["cmdline"] or [], process.info["environ"] or {}
        is_driver = command[1 : len(arguments) + 1] == list(arguments)
        if is_driver and name in (command[-1], environment.get("TRIMTAB_JOB")):
            return float(process.info["create_time"])
    raise SystemExit(f"no driver {' '.join(arguments)} of {name} runs")


def nothing_is_left(team: Team) -> bool:
    return not team.server.items("v1", "Pod", team.namespace)


def code() -> Document:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "code"},
        "data": {path.name: path.read_text() for path in CODE.glob("*.py")},
    }


def job(name: str) -> Document:
    return {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {"name": name},
        "spec": {
            "task": {
                "entrypoint": "first:objective",
                "code": {"configMap": "code"},
                "args": {"name": name},
            },
            "objectives": [{"metric": "accuracy", "direction": "maximize"}],
            "search": {"trials": 1, "parameters": [{"name": "x", "int": {"low": 1, "high": 2}}]},
        },
    }


def bare(ours: Document, name: str) -> Document:
    """The RayJob of ours as a stranger's, whose entrypoint is bare.py."""
    spec = copy.deepcopy(ours["spec"])
    spec["entrypoint"] = f"python /trimtab/code/bare.py {name}"
    cluster = spec["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for template in (spec["submitterPodTemplate"], *(group["template"] for group in groups)):
        template["metadata"] = {}
        for container in template["spec"]["containers"]:
            container.pop("livenessProbe", None)
            container.pop("readinessProbe", None)
    cluster["headGroupSpec"]["template"]["spec"]["serviceAccountName"] = "default"
    for field_of_kuberay in ("jobId", "rayClusterName"):
        spec.pop(field_of_kuberay, None)
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": name}, "spec": spec}


def rounds_of(platform: Platform) -> dict[str, list[dict[str, float]]]:
    """Of each contender the rounds' parts."""
    team = platform.team("bench")
    team.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(code()))

    def applied(document: Document) -> Document:
        team.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(document))
        return document | {"metadata": document["metadata"] | {"namespace": team.namespace}}

    parts, ray_job = measured(team, OURS, "warm", lambda: applied(job("warm")))
    print(f"warming up   {parts['first line']:5.1f} s", flush=True)
    found: dict[str, list[dict[str, float]]] = {BARE: [], OURS: []}
    for number in range(ROUNDS):
        documents = {BARE: bare(ray_job, f"bare-{number}"), OURS: job(f"ours-{number}")}
        for contender, document in documents.items():
            name = document["metadata"]["name"]
            parts, _ = measured(team, contender, name, lambda document=document: applied(document))
            found[contender].append(told(contender, parts))
    return found


def told(contender: str, parts: dict[str, float]) -> dict[str, float]:
    """The same, printed: each part by the time it took since those before it were over."""
    print(f"{contender:<12} {parts['first line']:5.1f} s   {lengths_told(parts)}", flush=True)
    return parts


def lengths_told(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{part} {seconds:.1f}" for part, seconds in lengths(parts).items())


def lengths(parts: Mapping[str, float]) -> dict[str, float]:
    """How long each part took once all before it were over; one that was over earlier took nothing."""
    took, over = {}, 0.0
    for part in PARTS:
        took[part] = max(0.0, parts[part] - over)
        over = max(over, parts[part])
    return took


def main() -> None:
    print(__doc__)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        own_platform(Path(folder), "cpu-1") as platform,
    ):
        found = rounds_of(platform)
    medians = {
        contender: {part: statistics.median(each[part] for each in rounds) for part in PARTS}
        for contender, rounds in found.items()
    }
    print("\nMedians, in seconds since apply and since the part before:\n")
    for part in PARTS:
        figures = (f"{medians[each][part]:6.1f} {lengths(medians[each])[part]:+6.1f}" for each in medians)
        print(f"{part:<18} {'   '.join(figures)}")
    print(f"{'':<18} {'   '.join(f'{each:<13}' for each in medians)}\n")
    print(json.dumps(verdict(medians)))


def verdict(medians: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    ratio = round(medians[BARE]["first line"] / medians[OURS]["first line"], 2)
    seconds = {each: {part: round(at, 1) for part, at in parts.items()} for each, parts in medians.items()}
    return {
        "claim": "seconds from apply to the first line of the first trial, torch imported, on a real node",
        "ours": seconds[OURS],
        "peers": {BARE: seconds[BARE]},
        "limits": {},
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio >= GOAL,
    }


if __name__ == "__main__":
    main()
