"""`-o`: the forms in which an answer is written to standard output.

With `-o` standard output holds the answer and nothing else: progress and remarks go to standard error.
"""

import json
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

Format = Literal["text", "wide", "json", "yaml", "name"]
KIND = "optimizationjob.trimtab.io"
"""What stands before a job's name, as `kubectl -o name` writes it."""
_ALSO: dict[Format, str] = {"wide": "has every figure", "name": "is the name only"}
F = TypeVar("F", bound=Callable[..., Any])


def format_option(*choices: Format) -> Callable[[F], F]:
    """The option -o of a command that can answer in these forms; the value is None where it is not given."""
    meanings = ["text is for a person", *(f"{form} {_ALSO[form]}" for form in choices if form in _ALSO)]
    return click.option(
        "-o",
        "--format",
        "form",
        type=click.Choice(choices),
        help=f"Form of the answer: {', '.join(meanings)}.",
    )


def name_of(job: str) -> str:
    """The job's name as `-o name` writes it."""
    return f"{KIND}/{job}"


def written(value: Any, form: str) -> str:
    """Plain JSON values as JSON or YAML text."""
    if form == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    return to_yaml(value)


def to_yaml(value: Any) -> str:
    """The YAML of plain JSON values, which YAML 1.1 and Kubernetes read back as the same."""
    import yaml

    from trimtab_api.reading import read_scalar

    class Dumper(yaml.SafeDumper):
        """Quotes every text that one of its readers would take for something else."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Dumper, value: str) -> yaml.ScalarNode:
        style = None if read_scalar(value) == value else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110).rstrip("\n")
