"""Whole runs in this process: the real driver, real work, no Ray."""

from pathlib import Path
from typing import Any

from trimtab_api.job import OptimizationJob
from trimtab_api.plan import resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.report import Report
from trimtab_jobs.driver import Run, carry_out
from trimtab_jobs.pool import InlinePool
from trimtab_jobs.progress import Progress
from trimtab_jobs.store import Record, open_store
from trimtab_jobs.worker_setup import setup_of


def run_inline(
    job: OptimizationJob, code: Path, output: Path, model: Path | None = None, **places: Any
) -> Report:
    """The report of a whole run of the job; its code lies in a folder, the given model at a path."""
    plan = resolve(job, LOCAL_PROFILE)
    store = open_store(str(output))
    progress = Progress(Report(name=plan.name), lambda report: None)
    pool = InlinePool(setup_of(plan, store.uri, str(code), places, str(model) if model else None))
    try:
        carry_out(Run(plan, store, Record.open(store), pool, progress, lambda: False))
    finally:
        pool.close()
    return progress.report
