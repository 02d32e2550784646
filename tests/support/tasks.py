"""Small tasks of a user's, as source text, and sessions that load them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimtab_jobs.pool import Session, WorkerSetup

BLOBS = '''
import torch
from torch import nn
from torch.utils.data import TensorDataset
from trimtab_jobs import SupervisedTask


def blobs(count, seed):
    """Points around three corners of the plane, and which corner."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    corners = torch.tensor([[0.0, 2.0], [2.0, 0.0], [-2.0, -2.0]])
    return TensorDataset(corners[labels] + 0.5 * torch.randn(count, 2, generator=draw), labels)


class Blobs(SupervisedTask):
    epochs = 4
    batch_size = 16

    def splits(self):
        return {"train": blobs(96, 0), "validation": blobs(60, 1), "test": blobs(60, 2)}

    def build(self, params):
        width = params.get("width", 16)
        return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, 3))
'''
"""A classification that trains in a tenth of a second."""


def session_of(
    folder: Path,
    source: str = BLOBS,
    name: str = "Blobs",
    args: Mapping[str, Any] | None = None,
    module: str = "user_task",
) -> Session:
    """A session on a store below the folder, whose task is `name` in a module made of the source.

    Two sessions that are open at once need two modules: Python imports each name once.
    """
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (code / f"{module}.py").write_text(source)
    return Session(
        WorkerSetup(
            store_uri=str(folder / "store"), entrypoint=f"{module}:{name}", args=args or {}, code=str(code)
        )
    )


def trial_work(**changes: Any) -> dict[str, Any]:
    """The payload of a whole trial, with changes."""
    return {
        "trial": 0,
        "params": {"lr": 0.01},
        "seed": 7,
        "last_epoch": None,
        "resume": None,
        "checkpoint": "checkpoints/0/4.pt",
        "objectives": ["accuracy"],
    } | changes
