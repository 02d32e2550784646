"""Whole runs that start from a given model, in this process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.jobs import job
from tests.support.search import MemoryRecord
from trimtab_api.plan import resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Report
from trimtab_jobs.driver import Run, carry_out
from trimtab_jobs.pool import InlinePool
from trimtab_jobs.progress import Progress
from trimtab_jobs.store import open_store
from trimtab_jobs.worker_setup import setup_of

TASK = '''
import numpy as np
from trimtab_jobs import Task


class Rows(Task):
    """Numbers, and whether the first class scores best; what the model takes can be changed by arguments."""

    metrics = {"accuracy": lambda rows: rows["correct"].mean()}
    features = 4
    dtype = "float32"
    count = 1

    def inputs(self, count):
        draw = np.random.default_rng(0)
        return tuple(draw.normal(size=(count, self.features)).astype(self.dtype) for _ in range(self.count))

    def evaluate(self, predict, split):
        return {"correct": (predict(*self.inputs(30)).argmax(1) == 0).astype(float)}
'''


def run_given(folder: Path, code: tuple[str, str], model: dict[str, Any], **spec: Any) -> Report:
    """The report of a run whose plan starts from the model; its store is `folder/store`.

    `code` is the source of the task's module and the name of its class.
    """
    source, name = code
    module = f"task_{abs(hash((source, str(folder))))}"
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / f"{module}.py").write_text(source)
    task = {"entrypoint": f"{module}:{name}", "args": spec.pop("args", {})}
    plan = resolve(job(task=task, model={"pretrained": model | {"uri": "m.onnx"}}, **spec), LOCAL_PROFILE)
    store = open_store(str(folder / "store"))
    setup = setup_of(plan, store.uri, str(folder / "code"), {}, model["uri"])
    pool, progress = InlinePool(setup), Progress(Report(name=plan.name), lambda report: None)
    carry_out(Run(plan, store, MemoryRecord(), pool, progress, lambda: False))
    pool.close()
    return progress.report


def published(folder: Path) -> Sequence[str]:
    """What the run has published."""
    return open_store(str(folder / "store")).list("model")
