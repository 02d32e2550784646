"""Trials a minute, and apply to finished: one job of ours, beside one Kubernetes Job for each trial.

The same trial, which imports torch and trains for less than a second, in the same image, environment and
resources, on the same node. A trial's pod is made as soon as another one has ended; as many run at a time as
the node gets most out of. Rates are from the first trial's start to the last one's end.
"""

import json
import random
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.platform import Team, own_platform

Document = dict[str, Any]
GOAL = 10
TRIALS = 200
WORKERS = 2
PODS = 10
AT_A_TIME = (2, 4)
"""How many pods of trials run at a time; the better rate counts."""
CODE = Path(__file__).parent / "user_code"
PATIENCE_SECONDS = 300
PARAMETERS = [
    {"name": "lr", "float": {"low": 0.001, "high": 0.03, "log": True}},
    {"name": "width", "int": {"low": 64, "high": 128, "step": 8}},
]


@dataclass(frozen=True)
class Course:
    """What many trials took, in seconds."""

    trials: int
    trial: float
    """The longest one."""
    before: float
    """From apply to the first one's start."""
    running: float
    """From the first one's start to the last one's end."""
    whole: float
    """From apply until all is over."""

    @property
    def a_minute(self) -> float:
        return self.trials / self.running * 60

    @property
    def each(self) -> float:
        """Seconds that one more trial takes."""
        return self.running / self.trials

    @property
    def once(self) -> float:
        """Seconds that it takes whatever the number of trials."""
        return self.whole - self.running


def course(team: Team, name: str, began: float, ended: float) -> Course:
    lines = [json.loads(line) for line in (team.notes / name).read_text().splitlines()]
    first, last = min(line[0] for line in lines), max(line[1] for line in lines)
    longest = max(line[1] - line[0] for line in lines)
    return Course(len(lines), longest, first - began, last - first, ended - began)


def ours(team: Team) -> tuple[Course, Document]:
    """One job with all the trials, and the pod of its workers."""
    spec = {
        "task": {"entrypoint": "short:objective", "code": {"configMap": "code"}, "args": {"name": "ours"}},
        "objectives": [{"metric": "accuracy", "direction": "maximize"}],
        "search": {
            "trials": TRIALS,
            "parallelism": WORKERS,
            "parameters": PARAMETERS,
            "sampler": {"random": {}},
            "pruner": {"none": {}},
        },
        "resources": {"search": {"workers": WORKERS}, "compress": {"workers": WORKERS}},  # of one shape
    }
    document = {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {"name": "ours"},
        "spec": spec,
    }
    began = time.time()
    job = team.apply(yaml.safe_dump(document))
    team.wait_until("the first trial runs", (team.notes / "ours").exists)
    (worker, *_) = team.pods(**{"ray.io/node-type": "worker"})
    job.until("done", lambda found: found["status"]["phase"] == "Succeeded")
    found = course(team, "ours", began, time.time())
    job.delete()
    team.wait_until("its pods are gone", lambda: not team.server.items("v1", "Pod", team.namespace))
    return found, worker


def pod_per_trial(team: Team, worker: Document, at_a_time: int) -> Course:
    """One Job for each trial, in a pod as a worker's is."""
    name = f"pods-{at_a_time}"
    draw = random.Random(0)
    trials = [{"lr": draw.uniform(0.001, 0.03), "width": draw.randrange(64, 129, 8)} for _ in range(PODS)]
    documents = [
        trial_job(worker, f"{name}-{number}", ["/trimtab/code/short.py", json.dumps(trial), name])
        for number, trial in enumerate(trials)
    ]
    began = time.time()
    with Ends(team) as ends, ThreadPoolExecutor(at_a_time) as running:
        list(running.map(ends.run, documents))
    found = course(team, name, began, time.time())
    team.kubectl("delete", "jobs", "--all", "--wait=false")
    team.wait_until("its pods are gone", lambda: not team.server.items("v1", "Pod", team.namespace))
    return found


class Ends:
    """The Jobs of a namespace, told when each has ended; it watches until closed."""

    def __init__(self, team: Team) -> None:
        self._team = team
        self._changed = threading.Condition()
        self._ended: set[str] = set()

    def __enter__(self) -> "Ends":
        server = self._team.server
        self._watch = server.watch(server.collection("batch/v1", "Job", self._team.namespace))
        threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()

    def run(self, document: Document) -> None:
        """Return once a Job that is made here has succeeded."""
        self._team.server.create(document)
        name = document["metadata"]["name"]
        with self._changed:
            if not self._changed.wait_for(lambda: name in self._ended, PATIENCE_SECONDS):
                raise SystemExit(f"Job {name}: not ended after {PATIENCE_SECONDS} s")

    def _follow(self) -> None:
        for _, seen in self._watch:
            if seen.get("status", {}).get("succeeded"):
                with self._changed:
                    self._ended.add(seen["metadata"]["name"])
                    self._changed.notify_all()


def trial_job(worker: Document, name: str, arguments: Sequence[str]) -> Document:
    """A Job whose pod is a worker's, but for what is Ray's own."""
    (container, *_) = worker["spec"]["containers"]
    kept = {key: container[key] for key in ("image", "imagePullPolicy", "resources", "securityContext")}
    own_volumes = {"shared-mem", "log-volume"}
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": worker["spec"].get("nodeSelector", {}),
        "securityContext": worker["spec"]["securityContext"],
        "containers": [
            {
                **kept,
                "name": "trial",
                "command": ["python", *arguments],
                "env": [
                    each for each in container["env"] if not each["name"].startswith(("RAY_", "KUBERAY"))
                ],
                "envFrom": container.get("envFrom", []),
                "volumeMounts": [
                    each for each in container["volumeMounts"] if each["name"] not in own_volumes
                ],
            }
        ],
        "volumes": [each for each in worker["spec"]["volumes"] if each["name"] not in own_volumes],
    }
    metadata = {"name": name, "namespace": worker["metadata"]["namespace"]}
    template = {"backoffLimit": 0, "template": {"spec": spec}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template}


def ahead_from(one: Course, other: Course) -> int | None:
    """The number of trials from which one is done before the other, both as straight lines; None: never."""
    if one.each >= other.each:
        return None
    return max(1, -int(-(one.once - other.once) // (other.each - one.each)))


def told(name: str, found: Course) -> str:
    return (
        f"{name:<28} {found.a_minute:6.1f} trials a minute   apply to finished {found.whole:5.1f} s "
        f"for {found.trials}   to the first one {found.before:4.1f} s   longest trial {found.trial:.2f} s"
    )


def main() -> None:
    print(__doc__)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        own_platform(Path(folder), "cpu-1") as platform,
    ):
        team = platform.team("bench")
        code = {path.name: path.read_text() for path in CODE.glob("*.py")}
        team.server.create(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "code", "namespace": team.namespace},
                "data": code,
            }
        )
        mine, worker = ours(team)
        print(told(f"ours, {WORKERS} workers", mine), flush=True)
        peers = {}
        for at_a_time in AT_A_TIME:
            peers[at_a_time] = pod_per_trial(team, worker, at_a_time)
            print(told(f"a Job per trial, {at_a_time} at a time", peers[at_a_time]), flush=True)
    print()
    print(json.dumps(verdict(mine, max(peers.values(), key=lambda each: each.a_minute))))


def figures(found: Course) -> dict[str, Any]:
    return {
        "trials_a_minute": round(found.a_minute, 1),
        "apply_to_first_seconds": round(found.before, 1),
        "apply_to_finished_seconds": round(found.whole, 1),
        "trials": found.trials,
        "longest_trial_seconds": round(found.trial, 2),
    }


def verdict(mine: Course, peer: Course) -> dict[str, Any]:
    ratio = round(mine.a_minute / peer.a_minute, 1)
    return {
        "claim": "trials a minute of trials under a second that import torch, on one real node",
        "ours": figures(mine),
        "peers": {"one Kubernetes Job per trial": figures(peer)},
        "limits": {},
        "ahead_from_trials": ahead_from(mine, peer),
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio >= GOAL and mine.trial <= 1,
    }


if __name__ == "__main__":
    main()
