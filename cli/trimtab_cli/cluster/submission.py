"""A manifest as the objects that are sent to a cluster: the ConfigMap with its code first, then the job.

`trimtab run` imports the task from the manifest's folder. A cluster has no such folder: where the manifest
names no code, the modules of that folder go along as the ConfigMap <job>-code.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from trimtab_api.digests import canonical
from trimtab_api.errors import Problem
from trimtab_api.manifest import read_stream
from trimtab_api.reading import read_documents
from trimtab_cli.assignments import assigned
from trimtab_cli.manifest import Manifest, refuse

Document = dict[str, Any]
MOST_BYTES = 1_000_000
"""Of a ConfigMap's content; the API server takes 1 MiB with all that is around it."""
CODE = "spec.task.code"


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sent."""

    job: Document
    config_maps: tuple[Document, ...]
    made: str | None = None
    """The ConfigMap that was made of a folder, which goes with the job."""
    notes: tuple[str, ...] = ()
    """What the person should know, a line each."""

    @property
    def documents(self) -> tuple[Document, ...]:
        """All of it in the order in which it is sent."""
        return (*self.config_maps, self.job)

    @property
    def namespace(self) -> str:
        """Namespace of the job."""
        return str(self.job["metadata"]["namespace"])


def submission(manifest: Manifest, namespace: str, code: str | None = None) -> Submission:
    """What a manifest sends to a namespace; `code` is the folder that the command line names.

    InvalidManifest where the code cannot go along.
    """
    documents = [document for _, document in read_documents(manifest.text) if document]
    stream = read_stream(manifest.text)
    job: Document = canonical(assigned(stream.job, manifest.given))
    job.pop("status", None)
    job["metadata"] = {**job["metadata"], "namespace": namespace}
    config_maps = [_placed(each, namespace) for each in documents if each["kind"] == "ConfigMap"]
    notes = _left_aside(manifest.source, [*stream.others, *_profiles(manifest)])
    folder, name = code_from(manifest, code)
    if folder is None:
        return Submission(job, tuple(config_maps), None, notes)
    files, left = code_files(manifest, folder)
    job = {**job, "spec": {**job["spec"], "task": {**job["spec"]["task"], "code": {"configMap": name}}}}
    made = config_map(name, namespace, files)
    told = f"ConfigMap {name} is made of {folder}: {', '.join(sorted(files))}"
    if left:
        told += f"; its folders are left out: {', '.join(left)}"
    return Submission(job, (*config_maps, made), name, (*notes, told))


def code_from(manifest: Manifest, code: str | None) -> tuple[Path | None, str]:
    """The folder whose modules go along, and the ConfigMap's name; None where the manifest has its code."""
    task = manifest.job.spec.task
    given = task.code
    if code is None:
        is_beside = given is None and is_in(manifest.folder, task.entrypoint)
        return (manifest.folder if is_beside else None), f"{manifest.job.metadata.name}-code"
    if given is not None and given.config_map is None:
        refuse(manifest, [Problem(CODE, "says where the code is: leave out --code, or the field")])
    name = given.config_map if given and given.config_map else f"{manifest.job.metadata.name}-code"
    if name in manifest.config_maps:
        refuse(manifest, [Problem(CODE, f"ConfigMap {name} is in this stream: leave out --code")])
    if not Path(code).is_dir():
        raise click.UsageError(f"--code {code}: there is no such folder")
    return Path(code), name


def is_in(folder: Path, entrypoint: str) -> bool:
    """Whether the module of an entrypoint, or its package, lies in a folder."""
    top = entrypoint.partition(":")[0].partition(".")[0]
    return (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()


def code_files(manifest: Manifest, folder: Path) -> tuple[Mapping[str, bytes], list[str]]:
    """The modules of a folder by name, and the folders with modules that a ConfigMap cannot hold."""
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
    left = sorted({path.parent.name for path in folder.glob("*/*.py")})
    top = manifest.job.spec.task.entrypoint.partition(":")[0].partition(".")[0]
    if f"{top}.py" not in files:
        why = (
            f"{top} is a package, and a ConfigMap holds no folders: put it into an image or an archive"
            if top in left
            else f"there is no {top}.py in {folder}: name its folder with --code DIR"
        )
        refuse(manifest, [Problem("spec.task.entrypoint", why)])
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        why = f"the modules of {folder} have {size:,} bytes, a ConfigMap holds 1 MiB: use an image or archive"
        refuse(manifest, [Problem(CODE, why)])
    return files, left


def config_map(name: str, namespace: str, files: Mapping[str, bytes]) -> Document:
    """The ConfigMap of these files; what is not UTF-8 goes as bytes."""
    data, binary = {}, {}
    for file, content in files.items():
        try:
            data[file] = content.decode()
        except UnicodeDecodeError:
            binary[file] = base64.b64encode(content).decode()
    sections = {"data": data} | ({"binaryData": binary} if binary else {})
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **sections}


def owned(made: Document, job: Document) -> Document:
    """A ConfigMap that is deleted with the job it was made for."""
    owner = {
        "apiVersion": job["apiVersion"],
        "kind": job["kind"],
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
    }
    return {**made, "metadata": {**made["metadata"], "ownerReferences": [owner]}}


def _placed(document: Any, namespace: str) -> Document:
    """A ConfigMap of the stream in the job's namespace, unless it names its own."""
    found: Document = canonical(document)
    return {**found, "metadata": {"namespace": namespace, **found["metadata"]}}


def _profiles(manifest: Manifest) -> list[str]:
    return [f"OptimizationProfile/{manifest.profile}"] if manifest.profile else []


def _left_aside(source: str, others: list[str]) -> tuple[str, ...]:
    if not others:
        return ()
    return (f"not submitted: {', '.join(others)}; kubectl apply -f {source} applies all of the stream",)
