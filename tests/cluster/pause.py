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
    """Write the image as an archive that `ctr images import` reads; the same bytes every time."""
    program = shutil.which("catatonit")
    if program is None:
        raise UnavailableError("catatonit was not found: install the package catatonit")
    layer = packed({"catatonit": Path(program).read_bytes()})
    described = {
        "architecture": MACHINES[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": ["/catatonit", "-P"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]
    files = {"config.json": encoded(described), "layer.tar": layer, "manifest.json": encoded(manifest)}
    path.write_bytes(packed(files))


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
