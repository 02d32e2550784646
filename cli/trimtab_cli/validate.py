"""`trimtab validate`: every problem of a manifest at once, each with its line, before anything is spent."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from trimtab_cli.formats import format_option, name_of, written
from trimtab_cli.options import Complete, data_option, manifest_argument, manifests, set_option

if TYPE_CHECKING:
    from trimtab_api.plan import Plan
    from trimtab_cli.manifest import Manifest
    from trimtab_cli.order import Order
    from trimtab_cli.run import Driver


@click.command(short_help="Check a manifest and say what it will run.")
@manifest_argument
@click.option(
    "--code",
    is_flag=True,
    help="Also import the task, in a process of its own, look at its data, try its network, and refuse what "
    "the task cannot do: metrics it does not have, a maxDrop that its test split could never prove.",
)
@data_option
@set_option
@click.option(
    "--previous",
    metavar="MANIFEST",
    type=Complete(manifests),
    help="An earlier version of the manifest: refuse edits that a running job cannot take.",
)
@format_option("text", "json", "yaml", "name")
def validate(  # noqa: PLR0913  one parameter for each option
    manifest: str,
    code: bool,
    data: tuple[str, ...],
    given: tuple[str, ...],
    previous: str | None,
    form: str | None,
) -> None:
    """Check MANIFEST (a file, or - for standard input) and say what it will run.

    Every problem is one line on standard error, `file:line: field: what is wrong and how to mend it`, and the
    exit code is 2. As JSON or YAML, standard output holds the list of problems, empty when there is none.

    Numbers, words and keys are read as Kubernetes reads them. What kubectl would quietly change is refused: a
    key that is repeated, a key that is no string, a value that JSON cannot hold.
    """
    from trimtab_cli.manifest import InvalidManifest

    listed = form in ("json", "yaml")
    try:
        parsed = checked(manifest, code=code, data=data, given=given, previous=previous)
    except InvalidManifest as error:
        if not listed:
            raise
        click.echo(written([finding.as_json() for finding in error.findings], str(form)))
        raise click.exceptions.Exit(error.exit_code) from None
    if listed:
        click.echo(written([], str(form)))
    elif form == "name":
        click.echo(name_of(parsed.job.metadata.name))
    else:
        from trimtab_api.plan import resolve
        from trimtab_api.profile import LOCAL_PROFILE

        click.echo(f"{parsed.source}: valid. {what_runs(resolve(parsed.job, LOCAL_PROFILE))}")


def checked(
    manifest: str, *, code: bool, data: Sequence[str], given: Sequence[str], previous: str | None
) -> "Manifest":
    """The manifest, checked as the options ask; InvalidManifest with every problem."""
    from trimtab_cli.assignments import assignments
    from trimtab_cli.manifest import read_manifest
    from trimtab_cli.order import order, pairs
    from trimtab_cli.run import open_driver

    places = pairs(data)
    parsed = read_manifest(manifest, places, assignments(given))
    if previous is not None:
        check_edits(parsed, read_manifest(previous))
    if code:
        check_code(parsed, order(parsed, None, places), open_driver())
    return parsed


def check_edits(now: "Manifest", before: "Manifest") -> None:
    """Refuse what may not change while a job runs."""
    from trimtab_api.edits import forbidden_edits
    from trimtab_cli.manifest import refuse

    refuse(now, forbidden_edits(before.job.spec, now.job.spec))


def check_code(parsed: "Manifest", request: "Order", driver: "Driver") -> None:
    """Refuse what only shows when the code is imported and the data are looked at."""
    from trimtab_cli.code import code_folder
    from trimtab_cli.manifest import refuse

    with code_folder(parsed) as folder:
        problems = driver.check(request.plan, code=folder, data=request.data, model=request.model)
    refuse(parsed, problems)


def what_runs(plan: "Plan") -> str:
    """What the plan does, in one sentence for a person."""
    from trimtab_api.combinations import candidate_id, chosen

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
    made = [candidate_id(steps) for steps in chosen(spec.compress)] if spec.compress else []
    parts.append(f"makes {', '.join(made)}" if made else "exports the winner")
    if spec.guardrail:
        parts.append(f"publishes what holds {len(spec.guardrail)} limit{'s'[: len(spec.guardrail) - 1]}")
    return ", ".join(parts)
