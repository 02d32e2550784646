"""A small real task that leaves a line in a file each time a piece of a trial begins."""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import Subset, TensorDataset

from trimtab_jobs import SupervisedTask

GREED_BYTES = 4 * 2**30


class Counting(SupervisedTask):
    epochs = 3
    executions = os.path.join(os.environ.get("TRIMTAB_TEST_NOTES", ""), "executions")
    """File that gets a line per started piece."""
    greed = os.path.join(os.environ.get("TRIMTAB_TEST_NOTES", ""), "greed")
    """File whose finder takes GREED_BYTES of memory."""
    pause = 0.0
    """Seconds each epoch waits: a longer window in which a driver can be killed."""

    def splits(self) -> Mapping[str, Any]:
        images, labels = load_digits(return_X_y=True)
        digits = TensorDataset(torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels))
        parts = {"train": range(1000), "validation": range(1000, 1250), "test": range(1250, 1797)}
        return {name: Subset(digits, rows) for name, rows in parts.items()}

    def build(self, params: Mapping[str, Any]) -> nn.Module:
        width = params["width"]
        return nn.Sequential(
            nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)
        )

    def train(self, model: nn.Module, params: Mapping[str, Any], context: Any) -> None:
        started = json.dumps([dict(params), context.done]) + "\n"
        with open(self.executions, "ab", buffering=0) as file:
            file.write(started.encode())
            os.fsync(file.fileno())
        print(f"training with {dict(params)}", flush=True)
        with suppress(FileNotFoundError):
            os.unlink(self.greed)
            _ = b"x" * GREED_BYTES
        super().train(model, params, context)

    def schedule(self, progress: float) -> float:
        if progress * self.epochs % 1 == 0:
            time.sleep(self.pause)
        return super().schedule(progress)
