"""The whole way on one machine: a local Ray, a folder or bucket as the store, the same driver as in a pod."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from pydantic import ValidationError

from trimtab_api.edits import forbidden_edits
from trimtab_api.errors import Problem
from trimtab_api.plan import Plan
from trimtab_api.reading import read_scalar
from trimtab_api.report import Report
from trimtab_jobs.driver import DESCRIBE, Run, carry_out, task_of
from trimtab_jobs.errors import JobError, RefusedError, StoppedError
from trimtab_jobs.machine import available_cores, available_memory
from trimtab_jobs.pool import Done, TrialPool, Work, WorkerSetup
from trimtab_jobs.pool.inline import InlinePool
from trimtab_jobs.progress import Progress, Publish
from trimtab_jobs.report.page import render
from trimtab_jobs.reporting import trial_rows
from trimtab_jobs.store import ExistsError, MissingError, Record, Store, check_store, open_store

PLAN_KEY = "plan.json"
RESULT_KEY = "result.json"
WORKER_BYTES = 10**9
"""Memory one worker with torch is planned with; fewer workers are started where it does not fit."""
SAVE_SECONDS = 10.0
"""How often result.json is written while a run goes on."""


def run(  # noqa: PLR0913  one keyword for each thing that a person can choose or see
    plan: Plan,
    *,
    output: str,
    code: str | None,
    data: Mapping[str, str],
    publish: Publish,
    should_stop: Callable[[], bool],
) -> Report:
    """Carry out the plan in `output` and return its report; a run that was begun there goes on.

    Raises RefusedError when the output or the data cannot be used for this job, FencedError when another
    driver has taken over, StoreError when the store fails, StoppedError when `should_stop` said so.
    """
    check_data(data)
    store = open_store(output)
    check_store(store)
    begin(store, plan)
    earlier = earlier_report(store)
    digest = code_digest(plan.spec.task.entrypoint, code)
    refuse_other_code(store, earlier, digest)
    if earlier is not None and earlier.phase == "Succeeded" and earlier.plan_digest == plan.digest:
        publish(earlier)
        return earlier
    used = earlier.cost.seconds or 0.0 if earlier is not None else 0.0
    seed = plan.spec.search.seed if plan.spec.search else None
    report = Report(name=plan.name, plan_digest=plan.digest, seed=seed)
    progress = Progress(report, _saving(store, publish), used)
    record = Record.open(store)
    with workers(plan, setup_of(plan, store.uri, code, data), progress) as pool:
        try:
            carry_out(Run(plan, store, record, pool, progress, should_stop, digest))
        except StoppedError:
            record.commit(b"")  # a driver that was taken over leaves the files to the newer one
            save(store, progress)
            raise
    record.commit(b"")  # the files below are the newest driver's to write
    save(store, progress)
    return progress.report


def check(plan: Plan, *, code: str | None, data: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is wrong with the user's code, its data and the limits on them, found in a process of its own."""
    setup = setup_of(plan, "", code, data)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        try:
            done = process.submit(describe, setup).result()
        except BrokenProcessPool:
            return (
                Problem("spec.task.entrypoint", f"importing {plan.spec.task.entrypoint} ended the process"),
            )
    if done.failure is not None:
        entrypoint = plan.spec.task.entrypoint
        said = str(JobError.of(entrypoint, done.failure))
        return (Problem("spec.task.entrypoint", said.removeprefix(f"spec.task.entrypoint {entrypoint!r}: ")),)
    try:
        task_of(plan, done.value)
    except JobError as error:
        return tuple(Problem(*line.split(": ", 1)) for line in str(error).splitlines())
    return ()


def describe(setup: WorkerSetup) -> Done:
    """What the task tells of itself, in this process."""
    pool = InlinePool(setup)
    pool.submit(Work("task", DESCRIBE, {}))
    (done,) = pool.poll(0)
    pool.close()
    return done


def setup_of(plan: Plan, store_uri: str, code: str | None, data: Mapping[str, str]) -> WorkerSetup:
    """What each worker needs: the task's arguments are read as YAML scalars."""
    task = plan.spec.task
    arguments = {name: read_scalar(text) for name, text in task.args.items()}
    return WorkerSetup(store_uri, task.entrypoint, arguments, code, dict(data))


@contextmanager
def workers(plan: Plan, setup: WorkerSetup, progress: Progress) -> Iterator[TrialPool]:
    """A local Ray with as many of the plan's workers as fit on this machine; it ends with the run."""
    from trimtab_jobs.pool.ray import RayPool  # a second to import: after the output is known to be usable

    wanted = plan.spec.search.parallelism or 1 if plan.spec.search else 1
    fit = fitting_workers(wanted, int(available_cores()), available_memory())
    if fit < wanted:
        progress.say(f"search.parallelism: {wanted} workers do not fit here, {fit} run at a time")
    pool = RayPool(setup, fit)
    try:
        yield pool
    finally:
        pool.close()


def check_data(data: Mapping[str, str]) -> None:
    """RefusedError when a path of the task's data is not there."""
    for name, path in data.items():
        if not Path(path).exists():
            fix = f"write the right path, or pass --data {name}=PATH"
            raise RefusedError(f"spec.task.data[{name}]: {path} does not exist; {fix}")


def begin(store: Store, plan: Plan) -> None:
    """Make the store this job's; RefusedError names what differs when it is another job's already."""
    try:
        store.create(PLAN_KEY, plan.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode())
    except ExistsError:
        _check_same(store, plan)


def _check_same(store: Store, plan: Plan) -> None:
    advice = "choose another --output, or remove it"
    try:
        owner = Plan.model_validate_json(store.get(PLAN_KEY))
    except ValidationError:
        raise RefusedError(
            f"{store.uri}/{PLAN_KEY} cannot be read as a plan of this version; {advice}"
        ) from None
    if owner.name != plan.name:
        raise RefusedError(f"{store.uri} holds the job {owner.name}, not {plan.name}; {advice}")
    if owner.identity != plan.identity:
        edits = forbidden_edits(owner.spec, plan.spec)
        fields = ", ".join(dict.fromkeys(edit.field for edit in edits)) or "spec"
        raise RefusedError(f"{store.uri} holds {owner.name} with another {fields}; put it back, or {advice}")


def earlier_report(store: Store) -> Report | None:
    """What an earlier run had written last; None when there is nothing that can be read."""
    try:
        return Report.model_validate_json(store.get(RESULT_KEY))
    except (MissingError, ValidationError):
        return None


def refuse_other_code(store: Store, earlier: Report | None, code_sha256: str) -> None:
    """RefusedError when a model was published here from other code: its trials are of that code."""
    if earlier is None or earlier.phase != "Succeeded":
        return
    if (earlier.environment.code_sha256 or "") != code_sha256:
        raise RefusedError(
            f"{store.uri} holds a model made from other code; put the code back, or choose another --output"
        )


def fitting_workers(wanted: int, cpus: int, memory_bytes: int) -> int:
    """Workers that this machine has CPUs and memory for, at least 1. Pure."""
    return max(1, min(wanted, cpus, memory_bytes // WORKER_BYTES))


def code_digest(entrypoint: str, code: str | None) -> str:
    """SHA-256 of the modules beside the entrypoint's and of its package; "" when it is an installed one.

    Modules beside it count, since it may import them; other folders do not: outputs may lie there.
    """
    if code is None:
        return ""
    package = Path(code) / entrypoint.split(":", maxsplit=1)[0].split(".", maxsplit=1)[0]
    digest = hashlib.sha256()
    for file in sorted([*Path(code).glob("*.py"), *package.rglob("*.py")]):
        digest.update(f"{file.relative_to(code)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _saving(store: Store, publish: Publish) -> Publish:
    """A publish that also leaves result.json every SAVE_SECONDS, for who looks from outside."""
    saved = time.monotonic()

    def publish_and_save(report: Report) -> None:
        nonlocal saved
        publish(report)
        if time.monotonic() - saved >= SAVE_SECONDS:
            save_report(store, report)
            saved = time.monotonic()

    return publish_and_save


def save(store: Store, progress: Progress) -> None:
    """Write result.json and report.html."""
    save_report(store, progress.report)
    store.put("report.html", render(progress.report, trial_rows(progress.trials)).encode())


def save_report(store: Store, report: Report) -> None:
    """Write result.json."""
    body = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    store.put(RESULT_KEY, (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode())
