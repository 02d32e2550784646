"""From a manifest's file to a job that this version can run on this machine, or every reason why not."""

import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from trimtab_api.errors import Problem, SpecError
from trimtab_api.job import OptimizationJob
from trimtab_api.manifest import parse_job, parse_profile, read_stream
from trimtab_api.support import Where, refusals
from trimtab_cli.assignments import Assignment, assigned
from trimtab_cli.positions import is_written, line_of


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
    given: Sequence[Assignment] = ()
    """Fields that the command line has set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a manifest, and where it comes from."""

    source: str
    """The file, stdin, or the flag of the command line."""
    field: str
    """Path of the field; empty where it is about the whole file."""
    message: str
    line: int | None = None
    """Line of the file, from 1."""

    def __str__(self) -> str:
        """Return the line that a person reads: `job.yaml:12: spec.search.trials: must be at least 1`."""
        place = f"{self.source}:{self.line}" if self.line else self.source
        return ": ".join(filter(None, (place, self.field, self.message)))

    def as_json(self) -> dict[str, str | int]:
        """Return the finding as `trimtab validate -o json` lists it."""
        line = {"line": self.line} if self.line else {}
        return {"source": self.source, **line, "field": self.field, "message": self.message}


class InvalidManifest(click.ClickException):
    """The manifest cannot be used; `findings` says every problem, each printed as one line."""

    exit_code = 2

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """The findings as a person reads them."""
        return tuple(map(str, self.findings))

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
        raise _unreadable(
            source, f"is a folder; name the manifest in it, such as {source}/job.yaml"
        ) from None
    except OSError as error:
        raise _unreadable(source, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _unreadable(source, f"is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def read_manifest(
    source: str,
    given_data: Collection[str] = (),
    given: Sequence[Assignment] = (),
    where: Where = "embedded",
) -> Manifest:
    """The manifest at a path or on standard input, with the fields that the command line has `given`.

    InvalidManifest with every problem: what the language refuses, else what this version does not carry out.
    Of `given_data`, the names that the command line gives a path, the manifest's own places do not matter.
    """
    text = read_text(source)
    try:
        documents = read_stream(text)
        if documents.job is None:
            others = f"; it holds {', '.join(documents.others)}" if documents.others else ""
            raise SpecError([Problem("", f"holds no document with kind: OptimizationJob{others}")])
        job = parse_job(assigned(documents.job, given))
    except SpecError as error:
        raise InvalidManifest(findings_of(source, text, error.problems, given=given)) from None
    try:
        profile = parse_profile(documents.profile) if documents.profile else None
    except SpecError as error:
        raise InvalidManifest(findings_of(source, text, error.problems, "OptimizationProfile")) from None
    folder = Path.cwd() if source == "-" else Path(source).resolve().parent
    profile_name = profile.metadata.name if profile else None
    manifest = Manifest(source, folder, text, job, documents.config_maps, profile_name, given)
    refuse(manifest, refusals(job, given_data, where))
    return manifest


def refuse(manifest: Manifest, problems: Iterable[Problem]) -> None:
    """Raise InvalidManifest when there are problems."""
    found = findings_of(manifest.source, manifest.text, problems, given=manifest.given)
    if found:
        raise InvalidManifest(found)


def _unreadable(source: str, why: str) -> InvalidManifest:
    return InvalidManifest([Finding(_name(source), "", why)])


def _name(source: str) -> str:
    return "stdin" if source == "-" else source


def findings_of(
    source: str,
    text: str,
    problems: Iterable[Problem],
    kind: str = "OptimizationJob",
    given: Sequence[Assignment] = (),
) -> list[Finding]:
    """Each problem with its place, in the order of the file; what the command line has set stands first."""
    found = [
        Finding(flag, problem.field, problem.message)
        if (flag := _flag(text, problem, given))
        else _placed(_name(source), text, problem, kind)
        for problem in problems
    ]
    return sorted(found, key=lambda finding: (not finding.source.startswith("--set "), finding.line or 0))


def _flag(text: str, problem: Problem, given: Sequence[Assignment]) -> str | None:
    """The last `--set` that a problem comes from: it set the field, or brought the section in."""
    for each in reversed(given):
        is_below = problem.field == each.path or re.match(rf"{re.escape(each.path)}[.\[]", problem.field)
        brings_in = re.match(rf"{re.escape(problem.field)}[.\[]", each.path) if problem.field else None
        if is_below or (brings_in and not is_written(text, problem.field)):
            return f"--set {each.text}"
    return None


def _placed(name: str, text: str, problem: Problem, kind: str) -> Finding:
    """The problem with its line; YAML that cannot be read names its line itself."""
    if unread := re.fullmatch(r"line (\d+)", problem.field):
        return Finding(name, "", problem.message, int(unread[1]))
    known = re.match(r"(apiVersion|kind|metadata|spec)\b", problem.field)
    line = line_of(text, problem.field, kind) if known else None
    return Finding(name, problem.field, problem.message, line)
