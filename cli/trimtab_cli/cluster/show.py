"""A job of a cluster as `trimtab get` and the end of `trimtab watch` show it."""

from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from trimtab_cli.cluster.options import Access
from trimtab_cli.formats import name_of, written

if TYPE_CHECKING:
    from trimtab_cli.cluster.jobs import Jobs

Document = dict[str, Any]


def show_job(name: str, access: Access, form: str) -> None:
    """Print a job of the cluster in the form that was asked for."""
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.jobs import Jobs

    with connect(access) as api:
        jobs = Jobs(api)
        job = jobs.get(name)
        tell_job(job, jobs, access, form)


def tell_job(job: Document, jobs: "Jobs", access: Access, form: str) -> None:
    """Print where a job stands: in words, the headline and everything under it, or as the form asks."""
    from trimtab_cli.cluster import words
    from trimtab_cli.screen import colour, columns

    name = job["metadata"]["name"]
    if form == "name":
        click.echo(name_of(name))
        return
    if form in ("json", "yaml"):
        metadata = {key: value for key, value in job["metadata"].items() if key != "managedFields"}
        click.echo(written({**job, "metadata": metadata}, form))
        return
    telling = words.Telling(kept_in(job, jobs), options_of(access), form == "wide", columns())
    headline, shade = words.title(job)
    click.echo()
    click.echo(f"{name} in namespace {jobs.namespace}: ", nl=False)
    click.secho(headline, fg=shade, bold=True, color=colour())
    click.echo()
    for line in words.lines(job, telling):
        click.echo(line)


def kept_in(job: Document, jobs: "Jobs") -> str:
    """The URI of a job's store; empty while it is not known, or not the person's to read."""
    from trimtab_cli.cluster.reading import store_of
    from trimtab_operator.names import plan_name

    return store_of(job, None) or store_of(job, jobs.config_map(plan_name(job["metadata"]["name"])))


def options_of(access: Access) -> str:
    """The options by which a further command means the same cluster, as they are typed."""
    given = (("-n", access.namespace), ("--context", access.context), ("--kubeconfig", access.kubeconfig))
    return "".join(f" {option} {quote(value)}" for option, value in given if value)
