"""Columns of a table as numbers: raw values, codes of categories, and what the train split says of them.

A category's code is its place in the sorted table of those that the train split has; -1 stands for every
other one, NaN for what is missing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped]  # ships no types

from trimtab_jobs.pool.errors import CodeError

Array = np.ndarray[Any, np.dtype[Any]]
MOST_CATEGORIES = 64
"""Of one column; beyond them the rarest count as `other`."""
OTHER = -1.0
FEW = 20
"""Rows from which on a column whose values all differ is taken for a name or a number of the row."""
TYPO_SHARE = 0.1
"""Share of values that are no numbers up to which they are taken for slips in a column of numbers."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input of the network."""

    name: str
    categories: tuple[str, ...] | None = None
    """By code; None for a column of numbers."""
    shift: float = 0.0
    """Mean of a number over the train split."""
    scale: float = 1.0
    """Its standard deviation."""
    fill: float = 0.0
    """Its median, which stands in for what is missing."""
    missing: bool = False
    """Whether the train split has rows without it: then that is an input of its own."""

    @classmethod
    def read(cls, facts: dict[str, Any]) -> "Column":
        """Return the column that `asdict` and JSON made these facts of."""
        categories = facts["categories"]
        return cls(**facts | {"categories": None if categories is None else tuple(categories)})

    def facts(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def find_column(table: Any, name: str, argument: str) -> Any:
    """Return the column; CodeError with the nearest name when the table has none called so."""
    if name in table.column_names:
        return decoded(table.column(name))
    near = get_close_matches(name, table.column_names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(table.column_names[:30])}"
    raise CodeError(f"spec.task.args.{argument}: the table has no column {name!r}; {hint}")


def decoded(column: Any) -> Any:
    """Return the column in one piece, without a dictionary of its own."""
    kind = column.type
    plain = column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column
    return plain.combine_chunks() if isinstance(plain, pa.ChunkedArray) else plain


def is_text(column: Any) -> bool:
    """Whether the values are strings."""
    kind = column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(column: Any) -> bool:
    """Whether the values are numbers or booleans."""
    kind = column.type
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def texts_of(column: Any) -> Any:
    """Return the values as strings: whole numbers without a fraction, booleans as true and false."""
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        reals = reals_of(column)
        whole = np.all(np.isnan(reals) | (reals == np.floor(reals)))
        column = pa.array(reals, from_pandas=True)  # NaN is missing, as null is
        column = column.cast(pa.int64()) if whole else column
    return column.cast(pa.string())


def reals_of(column: Any) -> Array:
    """Return numbers as float64 (rows,), NaN where missing."""
    whole = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    return np.array(whole.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))


def encode(name: str, column: Any, train: Array, categorical: bool) -> tuple[Column, Array]:
    """Return a feature's facts, learned from the rows of `train`, and its values as float32 (rows,).

    CodeError for values that are neither numbers nor categories, or from which nothing can be learned.
    """
    check_kind(name, column)
    if is_text(column) or categorical:
        return encode_categories(name, texts_of(column), train)
    return encode_numbers(name, column, train)


def encode_categories(name: str, column: Any, train: Array) -> tuple[Column, Array]:
    """Return a category's facts and its codes."""
    _refuse_slips(name, column)
    if len(column) >= FEW and pc.count_distinct(column).as_py() == len(column):
        raise CodeError(
            f"{at(name)} all {len(column)} values differ, so nothing can be learned from it; {_ignore(name)}"
        )
    seen = column.filter(pa.array(train)).drop_null()
    counted = sorted(
        ((each["counts"], each["values"]) for each in pc.value_counts(seen).to_pylist()),
        key=lambda pair: (-pair[0], pair[1]),
    )
    categories = tuple(sorted(value for _, value in counted[:MOST_CATEGORIES]))
    if not categories:
        raise CodeError(f"{at(name)} the train split has no value of it; {_ignore(name)}")
    missing = np.asarray(column.is_null())
    codes = pc.index_in(column, value_set=pa.array(categories, pa.string()))
    values = np.where(missing, np.nan, codes.fill_null(int(OTHER)).to_numpy(zero_copy_only=False))
    facts = Column(name, categories, missing=bool(missing[train].any()))
    return facts, values.astype(np.float32)


def encode_numbers(name: str, column: Any, train: Array) -> tuple[Column, Array]:
    """Return a number's facts and its values as they are."""
    values = reals_of(column)
    if (infinite := np.isinf(values)).any():
        raise CodeError(f"{at(name)} row {_first(infinite)} holds an infinite number; leave it empty")
    if _counts_rows(column, values):
        raise CodeError(
            f"{at(name)} it counts the rows, which says nothing of a new one; {_ignore(name)} "
            "(or write the table without it, as by index=False of pandas)"
        )
    seen = values[train]
    there = seen[~np.isnan(seen)]
    if not len(there):
        raise CodeError(f"{at(name)} the train split has no value of it; {_ignore(name)}")
    mean, deviation = float(there.mean()), float(there.std())
    if deviation and np.spacing(np.float32(np.abs(there).max())) > deviation / 100:
        raise CodeError(
            f"{at(name)} its values around {mean:.6g} differ too little ({deviation:.3g}) to be told apart "
            "as float32; subtract a constant from it in the table"
        )
    facts = Column(
        name, None, mean, deviation or 1.0, float(np.median(there)), missing=len(there) < len(seen)
    )
    return facts, values.astype(np.float32)


def check_kind(name: str, column: Any) -> None:
    """CodeError, with what to do, for a column that is neither numbers nor strings."""
    kind = column.type
    if pa.types.is_null(kind):
        raise CodeError(f"{at(name)} it is empty; {_ignore(name)}")
    if pa.types.is_temporal(kind):
        raise CodeError(
            f"{at(name)} it holds dates or times ({kind}), which a network cannot take; {_ignore(name)}, or "
            "write a number in its place, such as days since an event, or the month"
        )
    if pa.types.is_binary(kind):
        raise CodeError(f"{at(name)} it holds bytes that are not UTF-8 text; save the table as UTF-8")
    if not (is_number(column) or is_text(column)):
        raise CodeError(f"{at(name)} it holds {kind}, neither numbers nor strings; {_ignore(name)}")


def at(name: str) -> str:
    """Return how a message about a column begins."""
    return f"spec.task.data: column {name!r}:"


def shown(values: Sequence[object]) -> str:
    """Return a few values for a message."""
    return ", ".join(map(repr, values[:5])) + (", …" if len(values) > 5 else "")


def _refuse_slips(name: str, column: Any) -> None:
    """CodeError names the first value that keeps a column of numbers from being one."""
    if pc.count_distinct(column).as_py() <= MOST_CATEGORIES // 2:
        return
    texts = column.to_pylist()
    slips = np.array([text is not None and not _is_real(text) for text in texts])
    if 0 < slips.sum() <= TYPO_SHARE * len(texts):
        row = _first(slips)
        raise CodeError(
            f"{at(name)} row {row} holds {texts[row - 1]!r} among numbers; mend it or leave it empty, or "
            f"name the column in spec.task.args.categorical"
        )


def _is_real(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _counts_rows(column: Any, values: Array) -> bool:
    if not pa.types.is_integer(column.type) or len(values) < FEW or np.isnan(values).any():
        return False
    return bool(np.all(np.diff(np.sort(values)) == 1))


def _first(rows: Array) -> int:
    """The number of the first row that is marked, counted from 1 without the header."""
    return int(np.flatnonzero(rows)[0]) + 1


def _ignore(name: str) -> str:
    return f"add {name!r} to spec.task.args.ignore"
