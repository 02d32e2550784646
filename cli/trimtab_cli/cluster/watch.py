"""`trimtab watch`: a job of a cluster as it goes, until its end."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from trimtab_cli.cluster.options import Access, access_options, job_argument
from trimtab_cli.formats import format_option

if TYPE_CHECKING:
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_cli.screen import Screen, View

Document = dict[str, Any]


@click.command(short_help="Show a job of a cluster as it goes.")
@job_argument
@click.option(
    "--progress",
    type=click.Choice(["auto", "live", "plain", "json"]),
    default="auto",
    show_default=True,
    help="As of trimtab run: a block redrawn in place, a line for each change, or a JSON object a line.",
)
@access_options
@format_option("text", "wide", "json")
@click.pass_context
def watch(ctx: click.Context, job: str, progress: str, access: Access, form: str | None) -> None:
    """Show JOB until it has ended, then what came of it, as trimtab get does.

    The exit code is that of the job's end: 0, 1, 3 or 4. Restarts of the API server are waited for. Ctrl-C
    ends the watching only, with exit code 130.

    -o json is --progress json: the events of trimtab run, the last of which holds the report.
    """
    from trimtab_cli.cluster.target import job_name

    ctx.exit(watch_job(job_name(job), access, progress, form))


def watch_job(name: str, access: Access, progress: str, form: str | None) -> int:
    """The exit code of a job that was watched to its end."""
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_cli.cluster.show import options_of, tell_job
    from trimtab_cli.cluster.words import exit_code
    from trimtab_cli.screen import view_of

    view = view_of("json" if form == "json" else progress, None)
    with connect(access) as api:
        jobs = Jobs(api)
        try:
            job = watched(jobs, name, view)
        except KeyboardInterrupt:
            again = f"trimtab watch {name}{options_of(access)}"
            click.echo(f"{name} goes on; {again} shows it again", err=True)
            return 130
        if view.mode != "json":
            tell_job(job, jobs, access, form or "text")
    return int(exit_code(job))


def watched(jobs: "Jobs", name: str, view: "View") -> Document:
    """The job once it has ended; shown on the way."""
    from trimtab_cli.cluster.following import Clock, states
    from trimtab_cli.cluster.reading import age_seconds, has_ended, plan_of, report_of
    from trimtab_cli.cluster.show import kept_in
    from trimtab_cli.screen import open_screen

    first = jobs.get(name)
    age = age_seconds(first, datetime.now(UTC))
    with open_screen(plan_of(first), kept_in(first, jobs), view, lambda: False, age) as screen:
        before: Document | None = None
        for job in states(jobs, name, Clock(screen.note)):
            _show(screen, before, job)
            before = job
            if has_ended(job):
                screen.end(report_of(job))
                return job
    raise AssertionError("a job's states have no end")


def _show(screen: "Screen", before: Document | None, job: Document) -> None:
    """Show a state of the job: the report, and in a sentence why it waits."""
    from trimtab_cli.cluster.reading import report_of
    from trimtab_cli.cluster.words import waits

    waiting = waits(job)
    if waiting and (before is None or waits(before) != waiting):
        screen.note(waiting)
    screen.show(report_of(job))
