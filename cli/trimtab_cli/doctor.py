"""`trimtab doctor`: whether this machine can run a job, and what to mend where it cannot."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from trimtab_cli import checks
from trimtab_cli.checks import Check
from trimtab_cli.formats import format_option, written
from trimtab_cli.version import installed, pins
from trimtab_jobs.machine import available_cores, available_memory


@click.command(short_help="Check whether this machine can run a job.")
@click.option(
    "--output",
    default="trimtab-output",
    metavar="DIR|URI",
    show_default=True,
    help="Where runs will be kept: checked too.",
)
@click.option("--deep", is_flag=True, help="Also start Ray and one worker, which takes some seconds.")
@format_option("text", "json", "yaml")
@click.pass_context
def doctor(ctx: click.Context, output: str, deep: bool, form: str | None) -> None:
    """Check this machine: one line for each thing, with the fix where something is wrong.

    ok, warning (slower, or figures that are worth less) or broken (a run would fail): Python, packages
    against the versions tested, cores and memory by the container's limits, disk, object storage, /dev/shm,
    the processor's integer units, the output. The exit code is 1 when something is broken.
    """
    found: list[Check] = []
    for check in examine(output, deep):
        found.append(check)
        if form not in ("json", "yaml"):
            click.echo(str(check))
    if form in ("json", "yaml"):
        click.echo(written([asdict(check) for check in found], form))
    ctx.exit(1 if any(check.state == "broken" for check in found) else 0)


def examine(output: str, deep: bool) -> Iterator[Check]:
    """Every check of this machine, the quick ones first."""
    place = existing(output)
    yield checks.python(sys.version_info[:2], platform.python_version())
    packages = checks.packages(pins(), installed)
    yield from packages
    yield checks.cores(available_cores())
    yield checks.memory(available_memory())
    yield checks.disk(shutil.disk_usage(place).free, str(place))
    yield checks.object_storage(output, os.environ)
    if any(check.state == "broken" for check in packages):
        yield Check("workers", "broken", "not tried", "install what is missing first")
        return
    yield from examine_installed(output, place, deep)


def examine_installed(output: str, place: Path, deep: bool) -> Iterator[Check]:
    """The checks that need the packages of the extra `jobs`."""
    from trimtab_jobs.measure.hardware import CPUINFO, cpu_facts, hardware
    from trimtab_jobs.pool.ray import OBJECT_STORE_BYTES

    shared = Path("/dev/shm")
    free = shutil.disk_usage(shared).free if shared.is_dir() else None
    yield checks.shared_memory(free, OBJECT_STORE_BYTES)
    facts = cpu_facts(CPUINFO.read_text() if CPUINFO.exists() else "")
    yield checks.vector_units(hardware(), frozenset(facts.get("flags", "").split()))
    yield output_written(output, place)
    if deep:
        yield worker_started()


def existing(output: str) -> Path:
    """The folder of the output, or the nearest one above it that exists; here for a URI."""
    place = Path.cwd() if "://" in output else Path(output).resolve()
    return next(folder for folder in (place, *place.parents) if folder.is_dir())


def output_written(output: str, place: Path) -> Check:
    """Whether a run could be kept at the output; a folder is tried beside it, so that nothing is left."""
    from trimtab_jobs.store import StoreError, check_store, open_store

    try:
        if "://" in output:
            check_store(open_store(output))
        else:
            with tempfile.TemporaryDirectory(dir=place, prefix=".trimtab-") as folder:
                check_store(open_store(folder))
    except (StoreError, OSError) as error:
        return Check("output", "broken", f"{output}: {error}", "choose another --output")
    return Check("output", "ok", f"{output} can be written")


def worker_started() -> Check:
    """Whether Ray starts and a worker answers."""
    from trimtab_jobs.pool import Work, WorkerSetup
    from trimtab_jobs.pool.ray import RayPool

    fix = "see the error; a proxy, a firewall or a full disk are common causes"
    try:
        pool = RayPool(WorkerSetup(store_uri=tempfile.gettempdir(), entrypoint="none:None", args={}), 1)
    except Exception as error:  # whatever Ray raises, the person wants it as a line of this list
        return Check("workers", "broken", f"Ray does not start: {error}", fix)
    try:
        pool.submit(Work("doctor", "trimtab_jobs.measure.hardware:environment", {}))
        answers = pool.poll(60)
    finally:
        pool.close()
    if not answers or answers[0].failure:
        return Check("workers", "broken", f"a worker does not answer: {answers}", fix)
    return Check("workers", "ok", f"a worker answered: {answers[0].value['cpu']}")
