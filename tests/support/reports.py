"""Reports as a run writes them, and the manifest they come from."""

from typing import Any

from trimtab_api.job import OptimizationJob
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Report

MANIFEST = """\
apiVersion: trimtab.io/v1alpha1
kind: OptimizationJob
metadata:
  name: digits
spec:
  task:
    entrypoint: digits:Digits
  objectives:
  - {metric: accuracy, direction: maximize}
  search:
    trials: 40
    parameters:
    - {name: lr, float: {low: 0.001, high: 0.1}}
  compress:
    quantize: [fp16, int8]
  guardrail:
  - {metric: accuracy, maxDrop: 0.02}
"""

SEARCH = {"trials": 40, "parameters": [{"name": "lr", "float": {"low": 0.001, "high": 0.1}}]}
"""A section that searches one parameter."""


FAILURE = {
    "kind": "configuration",
    "error": "RuntimeError: loss is NaN",
    "tail": "epoch 1\nRuntimeError: loss is NaN",
}


def plan(**spec: Any) -> Plan:
    """Return the plan of a job with these sections of spec, by attribute name."""
    fields = {"task": {"entrypoint": "digits:Digits"}, **spec}
    job = OptimizationJob.model_validate({"metadata": {"name": "digits"}, "spec": fields})
    return resolve(job, LOCAL_PROFILE)


def report(**fields: Any) -> Report:
    """Return a report with these fields, by attribute name."""
    return Report.model_validate({"name": "digits", **fields})


def ended(status: str, reason: str, phase: str, **fields: Any) -> Report:
    """Return a report whose condition Succeeded has this status and reason."""
    condition = {"type": "Succeeded", "status": status, "reason": reason, "message": "told by the condition"}
    return report(phase=phase, conditions=[condition], **fields)


def finished(**fields: Any) -> Report:
    """Return the report of a run that published an int8 model."""
    whole = {
        "stage": "publish",
        "seed": 7,
        "objectives": [{"metric": "accuracy", "direction": "maximize"}],
        "trials": {"total": 40, "completed": 31, "pruned": 8, "failed": 1, "retried": 2},
        "best": {"trial": 17, "params": {"lr": 0.0123456}, "metrics": {"accuracy": 0.985}},
        "baseline": {"id": "baseline", "metrics": figures(0.961, 5.104, 0.332, 3012)},
        "uncompressed": {"id": "fp32", "metrics": figures(0.985, 4.213, 0.291, 3436)},
        "candidates": [
            {"id": "fp16", "metrics": figures(0.985, 2.11, 0.318, 3144), "verdict": "slower than its parent"},
            {
                "id": "int8",
                "metrics": figures(0.983, 1.081, 0.1187, 8424),
                "interval": {"accuracy": [0.967, 0.992]},
                "pareto": True,
                "verdict": "ok",
            },
        ],
        "final": {
            "id": "int8",
            "metrics": figures(0.983, 1.081, 0.1187, 8424),
            "interval": {"accuracy": [0.968, 0.992]},
        },
        "guardrail": [
            {
                "metric": "accuracy",
                "limit": {"maxDrop": 0.02},
                "measured": 0.0019,
                "upper": 0.0082,
                "n": 540,
                "met": True,
                "against": "uncompressed",
                "confidence": 0.95,
            }
        ],
        "artifacts": [
            {
                "name": "model.onnx",
                "uri": "out/model/digits/1/model.onnx",
                "sha256": "ab" * 32,
                "bytes": 1081234,
                "opset": 21,
            },
            {"name": "trimtab.json", "uri": "out/model/trimtab.json", "sha256": "cd" * 32, "bytes": 812},
        ],
        "cost": {"seconds": 212.4},
        "environment": {"versions": {"torch": "2.15.0"}, "cpu": "a processor"},
    }
    return ended("True", "Completed", "Succeeded", **{**whole, **fields})


def figures(accuracy: float, size: float, latency: float, throughput: float) -> dict[str, float]:
    """Return the metrics of one model."""
    return {"accuracy": accuracy, "sizeMB": size, "latencyMs": latency, "throughput": throughput}


def trials(count: int, **params: Any) -> list[dict[str, Any]]:
    """Return trials that get better; of every four one is ended early, and every seventh fails."""
    return [_trial(number, params) for number in range(count)]


def _trial(number: int, params: dict[str, Any]) -> dict[str, Any]:
    state = "failed" if number % 7 == 6 else "pruned" if number % 4 == 3 else "completed"
    return {
        "number": number,
        "state": state,
        "params": {"lr": 0.001 + number / 1e5, **params},
        "metrics": {} if state == "failed" else {"accuracy": 0.9 + number / 1e5},
        "seconds": 4.25,
        **({"failure": FAILURE} if state == "failed" else {}),
    }
