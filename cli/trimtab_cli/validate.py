"""`trimtab validate`: every problem of a manifest at once, each with its line, before anything is spent."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trimtab_api.plan import Plan
    from trimtab_cli.manifest import Manifest
    from trimtab_cli.order import Order
    from trimtab_cli.run import Driver


@click.command(short_help="Check a manifest and say what it will run.")
@click.argument("manifest", metavar="MANIFEST")
@click.option("--code", is_flag=True, help="Also import the task, try its data and its network.")
@click.option("--data", multiple=True, metavar="NAME=PATH", help="Where the data NAME of the task lies.")
@click.option(
    "--previous", metavar="MANIFEST", help="An earlier version: refuse edits a running job cannot take."
)
def validate(manifest: str, code: bool, data: tuple[str, ...], previous: str | None) -> None:
    """Check MANIFEST (a file, or - for standard input) and say what it will run.

    Every problem is one line, `file:line: field: what is wrong and how to mend it`, and the exit code is 2.
    """
    from trimtab_api.plan import resolve
    from trimtab_api.profile import LOCAL_PROFILE
    from trimtab_cli.manifest import read_manifest
    from trimtab_cli.order import order, pairs
    from trimtab_cli.run import open_driver

    given = pairs(data)
    parsed = read_manifest(manifest, given)
    if previous is not None:
        check_edits(parsed, read_manifest(previous))
    if code:
        check_code(parsed, order(parsed, None, given), open_driver())
    click.echo(f"{parsed.source}: valid. {what_runs(resolve(parsed.job, LOCAL_PROFILE))}")


def check_edits(now: "Manifest", before: "Manifest") -> None:
    """Refuse what may not change while a job runs."""
    from trimtab_api.edits import forbidden_edits
    from trimtab_cli.manifest import refuse

    refuse(now.source, now.text, forbidden_edits(before.job.spec, now.job.spec))


def check_code(parsed: "Manifest", request: "Order", driver: "Driver") -> None:
    """Refuse what only shows when the code is imported and the data are looked at."""
    from trimtab_cli.code import code_folder
    from trimtab_cli.manifest import refuse

    with code_folder(parsed) as folder:
        problems = driver.check(request.plan, code=folder, data=request.data)
    refuse(parsed.source, parsed.text, problems)


def what_runs(plan: "Plan") -> str:
    """What the plan does, in one sentence for a person."""
    spec = plan.spec
    parts = [f"{plan.name} runs {spec.task.entrypoint}"]
    if spec.search:
        trials, names = spec.search.trials, ", ".join(each.name for each in spec.search.parameters)
        parts.append(f"searches {names} in {trials} trials")
        if (parallelism := spec.search.parallelism or 1) > 1:
            parts.append(f"{parallelism} at a time")
    if spec.objectives:
        wanted = (f"{each.direction}s {each.metric}" for each in spec.objectives)
        parts.append(" and ".join(wanted))
    made = ", ".join(spec.compress.quantize) if spec.compress else ""
    parts.append(f"makes {made}" if made else "exports the winner")
    if spec.guardrail:
        parts.append(f"publishes what holds {len(spec.guardrail)} limit{'s'[: len(spec.guardrail) - 1]}")
    return ", ".join(parts)
