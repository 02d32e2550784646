"""`trimtab stop`, `suspend`, `resume` and `retry`: one edit of spec each, decided on the job as it is."""

from typing import TYPE_CHECKING

import click

from trimtab_cli.cluster.options import Access, access_options, all_option, jobs_argument, named

if TYPE_CHECKING:
    from trimtab_cli.cluster.edits import Decide
    from trimtab_cli.cluster.jobs import Jobs

TRIES = 10
"""How often an edit is decided anew because the job changed meanwhile: its status does every two seconds."""


@click.command(short_help="End a job's search, and go on with its best.")
@jobs_argument
@all_option
@access_options
@click.pass_context
def stop(ctx: click.Context, names: tuple[str, ...], every: bool, access: Access) -> None:
    """End the search of each JOB with the trials it has, and go on with the best: compress, prove, publish.

    spec.search.trials becomes the number of trials that have ended. A job without any is left as it is.
    """
    ctx.exit(edit("stop", named(names, every), access))


@click.command(short_help="Give a job's cluster back, keep what was done.")
@jobs_argument
@all_option
@access_options
@click.pass_context
def suspend(ctx: click.Context, names: tuple[str, ...], every: bool, access: Access) -> None:
    """Give the Ray cluster of each JOB back; what is recorded is kept, and trimtab resume goes on from it."""
    ctx.exit(edit("suspend", named(names, every), access))


@click.command(short_help="Go on with a suspended job.")
@jobs_argument
@all_option
@access_options
@click.pass_context
def resume(ctx: click.Context, names: tuple[str, ...], every: bool, access: Access) -> None:
    """Go on with each suspended JOB from what is recorded: no trial that has a result runs again."""
    ctx.exit(edit("resume", named(names, every), access))


@click.command(short_help="Run a failed job again, from what it has.")
@jobs_argument
@all_option
@access_options
@click.pass_context
def retry(ctx: click.Context, names: tuple[str, ...], every: bool, access: Access) -> None:
    """Run each failed JOB again from what it has; one whose budget ended it goes on searching.

    spec.retry is raised by one. A job that runs or that has succeeded is refused.
    """
    ctx.exit(edit("retry", named(names, every), access))


def edit(verb: str, names: tuple[str, ...], access: Access) -> int:
    """The exit code of an edit of jobs; without names, of all of the namespace that it makes sense for."""
    from trimtab_cli.cluster import edits
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.errors import NotSensibleError
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_cli.cluster.words import worst

    decide: Decide = getattr(edits, verb)
    codes = []
    with connect(access) as api:
        jobs = Jobs(api)
        for name in names or jobs.names():
            try:
                click.echo(edited(jobs, name, decide))
            except click.ClickException as error:
                if names or not isinstance(error, NotSensibleError):
                    codes.append(error.exit_code)
                    error.show()
    return worst(codes)


def edited(jobs: "Jobs", name: str, decide: "Decide") -> str:
    """What was done to a job, or that nothing was to be done."""
    from trimtab_cli.cluster.errors import ConflictError

    for _ in range(TRIES):
        job = jobs.get(name)
        decided = decide(job)
        if not decided.spec:
            return decided.told
        try:
            jobs.edit(job, decided.spec)
        except ConflictError:  # its status was written meanwhile
            continue
        return decided.told
    raise ConflictError(f"{name}: somebody changes it all the time; try again")
