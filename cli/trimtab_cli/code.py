"""Where the user's module is imported from: a ConfigMap of the same stream, else the manifest's folder."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trimtab_cli.manifest import Manifest


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
    with tempfile.TemporaryDirectory(prefix="trimtab-code-") as root:
        folder = Path(root) / digest(files)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        yield str(folder)


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
