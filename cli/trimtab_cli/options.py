"""Arguments and options that several commands have, in the same words everywhere. Imports click alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])
OUTPUTS = "trimtab-output"
"""Folder in which `trimtab run` keeps its runs unless told otherwise."""


class Complete(click.ParamType[str]):
    """A text that the shell can complete."""

    name = "text"

    def __init__(self, proposals: Callable[[click.Context, str], Iterator[CompletionItem]]) -> None:
        self._proposals = proposals

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What the word on the command line may become."""
        return list(self._proposals(ctx, incomplete))


def runs(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Folders of runs below trimtab-output; else whatever folder the shell knows."""
    del ctx
    found = sorted(str(path.parent) for path in Path(OUTPUTS).glob("*/plan.json"))
    matching = [place for place in found if place.startswith(incomplete)]
    yield from map(CompletionItem, matching)
    if not matching:
        yield CompletionItem(incomplete, type="dir")


def logs(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Names of the logs of the run on the command line, where that is a folder."""
    place = ctx.params.get("target") or ""
    names = (path.stem for path in Path(place, "logs").glob("*.log") if "://" not in place)
    yield from (CompletionItem(name) for name in sorted(names) if name.startswith(incomplete))


def manifests(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Whatever file the shell knows."""
    del ctx
    yield CompletionItem(incomplete, type="file")


def runs_and_jobs(ctx: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Jobs of the cluster that begin so, and folders of runs."""
    from trimtab_cli.cluster.options import jobs

    found = [] if "/" in incomplete else list(jobs(ctx, incomplete))
    yield from found
    yield from (each for each in runs(ctx, incomplete) if each.type == "plain" or not found)


manifest_argument = click.argument("manifest", metavar="MANIFEST", type=Complete(manifests))
target_argument = click.argument("target", metavar="JOB|OUTPUT", type=Complete(runs_and_jobs))


def data_option(command: F) -> F:
    """The option --data."""
    return click.option(
        "--data",
        multiple=True,
        metavar="NAME=PATH",
        help="Where the data NAME of spec.task.data lies; may be repeated.  [default: the manifest's place]",
    )(command)


def set_option(command: F) -> F:
    """The option --set."""
    return click.option(
        "--set",
        "given",
        multiple=True,
        metavar="PATH=VALUE",
        help="Set a field of the manifest, such as spec.search.trials=5 or spec.guardrail[0].maxDrop=0.05; "
        "null removes it; may be repeated.",
    )(command)
