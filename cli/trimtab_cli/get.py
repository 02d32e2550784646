"""`trimtab get`: a job of a cluster, or a run as its store has it, under way or ended."""

import click

from trimtab_cli.cluster.options import Access, access_options
from trimtab_cli.formats import format_option
from trimtab_cli.options import target_argument
from trimtab_cli.run import tell
from trimtab_cli.stored import opened


@click.command(short_help="Show a job or a run: what came of it, or where it stands.")
@target_argument
@access_options
@format_option("text", "wide", "json", "yaml", "name")
def get(target: str, access: Access, form: str | None) -> None:
    """Show a JOB of a cluster, or the run that is kept in OUTPUT (a folder or URI).

    What came of it, or where it stands, why, and what to do about it. JSON and YAML hold the job as the API
    server has it, or result.json.
    """
    from trimtab_cli.cluster.target import job_called

    job = job_called(target, access.is_given)
    if job is not None:
        from trimtab_cli.cluster.show import show_job

        show_job(job, access, form or "text")
        return
    with opened(target) as store:
        from trimtab_jobs.reports import report_of

        report = report_of(store)
    tell(report, target, f"trimtab run MANIFEST --output {target}", form or "text")
