"""TabularTask: a CSV or Parquet table and the name of a column; everything else is provided."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from trimtab_jobs.pool.errors import CodeError, ConfigurationError
from trimtab_jobs.tasks.arguments import chosen_data, read_arguments
from trimtab_jobs.tasks.base import Metric, Predict, Rows
from trimtab_jobs.tasks.built_in_metrics import METRICS_OF_NUMBERS, joined, metrics_of_classes
from trimtab_jobs.tasks.datasets import SPLITS
from trimtab_jobs.tasks.metrics import Mean
from trimtab_jobs.tasks.node_cache import Array, Prepared, key_of, prepared
from trimtab_jobs.tasks.supervised import SupervisedTask
from trimtab_jobs.tasks.table_columns import OTHER, Column, encode, find_column
from trimtab_jobs.tasks.table_files import read_table, table_files
from trimtab_jobs.tasks.table_network import Quantity, encoder_of, layers_of
from trimtab_jobs.tasks.table_target import (
    TabularArguments,
    Target,
    groups_of,
    places_of,
    read_target,
)


@dataclass(frozen=True, slots=True)
class Table(Dataset[tuple[Tensor, Tensor]]):
    """Rows of one split: raw features (columns,) float32, and the target."""

    rows: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        """Return one row and its target."""
        return self.rows[row], self.targets[row]


class TabularTask(SupervisedTask):
    """Classification or regression over the rows of a table; see docs/reference/built-in-tasks.md.

    The network takes one float32 matrix (rows, columns): numbers as they are in the table, categories by
    their codes, NaN for what is missing. Parameters: width, depth, dropout, and what every SupervisedTask
    reads.
    """

    def __init__(self, **args: Any) -> None:
        self.arguments = read_arguments(TabularArguments, args)
        self.epochs = self.arguments.epochs
        self.batch_size = self.arguments.batch_size

    def splits(self) -> Mapping[str, Any]:
        """Return the rows of train, validation and test."""
        rows, targets = (torch.from_numpy(self._prepared.arrays[name]) for name in ("rows", "targets"))
        return {split: Table(rows[self._bounds[split]], targets[self._bounds[split]]) for split in SPLITS}

    def build(self, params: Mapping[str, Any]) -> nn.Module:
        """Return encoder and perceptron; of a regression the output is in the target's own unit."""
        _check_sizes(params)
        encoder, width = encoder_of(self.columns)
        if self.classes is not None:
            return nn.Sequential(encoder, *layers_of(width, len(self.classes), params))
        return nn.Sequential(encoder, *layers_of(width, 1, params), Quantity(*self._unit))

    def loss(self, outputs: Any, targets: Tensor) -> Tensor:
        """Return the cross-entropy, or the squared error in units of the target's variance over train."""
        if self.classes is not None:
            return super().loss(outputs, targets)
        return super().loss(outputs / self.error_unit(), targets / self.error_unit())

    def error_unit(self) -> float:
        """Return the deviation of a regression's target over the train split; 1 for classes."""
        return self._unit[1] if self.classes is None else 1.0

    def evaluate(self, predict: Predict, split: str) -> Rows:
        """Return the rows of the split, with their `group` where the table has one."""
        rows = super().evaluate(predict, split)
        groups = self._prepared.arrays.get("groups")
        return rows if groups is None else {**rows, "group": groups[self._bounds[split]]}

    def metric_functions(self) -> Mapping[str, Metric]:
        """Return the metrics of the kind of task; in groups no example stands for itself."""
        classes = self.classes
        further = METRICS_OF_NUMBERS if classes is None else metrics_of_classes(len(classes))
        functions = joined(super().metric_functions(), further)
        if self.arguments.group is None:
            return functions
        return {
            name: Mean(each.column) if isinstance(each, Mean) else each for name, each in functions.items()
        }

    def check_examples(self) -> None:
        """Find nothing: what is missing may be, and all else was looked at when the table was read."""

    def preprocessing(self) -> Mapping[str, Any]:
        """Return the columns of the input in order, codes of categories, and classes of the output."""
        columns = [_described(column) for column in self.columns]
        classes = {} if self.classes is None else {"classes": list(self.classes)}
        return {
            "input": "float32 (rows, columns): numbers as they are, codes of categories, NaN where missing",
            "columns": columns,
            "output": {"target": self.arguments.target, **classes},
        }

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The inputs of the network, in order."""
        return tuple(Column.read(facts) for facts in self._prepared.facts["columns"])

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The classes in the order of the network's outputs; None for a regression."""
        classes = self._prepared.facts["classes"]
        return None if classes is None else tuple(classes)

    @property
    def _unit(self) -> tuple[float, float]:
        """Mean and deviation of a regression's target over the train split."""
        mean, deviation = self._prepared.facts["unit"]
        return mean, deviation

    @property
    def _bounds(self) -> Mapping[str, slice]:
        """Where each split lies: prepared rows are in the order of their splits."""
        ends = np.cumsum([0, *self._prepared.facts["sizes"]]).tolist()
        return {split: slice(ends[place], ends[place + 1]) for place, split in enumerate(SPLITS)}

    @cached_property
    def _prepared(self) -> Prepared:
        path = Path(chosen_data(self.data, self.arguments.data))
        files = table_files(path)
        told = self.arguments.model_dump(exclude={"data", "epochs", "batch_size"})
        key = key_of(path if path.is_dir() else path.parent, files, "table", str(path), told)
        return prepared(key, lambda folder: prepare(files, self.arguments, folder))


def prepare(files: tuple[Path, ...], arguments: TabularArguments, folder: Path) -> Mapping[str, Any]:
    """Write rows, targets and groups into the folder, split by split, and return what was learned of them."""
    table = read_table(files)
    target = read_target(table, arguments)
    groups = groups_of(table, arguments.group) if arguments.group else None
    places = places_of(table, target, groups, arguments)
    names = feature_names(table, arguments)
    order = np.argsort(places, kind="stable")
    rows = np.lib.format.open_memmap(
        folder / "rows.npy", mode="w+", dtype=np.float32, shape=(len(order), len(names))
    )
    columns = []
    for number, name in enumerate(names):
        column = find_column(table, name, "features")
        facts, values = encode(name, column, places == 0, name in arguments.categorical)
        rows[:, number] = values[order]
        columns.append(facts.facts())
    rows.flush()
    np.save(folder / "targets.npy", target.values[order])
    if groups is not None:
        np.save(folder / "groups.npy", groups[order])
    return {
        "columns": columns,
        "classes": target.classes,
        "unit": _unit_of(target, places == 0),
        "sizes": np.bincount(places, minlength=len(SPLITS)).tolist(),
    }


def feature_names(table: Any, arguments: TabularArguments) -> list[str]:
    """Return the columns to predict from, in the table's order; CodeError for one that it does not have."""
    for argument in ("features", "ignore", "categorical"):
        for name in getattr(arguments, argument):
            find_column(table, name, argument)
    if arguments.target in arguments.features:
        raise CodeError(
            f"spec.task.args.features: {arguments.target!r} is the target; remove it from the features"
        )
    split = arguments.split if isinstance(arguments.split, str) else None
    left_out = {arguments.target, arguments.group, split, *arguments.ignore}
    wanted = set(arguments.features) or set(table.column_names) - left_out
    names = [name for name in table.column_names if name in wanted]
    if not names:
        raise CodeError(
            f"spec.task.data: the table has no column but {', '.join(table.column_names)}: nothing to "
            "predict from; add columns, or take some out of spec.task.args.ignore"
        )
    return names


def _described(column: Column) -> dict[str, Any]:
    if column.categories is None:
        return {"name": column.name, "kind": "number"}
    codes = {category: code for code, category in enumerate(column.categories)}
    return {"name": column.name, "kind": "category", "codes": codes, "other": int(OTHER)}


def _unit_of(target: Target, train: Array) -> tuple[float, float] | None:
    if target.classes is not None:
        return None
    values = target.values[train].astype(np.float64)
    return float(values.mean()), float(values.std()) or 1.0


def _check_sizes(params: Mapping[str, Any]) -> None:
    """ConfigurationError for sizes that make no network."""
    for name, least in (("width", 1), ("depth", 0)):
        if name in params and int(params[name]) < least:
            raise ConfigurationError(f"parameter {name}={params[name]}: must be at least {least}")
