"""`trimtab list`: the jobs of a namespace, or of all."""

from datetime import UTC, datetime

import click

from trimtab_cli.cluster.options import Access, access_options
from trimtab_cli.formats import format_option, name_of, written


@click.command("list", short_help="List the jobs of a cluster.")
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Jobs of all namespaces.")
@click.option(
    "-l",
    "--selector",
    default="",
    metavar="LABELS",
    help="Only jobs with these labels, such as team=vision,stage!=test.",
)
@access_options
@format_option("text", "wide", "json", "yaml", "name")
def list_jobs(everywhere: bool, selector: str, access: Access, form: str | None) -> None:
    """List the jobs of a namespace with their phase, trials, best value, size and speedup.

    As JSON or YAML the answer is a List of the jobs as the API server has them.
    """
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.jobs import Jobs

    with connect(access) as api:
        jobs = Jobs(api)
        found = jobs.all(selector, everywhere)
        if not found and not everywhere:
            jobs.check_namespace()
    if form == "name":
        for job in found:
            click.echo(name_of(job["metadata"]["name"]))
    elif form in ("json", "yaml"):
        click.echo(written({"apiVersion": "v1", "kind": "List", "items": found}, form))
    elif not found:
        where = "in any namespace" if everywhere else f"in namespace {jobs.namespace}"
        click.echo(f"there are no{' such' if selector else ''} jobs {where}", err=True)
    else:
        for line in table(found, datetime.now(UTC), everywhere, form == "wide"):
            click.echo(line)


def table(jobs: list[dict[str, object]], now: datetime, everywhere: bool, wide: bool) -> list[str]:
    """The lines of a list of jobs."""
    from trimtab_cli.cluster import words
    from trimtab_cli.cluster.reading import age_seconds
    from trimtab_cli.summary import aligned

    head = words.WIDE_HEAD if wide else words.HEAD
    rows = [
        [*([_namespace(job)] if everywhere else []), *words.row(job, age_seconds(job, now), wide)]
        for job in jobs
    ]
    return aligned(
        [[*(["NAMESPACE"] if everywhere else []), *head], *rows], left=set(range(len(head) + everywhere))
    )


def _namespace(job: dict[str, object]) -> str:
    from trimtab_operator.manifests import text_at

    return text_at(job, "metadata", "namespace")
