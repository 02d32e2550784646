"""What a local run is asked to do: the plan, its output, its data, and what the person should know first."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join as shell

import click

from trimtab_api.errors import Problem
from trimtab_api.job import DataSource, OptimizationJob
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_api.support import cluster_only
from trimtab_cli.manifest import Manifest, refuse


@dataclass(frozen=True, slots=True)
class Order:
    """A run that may start."""

    plan: Plan
    output: str
    """Folder or URI of everything the run keeps."""
    data: Mapping[str, str]
    """Local path or URI of each set of data, by name."""
    model: str | None
    """Local path of the given model, when it lies in the manifest's folder."""
    notes: tuple[str, ...]
    """What the person should know before it starts, a line each."""
    command: str
    """What starts it, and goes on with it later."""


def order(manifest: Manifest, output: str | None, given: Mapping[str, str]) -> Order:
    """The run of a manifest on this machine; InvalidManifest when its data cannot be found.

    `given` are the paths of the command line, which come before the manifest's own.
    """
    job, model = manifest.job, model_path(manifest)
    place = output or f"trimtab-output/{job.metadata.name}"
    return Order(
        plan=resolve(pinned(job, model), LOCAL_PROFILE),
        output=place,
        data=data_paths(manifest, given),
        model=model,
        notes=tuple(_notes(manifest, output, place)),
        command=_command(manifest, output, given),
    )


def pairs(given: Sequence[str]) -> dict[str, str]:
    """Name → path of each NAME=PATH; UsageError for anything else."""
    split = [text.partition("=") for text in given]
    for name, _, path in split:
        if not name or not path:
            raise click.UsageError(f"--data takes NAME=PATH, such as --data train=folder; got {name!r}")
    return {name: path for name, _, path in split}


def data_paths(manifest: Manifest, given: Mapping[str, str]) -> dict[str, str]:
    """Local path, as given or from the manifest's folder, or URI of each set of data of the task."""
    sources = {source.name: source for source in manifest.job.spec.task.data}
    unknown = sorted(given.keys() - sources.keys())
    if unknown:
        known = ", ".join(sources) or "none"
        raise click.UsageError(
            f"--data {unknown[0]}: the manifest names no such data (spec.task.data: {known})"
        )
    paths = {name: _path(manifest.folder, source, given.get(name)) for name, source in sources.items()}
    problems = [
        Problem(
            f"spec.task.data[{index}]",
            f"there is nothing at {path}; {_written_by(manifest)}give --data {name}=PATH",
        )
        for index, (name, path) in enumerate(paths.items())
        if "://" not in path and not Path(path).exists()
    ]
    refuse(manifest, problems)
    return paths


def _written_by(manifest: Manifest) -> str:
    """What to do first where a script called `prepare.py`, as our examples have, lies beside the manifest."""
    script = manifest.folder / "prepare.py"
    return f"write it with: python {os.path.relpath(script)}, or " if script.exists() else ""


def model_path(manifest: Manifest) -> str | None:
    """Absolute local path of the given model; None where there is none, or it lies at a URI."""
    spec = manifest.job.spec
    if spec.model is None or "://" in spec.model.pretrained.uri:
        return None
    path = os.path.abspath(manifest.folder / spec.model.pretrained.uri)  # a link's own folder holds its data
    if not Path(path).is_file():
        why = f"there is no file {path}; write a path from {manifest.folder}"
        refuse(manifest, [Problem("spec.model.pretrained.uri", why)])
    return path


def pinned(job: OptimizationJob, model: str | None) -> OptimizationJob:
    """The job with the digest of the model at a local path: a run never goes on with another file."""
    if model is None or job.spec.model is None or job.spec.model.pretrained.sha256 is not None:
        return job
    with open(model, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    pretrained = job.spec.model.pretrained.model_copy(update={"sha256": digest})
    given = job.spec.model.model_copy(update={"pretrained": pretrained})
    return job.model_copy(update={"spec": job.spec.model_copy(update={"model": given})})


def _path(folder: Path, source: DataSource, given: str | None) -> str:
    """Where the data lies: as given, at its URI, or at a path from the manifest's folder."""
    uri = str(source.uri)
    if not given and "://" in uri:
        return uri
    return str(Path(given).resolve() if given else (folder / uri).resolve())


def _notes(manifest: Manifest, output: str | None, place: str) -> list[str]:
    """One line for each group of fields that a local run does not follow, and for each choice it makes."""
    job, spec = manifest.job, manifest.job.spec
    notes = []
    if names := cluster_only(job):
        notes.append(f"Only a cluster uses {', '.join(names)}: left aside here")
    if manifest.profile:
        notes.append(f"OptimizationProfile {manifest.profile} is for a cluster: here the profile is local")
    if spec.output and output is None:
        notes.append(
            f"spec.output is for a cluster: here everything is kept in {place} (--output changes that)"
        )
    code = spec.task.code
    if code is not None and code.config_map is not None and code.config_map not in manifest.config_maps:
        notes.append(
            f"ConfigMap {code.config_map} is not in this stream: taking the code from {manifest.folder}"
        )
    return notes


def _command(manifest: Manifest, output: str | None, given: Mapping[str, str]) -> str:
    return shell(["trimtab", "run", manifest.source, *_options(manifest, output, given)])


def _options(manifest: Manifest, output: str | None, given: Mapping[str, str]) -> Iterator[str]:
    if output:
        yield from ("--output", output)
    for name, path in given.items():
        yield from ("--data", f"{name}={path}")
    for each in manifest.given:
        yield from ("--set", each.text)
