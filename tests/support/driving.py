"""A driver without workers: each function that it calls is answered by a plain one, on a store in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.support.jobs import job
from tests.support.memory_store import MemoryStore
from tests.support.search import MemoryRecord
from trimtab_api.plan import resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Report
from trimtab_jobs.driver import Run, carry_out
from trimtab_jobs.pool import Done, Failure, Work
from trimtab_jobs.progress import Progress
from trimtab_jobs.search import Trial

TEST_ROWS = 540
SEARCH = {
    "seed": 7,
    "trials": 3,
    "parameters": [{"name": "width", "int": {"low": 16, "high": 64}, "default": "16"}],
    "sampler": {"random": {}},
}
MANIFEST = {
    "objectives": [{"metric": "accuracy", "direction": "maximize"}],
    "search": SEARCH,
    "compress": {"quantize": ["fp16", "int8"]},
    "guardrail": [{"metric": "accuracy", "maxDrop": 0.02}],
}
SPEED = {"baseline": 4.0, "fp32": 2.0, "fp16": 2.2, "int8": 0.5}
"""Milliseconds of each model; its megabytes are the same number."""
Answer = Callable[[Work], Any]


def trial(work: Work) -> dict[str, Any]:
    reached = 0.9 + work.payload["params"].get("width", 16) / 1000
    return {"metrics": {"accuracy": reached}, "checkpoint": work.payload["checkpoint"]}


def model(work: Work) -> dict[str, Any]:
    return {"sha256": f"digest-of-{work.id}", "bytes": 4, "opset": 21, "parity": {}, "ops": {}}


def quality(work: Work, wrong: Mapping[str, int]) -> dict[str, Any]:
    right = np.ones(TEST_ROWS)
    right[: wrong.get(work.payload["candidate"], 0)] = 0
    return {"metrics": {"accuracy": float(right.mean())}, "values": {"accuracy": right}, "n": TEST_ROWS}


def speed(work: Work) -> dict[str, Any]:
    return {
        name: {
            "sizeMB": SPEED[name],
            "latencyMs": SPEED[name],
            "latencyP95Ms": SPEED[name] * 2,
            "throughput": 1000 / SPEED[name],
            "memoryMB": 60.0,
            "rounds": [SPEED[name]] * 3,
        }
        for name in work.payload["candidates"]
    }


def answers(wrong: Mapping[str, int] | None = None) -> dict[str, Answer]:
    """By function, what a worker would say; `wrong` are the examples that each model gets wrong."""
    return {
        "trimtab_jobs.tasks.trial:describe": lambda work: {
            "kind": "module",
            "epochs": 3,
            "metrics": ["accuracy"],
            "proportions": ["accuracy"],
            "splits": {"train": 1000, "validation": 250, "test": TEST_ROWS},
            "primary": "accuracy",
        },
        "trimtab_jobs.measure.hardware:environment": lambda work: {
            "versions": {"torch": "2"},
            "cpu": "a processor",
        },
        "trimtab_jobs.tasks.trial:run_trial": trial,
        "trimtab_jobs.stages.export_onnx:export": model,
        "trimtab_jobs.stages.half:convert": model,
        "trimtab_jobs.stages.quantize_static:quantize": model,
        "trimtab_jobs.measure.quality:evaluate": lambda work: quality(work, wrong or {}),
        "trimtab_jobs.measure.efficiency:measure": speed,
        "trimtab_jobs.measure.interface:interface": lambda work: {
            "preprocessing": {},
            "inputs": [{"name": "input", "dtype": "float32", "shape": ["batch", 64]}],
            "outputs": [{"name": "output", "dtype": "float32", "shape": ["batch", 10]}],
        },
    }


@dataclass
class ScriptedPool:
    """Answers each work when polled, in the order of submission; `started` holds every work."""

    store: MemoryStore
    answers: Mapping[str, Answer]
    capacity: int = 2
    started: list[Work] = field(default_factory=list)
    _under_way: list[Work] = field(default_factory=list)

    def submit(self, work: Work) -> None:
        assert len(self._under_way) < self.capacity
        self.started.append(work)
        self._under_way.append(work)

    def poll(self, timeout_seconds: float) -> list[Done]:
        ended = [self._done(work) for work in self._under_way]
        self._under_way.clear()
        return ended

    def abandon(self) -> None:
        self._under_way.clear()

    def close(self) -> None:
        self.abandon()

    def _done(self, work: Work) -> Done:
        value = self.answers[work.function](work)
        if isinstance(value, Failure):
            return Done(work.id, seconds=1.0, worker=0, failure=value)
        if "checkpoint" in work.payload and "trial" in work.payload:
            self.store.put(work.payload["checkpoint"], b"weights")
        if "candidate" in work.payload and "sha256" in value:
            self.store.put(f"candidates/{work.id}/model.onnx", work.id.encode())
        return Done(work.id, seconds=1.0, worker=0, value=value)


@dataclass
class Drive:
    """What one driver did."""

    report: Report
    reports: list[Report]
    trials: tuple[Trial, ...]
    pool: ScriptedPool

    @property
    def functions(self) -> list[str]:
        return [work.function.rpartition(":")[2] for work in self.pool.started]

    def condition(self, kind: str) -> tuple[str, str]:
        return next((each.status, each.reason) for each in self.report.conditions if each.type == kind)


def drive(
    script: Mapping[str, Answer] | None = None,
    store: MemoryStore | None = None,
    record: MemoryRecord | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    run: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Drive:
    """Carry out MANIFEST, with other sections where `spec` has them (None: without).

    `run` are further fields of the driver's Run, such as its stages.
    """
    sections = {name: part for name, part in (MANIFEST | spec).items() if part is not None}
    plan = resolve(job(**sections), LOCAL_PROFILE)
    store = store or MemoryStore()
    pool = ScriptedPool(store, answers() | dict(script or {}))
    reports: list[Report] = []
    progress = Progress(Report(name=plan.name), reports.append)
    carry_out(Run(plan, store, record or MemoryRecord(), pool, progress, should_stop, **(run or {})))
    return Drive(progress.report, reports, progress.trials, pool)
