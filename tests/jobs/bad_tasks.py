"""Tasks that are wrong in one way each."""

import os
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import TensorDataset

from trimtab_jobs import SupervisedTask


def rows(count: int, classes: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(count)
    return TensorDataset(torch.randn(count, 8, generator=generator), torch.arange(count) % classes)


class Good(SupervisedTask):
    epochs = 1
    classes = 2

    def splits(self):
        return {name: rows(200, self.classes) for name in ("train", "validation", "test")}

    def build(self, params):
        return nn.Linear(8, 2)


class OneClass(Good):
    classes = 1


class Diverges(Good):
    def loss(self, outputs, targets):
        return super().loss(outputs, targets) * float("nan")


class Reads(Good):
    """Right, as long as its data are there."""

    def splits(self):
        assert Path(self.data["rows"]).read_bytes() == b"rows"
        return super().splits()


class NoBuild(SupervisedTask):
    def splits(self):
        return {name: rows(200, 2) for name in ("train", "validation", "test")}


class Raises(Good):
    def build(self, params):
        raise ValueError("no such layer: conv9")


class OneOutput(Good):
    def build(self, params):
        return nn.Linear(8, 1)


class Exits(Good):
    def splits(self):
        os._exit(3)


def figures_only(params, context):
    return {"accuracy": 0.5}
