"""What takes long to make from the data, made once per node and shared by all its workers as mapped files.

    <cache>/prepared/<key>/facts.json, <name>.npy      (<cache>: see trimtab_jobs.cached)
    <cache>/prepared/<key>.lock

The key is a digest of what went in, so that other data, or other arguments, are another folder. A folder is
whole or not there: it is made under another name, then renamed.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from trimtab_jobs.cached import cache_folder, remove_unused
from trimtab_jobs.pool.errors import CodeError

Array = np.ndarray[Any, np.dtype[Any]]
Make = Callable[[Path], Mapping[str, Any]]
"""Writes <name>.npy files into a folder and returns facts that JSON can hold."""
FORMAT = 1
"""Raised when what is kept changes its meaning."""
UNUSED_SECONDS = 7 * 86_400
"""What no worker has asked for in that time is removed when something else is made."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Facts, and arrays that all workers of the node share until one writes into its own."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]


def prepared(key: str, make: Make, root: Path | None = None) -> Prepared:
    """Return what is kept under the key, made now if no worker of this node has made it.

    CodeError when there is no room for it. Whatever `make` raises leaves nothing behind.
    """
    root = root or cache_folder() / "prepared"
    folder = root / key
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                remove_unused(root, UNUSED_SECONDS)
                _make(folder, make)
            os.utime(folder)
            return _opened(folder)
    except OSError as error:
        raise CodeError(
            f"{root}: what was made of spec.task.data cannot be kept there: {error.strerror or error}; "
            "make room, or set TRIMTAB_CACHE to another folder"
        ) from error


def key_of(root: Path, files: Iterable[Path], *told: object) -> str:
    """Return the digest of what the files are (name, size, time of change) and of what a task was told."""
    digest = hashlib.sha256(repr((FORMAT, *told)).encode())
    for file in files:
        facts = file.stat()
        digest.update(f"\0{file.relative_to(root)}\0{facts.st_size}\0{facts.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def _make(folder: Path, make: Make) -> None:
    unfinished = folder.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a worker that was killed: the lock was its own
    unfinished.mkdir()
    try:
        (unfinished / "facts.json").write_text(json.dumps(make(unfinished)))
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _opened(folder: Path) -> Prepared:
    facts = json.loads((folder / "facts.json").read_text())
    # copy on write: torch takes no array that cannot be written
    return Prepared(facts, {path.stem: np.load(path, mmap_mode="c") for path in sorted(folder.glob("*.npy"))})
