"""The user's code as the driver knows it: its digest and how workers load it; never imported here."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from trimtab_api.plan import Plan
from trimtab_api.reading import read_scalar
from trimtab_jobs.pool import WorkerSetup

ONLY_PYTHON = "*.py"
"""Files that count beside an output of the run itself, which may lie in the same folder."""
EVERY_FILE = "*"
"""Files that count in a folder of code alone, such as a ConfigMap with its settings."""


def setup_of(plan: Plan, store_uri: str, code: str | None, data: Mapping[str, str]) -> WorkerSetup:
    """What each worker needs: the task's arguments are read as YAML scalars."""
    task = plan.spec.task
    arguments = {name: read_scalar(text) for name, text in task.args.items()}
    return WorkerSetup(store_uri, task.entrypoint, arguments, code, dict(data))


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
