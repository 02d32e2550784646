"""Where the user's module is imported from: a ConfigMap of the same stream, else the manifest's folder."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from trimtab_cli.manifest import Manifest

PREFIX = "trimtab-code-"
IN_USE = "in-use"
"""File beside the code, locked while its run lives: the lock ends with the process, however that ends."""


class NoRoomError(click.ClickException):
    """There is no place for temporary files."""

    exit_code = 2


@contextmanager
def code_folder(manifest: Manifest) -> Iterator[str]:
    """The folder that goes first on the workers' import path, as long as the run lasts.

    A ConfigMap's files are written to a folder named after their digest: another content is another folder,
    so nothing stale is ever imported.
    """
    files = config_map_files(manifest)
    if files is None:
        yield str(manifest.folder)
        return
    with temporary_folder() as root:
        folder = root / digest(files)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        yield str(folder)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder, removed at the end; those of runs that were killed are removed first."""
    try:
        remove_abandoned(Path(tempfile.gettempdir()))
        root = Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError as error:
        raise NoRoomError(f"no temporary folder: {error}; set TMPDIR to one that can be written") from None
    try:
        with (root / f"{IN_USE}.new").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(lock.name, root / IN_USE)  # locked before anyone could take it for abandoned
            yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def remove_abandoned(place: Path) -> None:
    """Remove the folders of runs that have ended without removing theirs."""
    for lock in place.glob(f"{PREFIX}*/{IN_USE}"):
        try:
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # its run lives, or it is another person's
            continue


def config_map_files(manifest: Manifest) -> Mapping[str, bytes] | None:
    """File name → content of the ConfigMap that holds the code; None when the code is the folder's.

    Without that ConfigMap in the stream the files beside the manifest are taken: a cluster's ConfigMap is
    usually made from them.
    """
    code = manifest.job.spec.task.code
    if code is None or code.config_map is None:
        return None
    return manifest.config_maps.get(code.config_map)


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents, shortened: the same files give the same folder name."""
    parts = (f"{name}\0{len(content)}\0".encode() + content for name, content in sorted(files.items()))
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
