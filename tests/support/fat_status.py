"""A status with everything in it as large as a report, and the operator, can make it."""

from typing import Any

from tests.support.worlds import START, Document
from trimtab_api.conditions import Condition
from trimtab_api.status import JobStatus, RunRecord
from trimtab_operator.conditions import REASONS

FAT = "<&>" * 84
WIDE = "字" * 84
PARAMS = {f"{'p' * 60}{number}": FAT for number in range(64)}
METRICS = {f"{'m' * 60}{number}": -1.2345678901234567e-300 for number in range(32)}
INTERVALS = {name: [-1.2345678901234567e-300, 1.2345678901234567e300] for name in METRICS}
BEST = {"trial": 2**53, "params": PARAMS, "architecture": PARAMS, "metrics": METRICS}
MODEL = {"id": FAT, "metrics": METRICS, "interval": INTERVALS}
LIMIT = {
    "metric": FAT,
    "limit": {"maxDrop": 1.2345678901234567e-300},
    "measured": 1.2345678901234567e-300,
    "upper": 1.2345678901234567e-300,
    "lower": 1.2345678901234567e-300,
    "n": 2**53,
    "met": True,
    "against": "uncompressed",
    "confidence": 0.95,
    "slice": FAT,
    "target": FAT,
    "indicative": True,
    "message": WIDE * 12,
}
FIGURES = {
    **dict.fromkeys(
        ("latencyMs", "latencyP95Ms", "throughput", "memoryMB", "energyJ"), 1.2345678901234567e-300
    ),
    "measuredOn": FAT,
}
ARTIFACT = {"name": FAT, "uri": "s3://" + "<" * 2_000, "sha256": "f" * 64, "bytes": 2**53, "opset": 21}
FATTEST: Document = {
    "stage": "Verifying",
    "message": WIDE,
    "seconds_left": 1.2345678901234567e300,
    "trials": dict.fromkeys(("total", "completed", "running", "pruned", "failed", "retried"), 10_000),
    "best": BEST,
    "front": [BEST] * 10,
    "baseline": MODEL,
    "uncompressed": MODEL,
    "candidates": [
        {**MODEL, "id": f"{FAT}{number}"[-253:], "steps": [FAT] * 16, "verdict": WIDE * 12}
        for number in range(20)
    ],
    "final": {**MODEL, "targets": {f"{'t' * 60}{number}": FIGURES for number in range(8)}},
    "speedup": 1.2345678901234567e300,
    "guardrail": [LIMIT] * 16,
    "artifacts": [ARTIFACT] * 32,
    "savings": {
        "baseline": dict.fromkeys(("size", "latency", "throughput", "memory"), 1.2345678901234567e-300)
    },
    "cost": dict.fromkeys(
        ("seconds", "cpu_hours", "gpu_hours", "amount", "energy_kwh", "carbon_kg"), 123456.123456
    ),
    "summary": {"trials": "10000/10000", "best": "m" * 80, "size": "1.23e+300 MB", "speedup": "1.23e+300x"},
    "ray_job": "r" * 47,
    "attempt": 2**31,
    "plan_digest": "f" * 64,
    "cleared": True,
    "plan_identity": "f" * 64,
    "segments": ["search", "export", "compress", "measure", "guard", "publish"],
    "profile_digest": "f" * 64,
    "result": "s3://" + "b" * 1_024 + "/n" * 200,
}


def fattest(**fields: Any) -> JobStatus:
    """A status with everything in it as large as it can be, the operator's own part included."""
    status = JobStatus.model_validate({**FATTEST, **fields})
    run = RunRecord(
        name="r" * 47,
        segment="compress",
        attempt=2**31,
        outcome="Infrastructure",
        start_time=START,
        end_time=START,
        cost=status.cost,
    )
    *ended, last = (
        run.model_copy(update={"message": "m" * 400 if number > 11 else ""}) for number in range(16)
    )
    runs = (*ended, last.model_copy(update={"hourly": status.cost}))
    conditions = tuple(
        Condition(
            type=kind,
            status="Unknown",
            reason=max(reasons, key=len),
            message="m" * (960 if kind == "Succeeded" else 400),
            last_transition_time=START,
            observed_generation=2**31,
        )
        for kind, reasons in REASONS.items()
    )
    return status.model_copy(update={"runs": runs, "conditions": conditions})
