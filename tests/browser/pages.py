"""The pages that the browser opens: a large one, what can go wrong in a run, and one of hostile strings."""

import random
from typing import Any

from tests.support.reports import ended, figures, finished
from trimtab_api.report import Report
from trimtab_jobs.report.page import render

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>'`${alert(1)}",
    "\u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\U0001f680\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301\x00\x1b[31m\ud800",
    "https://example.org/x.js",
    "W" * 10_000,
    "many words " * 1_000,
)


def searched(count: int) -> list[dict[str, Any]]:
    """Trials of six parameters of every kind, some ended early, some failed."""
    draw = random.Random(7)
    return [_trial(number, draw) for number in range(count)]


def _trial(number: int, draw: random.Random) -> dict[str, Any]:
    params: dict[str, Any] = {"lr": 10 ** draw.uniform(-4, -1), "width": draw.choice([16, 32, 48, 64])}
    params |= {
        "dropout": draw.random() / 2,
        "optimizer": draw.choice(["sgd", "adamw"]),
        "norm": draw.random() < 0.5,
    }
    if params["optimizer"] == "sgd":
        params["momentum"] = draw.random()
    state = "failed" if number % 29 == 28 else "pruned" if number % 3 == 2 else "completed"
    made = {"number": number, "state": state, "params": params, "metrics": {}, "seconds": draw.random() * 20}
    if state == "failed":
        return {**made, "failure": {"kind": "configuration", "error": "out of memory", "tail": "last\nlines"}}
    reached = 0.9 + params["width"] / 1000 - abs(params["dropout"] - 0.1) / 10
    return {**made, "metrics": {"accuracy": reached, "loss": 1 - reached, "latencyMs": params["width"] / 100}}


def candidate(index: int, steps: tuple[str, ...]) -> dict[str, Any]:
    lost = index % 5 == 4
    return {
        "id": "+".join(steps),
        "steps": steps,
        "metrics": figures(0.98 - index / 5000, 4 / (1 + index / 20), 0.3 / (1 + index / 30), 5000 + index)
        | {"loss": 0.1, "latencyP95Ms": 0.4, "memoryMB": 60.0},
        "interval": {"accuracy": [0.96 - index / 5000, 0.99 - index / 5000]},
        "pareto": index % 40 == 3,
        "verdict": "rejected: accuracy drop 0.041 > 0.02 on validation (n=300)" if lost else "ok",
    }


def large() -> str:
    pruned = [(f"structured-{ratio / 100:g}",) for ratio in range(1, 65)]
    steps = [way for base in pruned for way in (base, (*base, "fp16"), (*base, "int8"), (*base, "int8-qat"))]
    made = [candidate(index, way) for index, way in enumerate(steps)]
    two = [{"metric": "accuracy", "direction": "maximize"}, {"metric": "latencyMs", "direction": "minimize"}]
    final = {"id": made[3]["id"], "metrics": made[3]["metrics"], "interval": made[3]["interval"]}
    return render(finished(candidates=made, final=final, objectives=two), searched(1000))


def small() -> str:
    ways = [("fp16",), ("int8",), ("structured-0.5",), ("structured-0.5", "int8")]
    slower = {"id": "int8", "metrics": figures(0.97, 4.5, 0.4, 2000), "interval": {"accuracy": [0.95, 0.98]}}
    made = [candidate(index, way) for index, way in enumerate(ways)]
    return render(finished(candidates=made, final=slower), searched(60))


def failed() -> str:
    told = "trial 0: RuntimeError: shapes cannot be multiplied\n" + "\n".join(f"line {n}" for n in range(12))
    return render(ended("False", "Code", "Failed", message=told, stage="search"), searched(1)[:1])


def hostile() -> str:
    """Every text of a report and of its trials is one of HOSTILE, as far as its field takes it."""
    first, second, third, *_ = HOSTILE
    whole = finished().model_dump(mode="json", by_alias=True)
    whole |= {"name": first[:253], "message": " ".join(HOSTILE)[:1000]}
    whole["objectives"] = ()
    whole["best"]["params"] = {text[:253]: text for text in HOSTILE}
    metrics = {**whole["final"]["metrics"], first: 0.5, second: 0.25}
    for model in (whole["baseline"], whole["uncompressed"], whole["final"], *whole["candidates"]):
        model["metrics"] = metrics
    whole["candidates"] = [
        {
            **whole["candidates"][0],
            "id": text[:253],
            "steps": (text[:253],),
            "verdict": f"rejected: {text}"[:1024],
        }
        for text in HOSTILE
    ]
    whole["final"]["id"] = HOSTILE[0]
    whole["guardrail"][0] |= {"met": False, "message": second, "target": third}
    whole["artifacts"][0] |= {"name": f"{first}.onnx"[-253:], "uri": HOSTILE[6][:2048], "sha256": third[:64]}
    whole["environment"] |= {
        "cpu": second,
        "image": first,
        "versions": {text[:100]: text for text in HOSTILE},
    }
    trials = [
        {
            **trial,
            "params": {text: text[number:] for text in HOSTILE} | {"n": number},
            "metrics": {first: number / 30, second: 0.5} if number % 7 else {},
            "state": "completed" if number % 7 else "failed",
            "failure": {"kind": "code", "error": HOSTILE[number % 8], "tail": "\n".join(HOSTILE)},
        }
        for number, trial in enumerate(searched(30))
    ]
    return render(Report.model_validate(_text(whole)), trials)


def _text(value: Any) -> Any:
    """The same without what no JSON can hold: a report is read from JSON."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_text(key): _text(each) for key, each in value.items()}
    return [_text(each) for each in value] if isinstance(value, list | tuple) else value


PAGES = {"large": large, "small": small, "failed": failed, "hostile": hostile}
