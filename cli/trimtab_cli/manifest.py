"""From a manifest's file to a job that this version can run on this machine, or every reason why not."""

import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from trimtab_api.errors import Problem, SpecError
from trimtab_api.job import OptimizationJob
from trimtab_api.manifest import parse_job, parse_profile, read_stream
from trimtab_api.support import refusals
from trimtab_cli.positions import line_of


@dataclass(frozen=True, slots=True)
class Manifest:
    """A valid manifest: the job, the ConfigMaps beside it, and where it came from."""

    source: str
    """What the person called it: a path, or - for standard input."""
    folder: Path
    """What relative paths in it begin from."""
    text: str
    job: OptimizationJob
    config_maps: Mapping[str, Mapping[str, bytes]]
    profile: str | None
    """Name of an OptimizationProfile in the same stream."""


class InvalidManifest(click.ClickException):
    """The manifest cannot be used; `lines` says every problem, one a line."""

    exit_code = 2

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))

    def show(self, file: Any = None) -> None:
        """Print the lines as they are: each begins with the place it is about."""
        for line in self.lines:
            click.echo(line, err=True, file=file)


def read_text(source: str) -> str:
    """The text of a file, or of standard input for "-"; InvalidManifest when it cannot be read."""
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return content.decode("utf-8")
    except IsADirectoryError:
        raise InvalidManifest(
            [f"{source}: is a folder; name the manifest in it, such as {source}/job.yaml"]
        ) from None
    except OSError as error:
        raise InvalidManifest([f"{source}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise InvalidManifest(
            [f"{source}: is not UTF-8 text (byte {error.start}); save it as UTF-8"]
        ) from None


def read_manifest(source: str, given_data: Collection[str] = ()) -> Manifest:
    """The manifest at a path or on standard input.

    InvalidManifest with every problem: what the language refuses, else what this version does not carry out.
    Of `given_data`, the names that the command line gives a path, the manifest's own places do not matter.
    """
    text = read_text(source)
    try:
        documents = read_stream(text)
        if documents.job is None:
            others = f"; it holds {', '.join(documents.others)}" if documents.others else ""
            raise SpecError([Problem("", f"holds no document with kind: OptimizationJob{others}")])
        job = parse_job(documents.job)
    except SpecError as error:
        raise InvalidManifest(lines(source, text, error.problems)) from None
    try:
        profile = parse_profile(documents.profile) if documents.profile else None
    except SpecError as error:
        raise InvalidManifest(lines(source, text, error.problems, "OptimizationProfile")) from None
    refuse(source, text, refusals(job, given_data))
    folder = Path.cwd() if source == "-" else Path(source).resolve().parent
    return Manifest(
        source, folder, text, job, documents.config_maps, profile.metadata.name if profile else None
    )


def refuse(source: str, text: str, problems: Iterable[Problem]) -> None:
    """Raise InvalidManifest when there are problems."""
    told = lines(source, text, problems)
    if told:
        raise InvalidManifest(told)


def lines(source: str, text: str, problems: Iterable[Problem], kind: str = "OptimizationJob") -> list[str]:
    """One line for each problem, in the order of the file: `job.yaml:12: spec.search.trials: must be …`."""
    placed = [_placed(text, problem, kind) for problem in problems]
    placed.sort(key=lambda pair: pair[0] or 0)
    name = "stdin" if source == "-" else source
    return [f"{name}:{line}: {told}" if line else f"{name}: {told}" for line, told in placed]


def _placed(text: str, problem: Problem, kind: str) -> tuple[int | None, str]:
    """The line of a problem and what to say about it; YAML that cannot be read names its line itself."""
    if unread := re.fullmatch(r"line (\d+)", problem.field):
        return int(unread[1]), problem.message
    known = re.match(r"(apiVersion|kind|metadata|spec)\b", problem.field)
    return line_of(text, problem.field, kind) if known else None, str(problem)
