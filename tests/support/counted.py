"""Small jobs of the task in tests/faults/counting.py: each started piece of a trial leaves a line.

counted("one", trials=6)       # a manifest: its code in a ConfigMap, and the job
"""

from typing import Any

import yaml

from tests.cluster.images import ROOT

CODE = ROOT / "tests/faults/counting.py"


def counted(name: str, *, trials: int = 6, pause: float = 0.5, **spec: Any) -> str:
    """A job in which nothing depends on time: random sampler, no pruner, quality as the only objective."""
    code = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-code"},
        "data": {"counting.py": CODE.read_text()},
    }
    job = {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {"name": name},
        "spec": {
            "task": {
                "entrypoint": "counting:Counting",
                "code": {"configMap": f"{name}-code"},
                "args": {"pause": str(pause)},
            },
            "objectives": [{"metric": "accuracy", "direction": "maximize"}],
            "search": {
                "seed": 3,
                "trials": trials,
                "parallelism": 2,
                "parameters": [
                    {"name": "lr", "float": {"low": 0.001, "high": 0.03, "log": True}},
                    {"name": "width", "int": {"low": 64, "high": 128, "step": 8}},
                ],
                "sampler": {"random": {}},
                "pruner": {"none": {}},
            },
            "resources": {"search": {"workers": 2}, "compress": {"workers": 2}},  # of one shape: one cluster
            "compress": {"quantize": ["int8"]},
            "guardrail": [{"metric": "accuracy", "maxDrop": 0.05}],
            **spec,
        },
    }
    return yaml.safe_dump_all([code, job], sort_keys=False)
