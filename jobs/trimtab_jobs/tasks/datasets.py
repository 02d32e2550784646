"""Datasets as a user gives them, map-style or iterable, to batches of tensors."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, default_collate

from trimtab_jobs.pool.errors import CodeError

SPLITS = ("train", "validation", "test")
Batch = tuple[tuple[Tensor, ...], Tensor]
"""The model's inputs, and the targets."""


def checked_splits(splits: Any) -> Mapping[str, Any]:
    """Return the user's datasets; CodeError names a split that is missing, empty, or not a dataset."""
    if not isinstance(splits, Mapping):
        raise CodeError(f"splits() returned a {type(splits).__name__}; return a dict with the keys {SPLITS}")
    for name in SPLITS:
        if name not in splits:
            raise CodeError(f"splits() has no {name!r} (only {sorted(splits)}); return all of {SPLITS}")
        if not (is_iterable(splits[name]) or is_map_style(splits[name])):
            raise CodeError(
                f"splits()[{name!r}] is a {type(splits[name]).__name__}; give a torch Dataset "
                "(__getitem__ and __len__) or an IterableDataset"
            )
        if size_of(splits[name]) == 0:
            raise CodeError(f"splits()[{name!r}] is empty; give it at least one example")
    return splits


def is_iterable(dataset: Any) -> bool:
    """Whether examples come one after the other, without random access."""
    return isinstance(dataset, IterableDataset)


def is_map_style(dataset: Any) -> bool:
    """Whether examples can be read by their number."""
    return (
        hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and not isinstance(dataset, Mapping)
    )


def size_of(dataset: Any) -> int | None:
    """Return the number of examples, None where only a pass over them would tell."""
    try:
        return len(dataset)
    except TypeError:  # an iterable dataset need not have a length
        return None


def loader_of(dataset: Any, batch_size: int, train: bool) -> DataLoader[Any]:
    """Return batches in a drawn order for training, all of them in their own order otherwise.

    Training drops a last batch that is not full: batch normalization cannot train on a single example.
    """
    enough = (size_of(dataset) or batch_size) >= batch_size
    shuffle = train and not is_iterable(dataset)
    return DataLoader(dataset, batch_size=batch_size, shuffle=shuffle, drop_last=train and enough)


def batches_in(loader: DataLoader[Any], device: str = "cpu") -> Iterator[Batch]:
    """Yield the loader's batches as tensors on the device."""
    for batch in loader:
        yield on_device(batch, device)


def on_device(batch: Any, device: str = "cpu") -> Batch:
    """Return inputs and targets as the usual types: float32 for reals, int64 for classes."""
    if isinstance(batch, Mapping):
        raise CodeError(
            f"an example of splits() is a dict of {', '.join(map(str, batch))}; wrap the dataset in one that "
            "returns pairs, such as ((example['ids'], example['mask']), example['label'])"
        )
    if not isinstance(batch, list | tuple) or len(batch) != 2:
        raise CodeError(
            "an example of splits() must be a pair (input, target); several inputs go into a tuple: "
            "((first, second), target)"
        )
    inputs, targets = batch
    if not isinstance(inputs, list | tuple):
        inputs = (inputs,)
    return tuple(_real32(part).to(device) for part in inputs), _target(targets).to(device)


def first_inputs(dataset: Any, count: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Return up to `count` inputs, the same each time; drawn at random where that is possible."""
    if is_iterable(dataset):
        examples = list(islice(iter(dataset), count))
    else:
        order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))
        examples = [dataset[int(index)] for index in order[:count]]
    inputs, _ = on_device(default_collate(examples))
    return tuple(part.numpy() for part in inputs)


def first_target(dataset: Any) -> Tensor:
    """Return the target of one example, with a first axis of one."""
    example = next(iter(dataset)) if is_iterable(dataset) else dataset[0]
    return on_device(default_collate([example]))[1]


def has_one_class(dataset: Any) -> bool:
    """Whether every target is the same; reads no further than the first that differs.

    Numbers far apart come first, since examples are often sorted by class.
    """
    if is_iterable(dataset):
        targets = (example[1] for example in dataset)
    else:
        stride = max(1, len(dataset) // 256)
        order = (index for start in range(stride) for index in range(start, len(dataset), stride))
        targets = (dataset[index][1] for index in order)
    first = next(targets)
    return all(bool(np.all(np.asarray(target) == np.asarray(first))) for target in targets)


def check_labels(target: Tensor) -> None:
    """CodeError when a target is no row of 0 and 1, one for each label."""
    if target.ndim != 2 or not bool(((target == 0) | (target == 1)).all()):
        raise CodeError(
            f"multilabel is set, and a target of splits()['train'] is {target[0].tolist()}; give one row of "
            "0 and 1 for each example, a column for each label"
        )


def check_numbers(datasets: Mapping[str, Any], batch_size: int) -> None:
    """CodeError names the first example that a training sees and that holds a NaN or an infinite number."""
    for name in ("train", "validation"):
        before = 0
        for inputs, targets in batches_in(loader_of(datasets[name], batch_size, train=False)):
            for what, part in (*(("input", each) for each in inputs), ("target", targets)):
                wrong = ~torch.isfinite(part.flatten(1) if part.ndim > 1 else part[:, None]).all(1)
                if wrong.any():
                    example = before + int(wrong.nonzero()[0])
                    raise CodeError(
                        f"splits()[{name!r}]: the {what} of example {example} holds a NaN or an infinite "
                        "number; fill what is missing, or leave such examples out"
                    )
            before += len(targets)


def _real32(part: Tensor) -> Tensor:
    return part.float() if part.dtype == torch.float64 else part


def _target(part: Tensor) -> Tensor:
    return part.float() if part.is_floating_point() else part.long()
