"""Checkpoints of a trial in the store: tensors, numbers and strings only, never a pickled object."""

from pathlib import Path
from typing import Any

import torch

from trimtab_jobs.store import Store


def save_checkpoint(store: Store, key: str, state: dict[str, Any], scratch: Path) -> None:
    """Write the state under the key, through a file in `scratch`."""
    path = scratch / "checkpoint.pt"
    torch.save(state, path)
    store.put_file(key, path)
    path.unlink()


def load_checkpoint(store: Store, key: str, scratch: Path) -> dict[str, Any]:
    """Return the state under the key, on the CPU; MissingError when there is none."""
    path = scratch / "checkpoint.pt"
    store.get_file(key, path)
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    path.unlink()
    return state
