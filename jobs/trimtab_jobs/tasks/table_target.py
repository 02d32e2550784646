"""What is to be predicted: classes or numbers, and the split of every row."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.arguments import SHARES, Arguments, Name, Names, Seed, SharesOrName, Whole
from trimtab_jobs.tasks.datasets import SPLITS
from trimtab_jobs.tasks.drawing import draw_groups, draw_rows
from trimtab_jobs.tasks.table_columns import (
    Array,
    check_kind,
    find_column,
    is_number,
    is_text,
    reals_of,
    shown,
    texts_of,
)

TARGET = "spec.task.args.target"
MOST_CLASSES = 20
"""Different whole numbers up to which `kind: auto` takes a target for classes."""


class TabularArguments(Arguments):
    """`spec.task.args` of TabularTask."""

    target: Name
    """Column to predict."""
    data: Name | None = None
    """Which set of `spec.task.data` holds the table; omitted: the first."""
    features: Names = ()
    """Columns to predict from, separated by commas; omitted: all others."""
    ignore: Names = ()
    """Columns to leave out, separated by commas."""
    categorical: Names = ()
    """Columns of numbers that are codes of categories, separated by commas; strings always are categories."""
    group: Name | None = None
    """Column that says which rows belong together, such as a patient: they are split and judged together."""
    split: SharesOrName = SHARES
    """Shares of train, validation and test, or the column that names each row's split by these words."""
    seed: Seed = 0
    """Seed of the draw of splits."""
    kind: Literal["auto", "classification", "regression"] = "auto"
    """What the target is; auto: strings, booleans and up to 20 different whole numbers are classes."""
    epochs: Whole = 20
    """Epochs of a full training."""
    batch_size: Whole = 64
    """Rows per step, unless a parameter of that name is searched."""


@dataclass(frozen=True, slots=True)
class Target:
    """The target of every row."""

    values: Array
    """Class numbers (int64) or numbers (float32), (rows,)."""
    classes: tuple[str, ...] | None
    """By number; None for a regression."""


def read_target(table: Any, arguments: TabularArguments) -> Target:
    """Return the target; CodeError when a row lacks it or when nothing can be learned."""
    name = arguments.target
    column = find_column(table, name, "target")
    check_kind(name, column)
    missing = np.asarray(column.is_null(nan_is_null=True))
    if missing.any():
        row = int(np.flatnonzero(missing)[0]) + 1
        raise CodeError(
            f"{TARGET}: column {name!r} is empty in {missing.sum()} of {len(missing)} rows, first in row "
            f"{row}; fill it, or leave such rows out"
        )
    if pc.count_distinct(column).as_py() < 2:
        raise CodeError(
            f"{TARGET}: column {name!r} is {column[0].as_py()!r} in every row: nothing to learn; name another"
        )
    if _kind_of(column, arguments.kind) == "classification":
        return _classes(name, column)
    return _numbers(name, column)


def _kind_of(column: Any, told: str) -> str:
    if told != "auto":
        return told
    if is_text(column) or pa.types.is_boolean(column.type):
        return "classification"
    few = pc.count_distinct(column).as_py() <= MOST_CLASSES
    return "classification" if few and _is_whole(column) else "regression"


def _is_whole(column: Any) -> bool:
    reals = reals_of(column)
    return bool(np.all(reals == np.floor(reals)))


def _classes(name: str, column: Any) -> Target:
    if is_number(column) and not _is_whole(column):
        raise CodeError(
            f"{TARGET}: column {name!r} holds fractions such as {column[0].as_py()!r}, no classes; "
            "write kind: regression"
        )
    texts = texts_of(column)
    numbers = is_number(column) and not pa.types.is_boolean(column.type)
    classes = sorted(texts.unique().to_pylist(), key=int if numbers else str)
    values = np.asarray(pc.index_in(texts, value_set=pa.array(classes, texts.type)))
    single = [each for each, count in zip(classes, np.bincount(values), strict=True) if count == 1]
    if single:
        raise CodeError(
            f"{TARGET}: of column {name!r} {shown(single)} {'is' if len(single) == 1 else 'are'} in one row "
            "only, too few to learn and to test; leave such rows out, or write kind: regression if these "
            "are quantities"
        )
    return Target(values.astype(np.int64), tuple(classes))


def _numbers(name: str, column: Any) -> Target:
    if not is_number(column):
        raise CodeError(
            f"{TARGET}: column {name!r} holds {shown(column.slice(0, 1).to_pylist())}, no numbers, but kind "
            "is regression; mend the table, or write kind: classification"
        )
    values = reals_of(column).astype(np.float32)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0]) + 1
        raise CodeError(
            f"{TARGET}: column {name!r} is not finite as float32 in row {row}; leave that row out"
        )
    return Target(values, None)


def groups_of(table: Any, name: str) -> Array:
    """Return a number per row, the same for rows of one group; CodeError where it is missing."""
    column = find_column(table, name, "group")
    if column.null_count:
        raise CodeError(
            f"spec.task.args.group: column {name!r} is empty in {column.null_count} rows; fill it"
        )
    numbers = np.asarray(column.dictionary_encode().indices)
    if numbers.max() < len(SPLITS) - 1:
        raise CodeError(
            f"spec.task.args.group: column {name!r} has {numbers.max() + 1} different values; it needs 3 or "
            "more, one for each split"
        )
    return numbers.astype(np.int64)


def places_of(table: Any, target: Target, groups: Array | None, arguments: TabularArguments) -> Array:
    """Return the split of each row (0 train, 1 validation, 2 test), drawn or read from a column.

    CodeError when a split would be empty, or when train lacks a class.
    """
    if isinstance(arguments.split, str):
        places = _read_places(table, arguments.split)
        if groups is not None:
            _check_groups(groups, places)
    else:
        strata = np.zeros(len(target.values)) if target.classes is None else target.values
        places = (
            draw_rows(strata, arguments.split, arguments.seed)
            if groups is None
            else draw_groups(groups, strata, arguments.split, arguments.seed)
        )
    for place, split in enumerate(SPLITS):
        if not np.any(places == place):
            raise CodeError(
                f"spec.task.args.split: of {len(places)} rows none is in {split}; add rows, or change the "
                "shares"
            )
    if target.classes is not None:
        _check_classes(target, places)
    return places


def _read_places(table: Any, name: str) -> Array:
    column = find_column(table, name, "split")
    words = texts_of(column) if is_number(column) else column
    codes = pc.index_in(words, value_set=pa.array(SPLITS, words.type)) if is_text(words) else None
    if codes is None or codes.null_count:
        found = words if codes is None else words.filter(codes.is_null())
        raise CodeError(
            f"spec.task.args.split: column {name!r} holds {found[0].as_py()!r}; write {', '.join(SPLITS)} in "
            "every row, or give three shares"
        )
    return np.asarray(codes).astype(np.int8)


def _check_groups(groups: Array, places: Array) -> None:
    pairs = np.unique(np.stack([groups, places]), axis=1)
    if pairs.shape[1] > groups.max() + 1:
        raise CodeError(
            "spec.task.args.group: the split column puts rows of one group into several splits; put each "
            "group into one, or leave group out"
        )


def _check_classes(target: Target, places: Array) -> None:
    assert target.classes is not None  # the caller's
    lacking = np.setdiff1d(np.arange(len(target.classes)), target.values[places == 0])
    if len(lacking):
        names = shown([target.classes[each] for each in lacking])
        raise CodeError(
            f"{TARGET}: the train split has no row of class {names}; add rows of it, draw with another seed, "
            "or put some of them into train"
        )
