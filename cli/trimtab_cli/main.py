"""The command `trimtab`: what there is to call, and the last net under it.

Only click is imported here. Each subcommand's module is imported when it is asked for, and imports what is
heavy (pydantic, the driver, rich) inside its function, so that `trimtab --help` answers at once.
"""

import importlib
import io
import sys

import click

COMMANDS = {
    "init": "trimtab_cli.init:init",
    "validate": "trimtab_cli.validate:validate",
    "estimate": "trimtab_cli.estimate:estimate",
    "run": "trimtab_cli.run:run",
    "submit": "trimtab_cli.cluster.submit:submit",
    "list": "trimtab_cli.cluster.list:list_jobs",
    "get": "trimtab_cli.get:get",
    "watch": "trimtab_cli.cluster.watch:watch",
    "logs": "trimtab_cli.logs:logs",
    "wait": "trimtab_cli.cluster.wait:wait",
    "stop": "trimtab_cli.cluster.edit:stop",
    "suspend": "trimtab_cli.cluster.edit:suspend",
    "resume": "trimtab_cli.cluster.edit:resume",
    "retry": "trimtab_cli.cluster.edit:retry",
    "report": "trimtab_cli.report:report",
    "doctor": "trimtab_cli.doctor:doctor",
    "completion": "trimtab_cli.completion:completion",
    "version": "trimtab_cli.version:version",
}
"""Subcommand → module:function, in the order in which a newcomer needs them."""


class LazyGroup(click.Group):
    """A group whose subcommands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), function)
        return command


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def cli() -> None:
    """Turn a model into the smallest, fastest one that still holds its quality, and prove it.

    \b
    Begin with:
      trimtab init my-model
      trimtab run my-model/job.yaml

    \b
    On a cluster, where Trimtab is installed:
      trimtab submit my-model/job.yaml
      trimtab watch JOB

    \b
    Exit codes: 0 done, 1 failed, 2 wrong usage or manifest, 3 guardrail not met,
    4 budget reached with a valid best, 5 cluster or API error, 130 interrupted and resumable.
    """


def main(program: str = "trimtab") -> None:
    """Runs the command line and ends the process; an error nobody foresaw is two lines and a log file."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ shows ? instead of an error
    sys.exit(call(sys.argv[1:], program))


def call(arguments: list[str], program: str = "trimtab") -> int:
    """The exit code of a command line; whatever goes wrong is told on standard error."""
    try:
        return cli.main(arguments, prog_name=program, standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Interrupted", err=True)
        return 130
    except Exception as error:  # the last net: a person meets a message, the traceback goes to a file
        click.echo(f"trimtab: unexpected error: {type(error).__name__}: {error}", err=True)
        click.echo(f"The details are in {write_log(arguments)}", err=True)
        return 1


def write_log(arguments: list[str]) -> str:
    """Path of a new file that holds the command line and the current exception's traceback."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="trimtab-error-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(" ".join(["trimtab", *arguments]) + "\n\n" + traceback.format_exc())
    return log.name
