"""`trimtab report`: the page of a run, made anew from its store."""

from pathlib import Path
from tempfile import mkdtemp

import click

from trimtab_cli.cluster.options import Access, access_options
from trimtab_cli.options import target_argument
from trimtab_cli.stored import opened

PAGE = "report.html"


@click.command(short_help="Make a run's report.html anew.")
@target_argument
@click.option(
    "--to",
    metavar="FILE|-",
    help="Where to write the page; - is standard output.  [default: report.html in OUTPUT]",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@access_options
def report(target: str, to: str | None, show: bool, access: Access) -> None:
    """Make report.html anew from what the run in OUTPUT (a folder or URI) has recorded.

    Works while the run goes on, and after it. Nothing but the page is written. The store of a JOB of a
    cluster has to be reached from here, with the credentials of this machine's environment.
    """
    if to == "-" and show:
        raise click.UsageError("--open needs a file: leave out --to -")
    from trimtab_cli.cluster.store import place_of

    output = place_of(target, access)
    with opened(output) as store:
        from trimtab_jobs.reports import remake_report

        page = remake_report(output)
        if to is None:
            store.put(PAGE, page.encode())
    if to == "-":
        click.echo(page, nl=False)
        return
    place = f"{output.rstrip('/')}/{PAGE}" if to is None else to
    if to is not None:
        write(Path(to), page)
    click.echo(f"Wrote {place}", err=True)
    if show:
        click.launch(_local(place, page))


def write(path: Path, page: str) -> None:
    """Write the page; UsageError when it cannot be."""
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--to {path}: cannot be written: {error.strerror}") from None


def _local(place: str, page: str) -> str:
    """A file that a browser can open: the page itself, or a copy where that lies in a bucket."""
    if "://" not in place:
        return Path(place).resolve().as_uri()
    copy = Path(mkdtemp(prefix="trimtab-report-"), PAGE)
    write(copy, page)
    return copy.as_uri()
