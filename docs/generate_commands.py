"""Writes the commands into docs/reference/cli.md, and the schema of progress events, from the code.

What stands outside the two marks of cli.md is written by hand and stays as it is.
"""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

from trimtab_cli import events
from trimtab_cli.main import COMMANDS, cli

REFERENCE = Path(__file__).parent / "reference"
BEGIN = "<!-- Generated from the commands by `make crd`: edit their help there. -->\n"
END = "<!-- End of what is generated. -->\n"


def main(reference: Path = REFERENCE) -> None:
    """Bring both files up to date."""
    page = reference / "cli.md"
    page.write_text(generated(page.read_text()))
    (reference / "progress-events.schema.json").write_text(schema())


def generated(page: str) -> str:
    """Return what the page should read, with the commands as they are now between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{''.join(map(section, COMMANDS))}{END}{after}"


def schema() -> str:
    """Return the JSON Schema of a progress event, as text."""
    return json.dumps(events.schema(), indent=1) + "\n"


def section(name: str) -> str:
    """Return the section of one command: its arguments, its help, its options."""
    context = click.Context(cli, info_name="trimtab")
    command = cli.get_command(context, name)
    assert command is not None
    usage = " ".join(parameter.make_metavar(context) for parameter in arguments_of(command))
    title = f"## trimtab {name} {usage}".rstrip()
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    table = "\n".join(["| option | default | |", "|---|---|---|", *map(row, options)]) if options else ""
    return "\n\n".join(filter(None, [title, *paragraphs(command.help or ""), table])) + "\n\n"


def arguments_of(command: click.Command) -> list[click.Argument]:
    """Return the arguments of a command, in order."""
    return [parameter for parameter in command.params if isinstance(parameter, click.Argument)]


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; those that keep their lines become blocks."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield f"```text\n{paragraph.removeprefix(chr(8)).strip(chr(10))}\n```"
        else:
            yield paragraph


def row(option: click.Option) -> str:
    """Return the line of one option: its names and value, its default, what it does."""
    value = "" if option.is_flag else f" {metavar(option)}"
    names = [f"`{each}`" for each in option.opts[:-1]] + [f"`{option.opts[-1]}{value}`"]
    told, _, default = re.sub(r"\s+", " ", option.help or "").partition(" [default: ")
    if option.show_default:
        default = f"`{option.default}`"
    return f"| {', '.join(names)} | {default.rstrip(']')} | {cell(told)} |"


def metavar(option: click.Option) -> str:
    """Return what stands for the option's value, as a cell of a table may hold it."""
    if isinstance(option.type, click.Choice):
        return cell("|".join(option.type.choices))
    return cell(option.metavar or option.type.name.upper())


def cell(text: str) -> str:
    """Return the text as a cell of a table may hold it."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
