"""The image of a pod's first container, which holds its namespaces: catatonit, and nothing else."""

import hashlib
import io
import json
import platform
import shutil
import tarfile
from pathlib import Path

from tests.cluster.programs import UnavailableError

PAUSE = "localhost/pause:test"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_pause_image(path: Path) -> None:
    """Write the image of this machine's catatonit."""
    program = shutil.which("catatonit")
    if program is None:
        raise UnavailableError("catatonit was not found: install the package catatonit")
    path.write_bytes(pause_image(Path(program).read_bytes(), platform.machine()))


def pause_image(program: bytes, machine: str) -> bytes:
    """The image as an archive that `ctr images import` reads; the same bytes for the same program."""
    layer = packed({"catatonit": program})
    described = {
        "architecture": MACHINES[machine],
        "os": "linux",
        "config": {"Entrypoint": ["/catatonit", "-P"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]
    files = {"config.json": encoded(described), "layer.tar": layer, "manifest.json": encoded(manifest)}
    return packed(files)


def packed(files: dict[str, bytes]) -> bytes:
    """An archive of executable files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()
