"""`trimtab estimate`: how long a job will take and what it will cost, before it is run."""

from typing import TYPE_CHECKING

import click

from trimtab_cli.formats import format_option, written
from trimtab_cli.options import Complete, data_option, manifest_argument, manifests, set_option

if TYPE_CHECKING:
    from trimtab_api.plan import Plan
    from trimtab_api.profile import OptimizationProfile
    from trimtab_cli.manifest import Manifest
    from trimtab_cli.order import Order
    from trimtab_cli.outlook import Outlook
    from trimtab_cli.run import Driver
    from trimtab_jobs.forecast import Facts


@click.command(short_help="Say how long a job will take, from a few probes.")
@manifest_argument
@data_option
@set_option
@click.option(
    "--probe",
    "count",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    metavar="N",
    help="Trials to try: the baseline, sizes at their upper end, at their lower end, then anywhere.",
)
@click.option(
    "--profile",
    "profile_file",
    type=Complete(manifests),
    metavar="FILE",
    help="An OptimizationProfile: its pools' workers, prices and watts give cost, energy and CO2.",
)
@format_option("text", "json", "yaml")
@click.pass_context
def estimate(  # noqa: PLR0913  one parameter for each option
    ctx: click.Context,
    manifest: str,
    data: tuple[str, ...],
    given: tuple[str, ...],
    count: int,
    profile_file: str | None,
    form: str | None,
) -> None:
    """Say how long MANIFEST (a file, or - for standard input) will take, and what it will cost.

    A few probe trials run here for a few epochs, and one of each later step on their models; nothing of it is
    kept. From them follow the pieces of training that the pruner is expected to let go on, the candidates and
    their measurement, each at least, likely and at most. The method is told with the figures.
    """
    from trimtab_cli.assignments import assignments
    from trimtab_cli.manifest import read_manifest
    from trimtab_cli.order import order, pairs
    from trimtab_cli.outlook import as_json, text
    from trimtab_cli.run import open_driver
    from trimtab_cli.screen import columns

    places = pairs(data)
    profile = read_profile(profile_file) if profile_file else None
    parsed = read_manifest(manifest, places, assignments(given), "cluster" if profile else "embedded")
    request = order(parsed, None, places)
    facts = probe(request, parsed, open_driver(), count)
    found = outlook(parsed, request, facts, profile)
    if form in ("json", "yaml"):
        click.echo(written(as_json(found), form))
    else:
        click.echo("\n".join(text(found, columns())))
    ctx.exit(0)


def probe(request: "Order", parsed: "Manifest", driver: "Driver", count: int) -> "Facts":
    """What the probes took; what is done meanwhile is told on standard error."""
    from trimtab_cli.code import code_folder
    from trimtab_cli.run import BrokenOffError, NotStartedError
    from trimtab_cli.stop import Stop, leave_now
    from trimtab_jobs.errors import JobError, RefusedError, StoppedError

    stop = Stop(leave_now(f"trimtab estimate {parsed.source}"))
    with stop.listening(), code_folder(parsed) as code:
        try:
            return driver.probe(
                request.plan,
                code=code,
                data=request.data,
                model=request.model,
                count=count,
                should_stop=stop,
                say=lambda line: click.echo(line, err=True),
            )
        except RefusedError as error:
            raise NotStartedError(str(error)) from None
        except JobError as error:
            raise BrokenOffError(f"the run would fail: {error}") from None
        except StoppedError:
            raise click.Abort from None


def outlook(
    parsed: "Manifest", request: "Order", facts: "Facts", profile: "OptimizationProfile | None"
) -> "Outlook":
    """The estimate for this machine, or for the pools of a profile as if their nodes were as fast as it."""
    from trimtab_cli.outlook import Outlook
    from trimtab_jobs.forecast import bill_of, stages_of

    if profile is None:
        stages = stages_of(request.plan, facts, facts.workers, facts.workers)
        return Outlook(request.plan, facts, facts.workers, stages)
    plan = cluster_plan(parsed, profile)
    first, last = plan.segments[0].groups[0].workers, plan.segments[-1].groups[0].workers
    asked = plan.spec.search.parallelism if plan.spec.search else None
    workers = min(first, asked or first)
    stages = stages_of(plan, facts, workers, last)
    bill = bill_of(plan.segments, profile.spec, stages)
    notes = () if bill.cost else ("No pool that the job uses has an hourlyPrice: no cost.",)
    return Outlook(plan, facts, workers, stages, bill, notes)


def read_profile(source: str) -> "OptimizationProfile":
    """The profile in a file; InvalidManifest with every problem."""
    from trimtab_api.errors import Problem, SpecError
    from trimtab_api.manifest import parse_profile, read_stream
    from trimtab_cli.manifest import InvalidManifest, findings_of, read_text

    text = read_text(source)
    try:
        document = read_stream(text).profile
        if document is None:
            raise SpecError([Problem("", "holds no document with kind: OptimizationProfile")])
        return parse_profile(document)
    except SpecError as error:
        raise InvalidManifest(findings_of(source, text, error.problems, "OptimizationProfile")) from None


def cluster_plan(parsed: "Manifest", profile: "OptimizationProfile") -> "Plan":
    """The plan of the job under the profile; InvalidManifest with what the profile does not allow."""
    from trimtab_api.errors import SpecError
    from trimtab_api.plan import resolve
    from trimtab_cli.manifest import InvalidManifest, findings_of

    try:
        return resolve(parsed.job, profile)
    except SpecError as error:
        found = findings_of(parsed.source, parsed.text, error.problems, given=parsed.given)
        raise InvalidManifest(found) from None
