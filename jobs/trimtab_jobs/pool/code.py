"""A folder of the user's code, known by its digest; nothing of it is imported here."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

ONLY_PYTHON = "*.py"
"""Files that count beside an output of the run itself, which may lie in the same folder."""
EVERY_FILE = "*"
"""Files that count in a folder of code alone, such as a ConfigMap with its settings."""


def code_digest(entrypoint: str, code: str | None, pattern: str = ONLY_PYTHON) -> str:
    """SHA-256 of the files beside the entrypoint's module and of its package; "" when it is an installed one.

    Modules beside it count, since it may import them; other folders do not: outputs may lie there.
    """
    if code is None:
        return ""
    package = Path(code) / entrypoint.split(":", maxsplit=1)[0].split(".", maxsplit=1)[0]
    digest = hashlib.sha256()
    for file in sorted([*_files(Path(code).glob(pattern)), *_files(package.rglob(pattern))]):
        digest.update(f"{file.relative_to(code)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _files(paths: Iterator[Path]) -> Iterator[Path]:
    """Those that are code: a ConfigMap's own links start with a dot, and Python's caches come and go."""
    return (
        path
        for path in paths
        if path.is_file() and not path.name.startswith(".") and path.parent.name != "__pycache__"
    )
