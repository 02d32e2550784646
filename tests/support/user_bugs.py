"""A task with a bug for each value of its parameter `bug`: what people's code may do to a worker."""

import ctypes
import os
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset

from trimtab_jobs import SupervisedTask

CHUNK = b"a storm of words " * 2**16


def rows(count: int) -> TensorDataset:
    generator = torch.Generator().manual_seed(count)
    return TensorDataset(torch.randn(count, 8, generator=generator), torch.arange(count) % 2)


def raises() -> None:
    raise ValueError("no such layer: conv9")


def gpu() -> None:
    torch.ones(1).cuda()


def exits() -> None:
    sys.exit(3)


def leaves() -> None:
    os._exit(3)


def segfault() -> None:
    ctypes.string_at(0)


def aborts() -> None:
    os.abort()


def recursion() -> None:
    recursion()


def ten_gigabytes() -> None:
    np.ones(10 * 2**27)


def ten_gigabytes_of_torch() -> None:
    torch.ones(10 * 2**28)


def leak() -> None:
    kept = []
    while True:
        kept.append(bytearray(2**20))


def nothing() -> None:
    pass


def child() -> None:
    if os.fork() == 0:
        time.sleep(600)


def child_that_goes_on() -> None:
    os.fork()


def storm() -> None:
    print("the first words", flush=True)
    for _ in range(2048):
        os.write(1, CHUNK[: 2**20])
    print("the last words", flush=True)


class Bugs(SupervisedTask):
    epochs = 1

    def splits(self) -> dict[str, TensorDataset]:
        return {name: rows(200) for name in ("train", "validation", "test")}

    def build(self, params: dict[str, str]) -> nn.Module:
        print(f"about to do it: {params['bug']}", flush=True)
        globals()[params["bug"]]() if params["bug"] != "shape" else None
        return nn.Linear(9 if params["bug"] == "shape" else 8, 2)
