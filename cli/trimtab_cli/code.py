"""Where the user's module is imported from: a ConfigMap of the same stream, else the manifest's folder."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trimtab_api.errors import Problem

from trimtab_cli.manifest import Manifest, refuse


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
            (folder / name).write_text(content, encoding="utf-8")
        yield str(folder)


def config_map_files(manifest: Manifest) -> dict[str, str] | None:
    """File name → content of the ConfigMap that holds the code; None when the code is the folder's.

    Without that ConfigMap in the stream the files beside the manifest are taken: a cluster's ConfigMap is
    usually made from them.
    """
    code = manifest.job.spec.task.code
    if code is None or code.config_map is None or code.config_map not in manifest.config_maps:
        return None
    files = dict(manifest.config_maps[code.config_map].get("data") or {})
    wrong = [
        name for name, content in files.items() if not _is_file_name(name) or not isinstance(content, str)
    ]
    field, text = "spec.task.code.configMap", "is not a file of text; use keys such as task.py with | blocks"
    refuse(
        manifest.source,
        manifest.text,
        [Problem(field, f"{code.config_map}: {name!r} {text}") for name in wrong],
    )
    return files


def digest(files: Mapping[str, Any]) -> str:
    """SHA-256 over names and contents, shortened: the same files give the same folder name."""
    joined = "".join(f"{name}\0{len(content)}\0{content}" for name, content in sorted(files.items()))
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def _is_file_name(name: object) -> bool:
    return isinstance(name, str) and name not in {"", ".", ".."} and "/" not in name and "\0" not in name
