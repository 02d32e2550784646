"""`trimtab get`: a run as its store has it, under way or ended."""

import click

from trimtab_cli.formats import format_option
from trimtab_cli.options import output_argument
from trimtab_cli.run import tell
from trimtab_cli.stored import opened


@click.command(short_help="Show a run: what came of it, or where it stands.")
@output_argument
@format_option("text", "wide", "json", "yaml", "name")
def get(output: str, form: str | None) -> None:
    """Show the run that is kept in OUTPUT (a folder or URI): what came of it, or where it stands.

    The text is the summary with which `trimtab run` ends. JSON and YAML hold result.json.
    """
    from trimtab_jobs.reports import report_of

    with opened(output) as store:
        report = report_of(store)
    tell(report, output, f"trimtab run MANIFEST --output {output}", form or "text")
