"""`kubectl trimtab`: the same command under kubectl's name, and what kubectl needs to complete it.

kubectl runs the program `kubectl-trimtab` of the PATH for `kubectl trimtab`, and `kubectl_complete-trimtab`
with the words so far, the last of which is to be completed. It takes proposals a line each, with a tab before
what they mean, and at the end a colon and a directive in the numbers of the Go library cobra.
"""

import sys
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem, ShellComplete

from trimtab_cli import main as command

PROGRAM = "kubectl trimtab"
FILES, NO_FILES, FOLDERS = 0, 4, 16
"""Directives: complete files as well, complete nothing else, complete folders."""


def main() -> None:
    """Runs the command line of `kubectl trimtab` and ends the process."""
    command.main(PROGRAM)


def complete() -> None:
    """Prints what the last word of a command line may become, as kubectl reads it."""
    click.echo("\n".join(proposals(sys.argv[1:])))


def proposals(words: Sequence[str]) -> list[str]:
    """The lines for kubectl: proposals, then the directive."""
    *before, last = words or [""]
    shell = ShellComplete(command.cli, {}, PROGRAM, "")
    found = shell.get_completions(before, last)
    return [*map(_line, (each for each in found if each.type == "plain")), f":{directive(found)}"]


def directive(found: Sequence[CompletionItem]) -> int:
    """What kubectl completes beside the proposals."""
    kinds = {each.type for each in found}
    if "file" in kinds:
        return FILES
    return FOLDERS if "dir" in kinds else NO_FILES


def _line(item: CompletionItem) -> str:
    return f"{item.value}\t{item.help}" if item.help else str(item.value)
