"""`trimtab run`: a manifest on this machine, from the first trial to the measured model."""

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, cast

import click

from trimtab_cli.formats import format_option, name_of, written
from trimtab_cli.options import data_option, manifest_argument, set_option

if TYPE_CHECKING:
    from trimtab_api.errors import Problem
    from trimtab_api.plan import Plan
    from trimtab_api.report import Report
    from trimtab_cli.order import Order
    from trimtab_cli.screen import Screen
    from trimtab_jobs.forecast import Facts
    from trimtab_jobs.search import Trial


class Driver(Protocol):
    """What carries a plan out: trimtab_jobs.embedded."""

    def run(  # noqa: PLR0913  one keyword for each thing that a person can choose or see
        self,
        plan: "Plan",
        *,
        output: str,
        code: str | None,
        data: Mapping[str, str],
        model: str | None,
        publish: "Callable[[Report], None]",
        should_stop: Callable[[], bool],
        tell_trial: "Callable[[Trial], None]",
    ) -> "Report":
        """The report of the run, which publishes each change, and tells each trial's result, on the way."""
        ...

    def probe(  # noqa: PLR0913  one keyword for each thing that a person can choose or see
        self,
        plan: "Plan",
        *,
        code: str | None,
        data: Mapping[str, str],
        model: str | None,
        count: int,
        should_stop: Callable[[], bool],
        say: Callable[[str], object],
    ) -> "Facts":
        """What a few trials and one of each later step take."""
        ...

    def check(
        self, plan: "Plan", *, code: str | None, data: Mapping[str, str], model: str | None
    ) -> "tuple[Problem, ...]":
        """What is wrong with the user's code and data, found by importing it in a worker."""
        ...


class NotStartedError(click.ClickException):
    """The run may not start as it was asked for."""

    exit_code = 2


class BrokenOffError(click.ClickException):
    """The run ended without a report; what was done is kept."""

    exit_code = 1


@click.command(short_help="Run a manifest on this machine.")
@manifest_argument
@click.option(
    "--output",
    metavar="DIR|URI",
    help="Where everything is kept: a folder, file:///…, s3://…, gs://…, az://….  "
    "[default: trimtab-output/NAME]",
)
@data_option
@set_option
@click.option(
    "--progress",
    type=click.Choice(["auto", "live", "plain", "json"]),
    default="auto",
    show_default=True,
    help="How progress is shown: a block redrawn in place, a line for each change, or a JSON object a line. "
    "auto is live on a terminal, plain elsewhere.",
)
@format_option("text", "wide", "json", "yaml", "name")
@click.pass_context
def run(  # noqa: PLR0913  one parameter for each option
    ctx: click.Context,
    manifest: str,
    output: str | None,
    data: tuple[str, ...],
    given: tuple[str, ...],
    progress: str,
    form: str | None,
) -> None:
    """Run MANIFEST (a file, or - for standard input) on this machine.

    Searches, compresses, exports and measures as the manifest says, and publishes the best model that holds
    its guardrail. Ctrl-C saves and stops, a second one ends at once; the same command goes on from there.

    With -o the answer stands alone on standard output, and progress goes to standard error. Without -o,
    --progress json ends with the event "final" in place of a summary.
    """
    from trimtab_cli.assignments import assignments
    from trimtab_cli.code import code_folder
    from trimtab_cli.manifest import read_manifest
    from trimtab_cli.order import order, pairs
    from trimtab_cli.screen import open_screen, view_of
    from trimtab_cli.stop import Stop, leave_now

    places = pairs(data)
    parsed = read_manifest(manifest, places, assignments(given))
    request = order(parsed, output, places)
    view = view_of(progress, form)
    stop = Stop(leave_now(request.command))
    with stop.listening(), code_folder(parsed) as code:
        driver = open_driver()
        with open_screen(request.plan, request.output, view, stop) as screen:
            for note in request.notes:
                screen.note(note)
            report = carry_out(request, code, driver, screen, stop)
            screen.end(report)
    if form is not None or view.mode != "json":
        tell(report, request.output, request.command, form or "text")
    ctx.exit(exit_code(report))


def open_driver() -> Driver:
    """The driver; UsageError when only the small base of Trimtab is installed."""
    try:
        return cast(Driver, importlib.import_module("trimtab_jobs.embedded"))
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("trimtab"):
            raise
        raise click.UsageError(
            f"running a job here needs {error.name}, which comes with: pip install 'trimtab[jobs]'"
        ) from None


def carry_out(
    request: "Order", code: str, driver: Driver, screen: "Screen", stop: Callable[[], bool]
) -> "Report":
    """The report of the run, shown as it grows; the last one shown when the person stopped it.

    NotStartedError when the driver or the store refuses at the start; BrokenOffError when another driver has
    taken the run over, or when the store fails on the way.
    """
    from trimtab_jobs.errors import RefusedError, StoppedError
    from trimtab_jobs.store.errors import FencedError, StoreError

    shown: list[Report] = []

    def publish(report: "Report") -> None:
        shown[:] = [report]
        screen.show(report)

    try:
        return driver.run(
            request.plan,
            output=request.output,
            code=code,
            data=request.data,
            model=request.model,
            publish=publish,
            should_stop=stop,
            tell_trial=screen.show_trial,
        )
    except RefusedError as error:
        raise NotStartedError(str(error)) from None
    except StoppedError:
        return shown[0] if shown else unstarted(request)
    except FencedError as error:
        raise BrokenOffError(str(error)) from None
    except StoreError as error:
        if not shown:
            raise NotStartedError(str(error)) from None
        kept = f"What was done is kept in {request.output}; go on with: {request.command}"
        raise BrokenOffError(f"{error}\n{kept}") from None


def unstarted(request: "Order") -> "Report":
    """The report of a run that was stopped before it had anything to show."""
    from trimtab_api.report import Report

    return Report(name=request.plan.name)


def tell(report: "Report", output: str, command: str, form: str) -> None:
    """Print how it ended: in words, the headline and everything under it, or as the form asks."""
    from trimtab_cli import summary
    from trimtab_cli.screen import colour, columns

    if form == "name":
        click.echo(name_of(report.name))
        return
    if form in ("json", "yaml"):
        click.echo(written(report.model_dump(mode="json", by_alias=True, exclude_none=True), form))
        return
    headline, shade = summary.title(report)
    click.echo()
    click.secho(headline, fg=shade, bold=True, color=colour())
    click.echo()
    for line in summary.summary(report, output, command, wide=form == "wide", width=columns()):
        click.echo(line)


def exit_code(report: "Report") -> int:
    """The exit code of a run that returned a report."""
    from trimtab_jobs.report.outcome import outcome

    return int(outcome(report).code)
