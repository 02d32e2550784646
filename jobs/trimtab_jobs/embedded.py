"""The whole way on one machine: a local Ray, a folder or bucket as the store, the same driver as in a pod."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any

from trimtab_api.errors import Problem
from trimtab_api.fields import quantity_value
from trimtab_api.plan import Plan
from trimtab_api.report import Report
from trimtab_jobs.driver import DESCRIBE, Run, carry_out, task_of
from trimtab_jobs.entrypoint import mistake
from trimtab_jobs.errors import JobError, RefusedError
from trimtab_jobs.forecast import Facts
from trimtab_jobs.machine import available_cores, available_memory
from trimtab_jobs.ownership import begin, earlier_report, refuse_other_code, used_seconds
from trimtab_jobs.pool import Done, TrialPool, Work, WorkerSetup
from trimtab_jobs.pool.code import code_digest
from trimtab_jobs.pool.inline import InlinePool
from trimtab_jobs.probing import Probing, TimedPool, probed
from trimtab_jobs.progress import Progress, Publish, TellTrial
from trimtab_jobs.saving import saving
from trimtab_jobs.search.space import space_of
from trimtab_jobs.store import Record, StoreError, check_store, open_store
from trimtab_jobs.worker_setup import check_data, data_places, setup_of

REHEARSE = "trimtab_jobs.tasks.rehearsal:rehearse"
WORKER_BYTES = 10**9
"""Memory one worker with torch is planned with; fewer workers are started where it does not fit."""


def run(  # noqa: PLR0913  one keyword for each thing that a person can choose or see
    plan: Plan,
    *,
    output: str,
    code: str | None,
    data: Mapping[str, str],
    model: str | None = None,
    publish: Publish,
    should_stop: Callable[[], bool],
    tell_trial: TellTrial | None = None,
) -> Report:
    """Carry out the plan in `output` and return its report; a run that was begun there goes on.

    `model` is where the given model lies here, when the plan names a path of the manifest's folder.
    `publish` gets every change of the report, `tell_trial` every trial that has a result.

    Raises RefusedError when the output or the data cannot be used for this job, FencedError when another
    driver has taken over, StoreError when the store fails, StoppedError when `should_stop` said so.
    """
    check_data(data_places(plan, data))
    store = open_store(output)
    check_store(store)
    begin(store, plan)
    earlier = earlier_report(store)
    digest = code_digest(plan.spec.task.entrypoint, code)
    refuse_other_code(store, earlier, digest)
    if earlier is not None and earlier.phase == "Succeeded" and earlier.plan_digest == plan.digest:
        publish(earlier)
        return earlier
    progress = Progress(_begun(plan), publish, tell_trial)
    progress.count(used_seconds(earlier))
    record = Record.open(store)
    if wrong := mistake(plan.spec.task.entrypoint, code):
        with saving(store, record, progress):
            progress.fail("Code", wrong)
        return progress.report
    setup = setup_of(plan, store.uri, code, data, model)
    with workers(plan, setup, progress) as pool, saving(store, record, progress):
        carry_out(Run(plan, store, record, pool, progress, should_stop, digest))
    return progress.report


def _begun(plan: Plan) -> Report:
    """The report of a run of which nothing is known but its plan."""
    seed = plan.spec.search.seed if plan.spec.search else None
    return Report(name=plan.name, plan_digest=plan.digest, seed=seed)


def probe(  # noqa: PLR0913  one keyword for each thing that a person can choose or see
    plan: Plan,
    *,
    code: str | None,
    data: Mapping[str, str],
    model: str | None = None,
    count: int,
    should_stop: Callable[[], bool],
    say: Callable[[str], None],
) -> Facts:
    """What `count` trials of the plan and one of each later step take here; nothing of them is kept.

    Raises JobError where the run itself would end so, RefusedError as `run`, StoppedError when `should_stop`
    said so.
    """
    check_data(data_places(plan, data))
    if wrong := mistake(plan.spec.task.entrypoint, code):
        raise JobError("Code", wrong)
    begun = time.perf_counter()
    progress = Progress(_begun(plan), lambda report: say(report.message))
    with TemporaryDirectory(prefix="trimtab-probe-") as folder:
        store = open_store(folder)
        with workers(plan, setup_of(plan, store.uri, code, data, model), progress) as pool:
            return probed(Probing(plan, store, TimedPool(pool), should_stop, say), begun, count)


def check(
    plan: Plan, *, code: str | None, data: Mapping[str, str], model: str | None = None
) -> tuple[Problem, ...]:
    """What is wrong with the user's code, its data and the limits on them, found in a process of its own."""
    try:
        check_data(data_places(plan, data))
    except (RefusedError, StoreError) as error:
        return (Problem(*str(error).split(": ", 1)),)
    setup = setup_of(plan, "", code, data, model)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        try:
            done, tried = process.submit(look_at, setup, baseline_params(plan)).result()
        except BrokenProcessPool:
            return (
                Problem("spec.task.entrypoint", f"importing {plan.spec.task.entrypoint} ended the process"),
            )
    if failure := done.failure or tried.failure:
        entrypoint = plan.spec.task.entrypoint
        said = str(JobError.of(entrypoint if done.failure else "trying the network", failure))
        if named := re.match(r"(spec\.[\w.\[\]]+): ", said):
            return (Problem(named[1], said.removeprefix(named[0])),)
        return (Problem("spec.task.entrypoint", said.removeprefix(f"spec.task.entrypoint {entrypoint!r}: ")),)
    try:
        task_of(plan, done.value)
    except JobError as error:
        return tuple(Problem(*each.split(": ", 1)) for each in re.split(r"\n(?=spec\.)", str(error)))
    return ()


def look_at(setup: WorkerSetup, params: Mapping[str, Any]) -> tuple[Done, Done]:
    """What the task tells of itself, and whether its network can be built and asked, in this process."""
    pool = InlinePool(setup)
    pool.submit(Work("task", DESCRIBE, {}))
    (told,) = pool.poll(0)
    pool.submit(Work("network", REHEARSE, {"params": dict(params)}))
    (tried,) = pool.poll(0)
    pool.close()
    return told, tried


def baseline_params(plan: Plan) -> Mapping[str, Any]:
    """The parameters that the baseline is built with."""
    return space_of(plan.spec.search.parameters).defaults() if plan.spec.search else {}


@contextmanager
def workers(plan: Plan, setup: WorkerSetup, progress: Progress) -> Iterator[TrialPool]:
    """A local Ray with as many of the plan's workers as fit on this machine; it ends with the run."""
    from trimtab_jobs.pool.ray import RayPool  # a second to import: after the output is known to be usable

    wanted = plan.spec.search.parallelism or 1 if plan.spec.search else 1
    each = int(quantity_value(setup.trial_memory)) if setup.trial_memory else WORKER_BYTES
    fit = fitting_workers(wanted, int(available_cores()), available_memory(), each)
    if fit < wanted:
        progress.note(f"search.parallelism: {wanted} workers do not fit here, {fit} run at a time")
    pool = RayPool(setup, fit)
    try:
        yield pool
    finally:
        pool.close()


def fitting_workers(wanted: int, cpus: int, memory_bytes: int, worker_bytes: int = WORKER_BYTES) -> int:
    """Workers that this machine has CPUs and memory for, at least 1. Pure."""
    return max(1, min(wanted, cpus, memory_bytes // worker_bytes))
