"""The network over a table: it takes raw rows, so what was learned of the columns travels inside it.

What is done to the raw values is written so that static quantization leaves it in float: ONNX Runtime's
quantizer takes sums and products to 8 bits, in which a column of thousands beside one of hundredths would be
lost, but no differences and quotients. The first tensor in 8 bits is the encoded row, all of one scale.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from trimtab_jobs.tasks.table_columns import Column

MOST_DEVIATIONS = 6.0
"""Standardized numbers end there: farther ones would cost all others their resolution in 8 bits."""


class RawNumbers(nn.Module):
    """Standardized numbers of a table without categories: (rows, columns) → (rows, columns)."""

    shift: Tensor
    scale: Tensor
    fill: Tensor

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor([each.shift for each in columns]))
        self.register_buffer("scale", torch.tensor([each.scale for each in columns]))
        fills = [(each.fill - each.shift) / each.scale for each in columns]
        self.register_buffer("fill", torch.tensor(fills).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS))

    def forward(self, rows: Tensor) -> Tensor:
        """Return numbers of mean 0 and deviation 1 over the train split; the median where one is missing."""
        numbers = ((rows - self.shift) / self.scale).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
        return torch.where(torch.isnan(rows), self.fill, numbers)


class RawColumns(nn.Module):
    """Rows with categories or missing values, encoded: (rows, columns) → (rows, `width`).

    Each number is one output, each category one output per known value (all 0 for any other value), and each
    column of which the train split misses some one more, which is 1 where it is missing. All are computed
    side by side, with no part of the row cut out and joined again.
    """

    place: Tensor
    shift: Tensor
    scale: Tensor
    fill: Tensor
    is_number: Tensor
    is_gap: Tensor

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        outputs = [output for place, column in enumerate(columns) for output in _outputs(place, column)]
        self.width = len(outputs)
        self.register_buffer("place", torch.tensor([place for place, _, _ in outputs]))
        # of a category the value that is looked for stands where a number has its mean
        shifts = [column.shift if code is None else code for _, column, code in outputs]
        numbers = RawNumbers([column for _, column, _ in outputs])
        self.register_buffer("shift", torch.tensor(shifts, dtype=torch.float32))
        self.register_buffer("scale", numbers.scale)
        self.register_buffer("fill", numbers.fill)
        is_number = [column.categories is None and code is None for _, column, code in outputs]
        self.register_buffer("is_number", torch.tensor(is_number))
        self.register_buffer("is_gap", torch.tensor([code == GAP for _, _, code in outputs]))

    def forward(self, rows: Tensor) -> Tensor:
        """Return the encoded rows."""
        values = rows.index_select(1, self.place)
        gaps = torch.isnan(values)
        numbers = ((values - self.shift) / self.scale).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
        numbers = torch.where(gaps, self.fill, numbers)
        flags = torch.where(self.is_gap, gaps.float(), (values == self.shift).float())
        return torch.where(self.is_number, numbers, flags)


GAP = -2
"""In place of a category's code: the output that says that the value is missing."""


class Quantity(nn.Module):
    """A prediction of deviation 1 in the target's own unit."""

    shift: Tensor
    factor: Tensor

    def __init__(self, mean: float, deviation: float) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(-mean / deviation))
        self.register_buffer("factor", torch.tensor(1 / deviation))

    def forward(self, outputs: Tensor) -> Tensor:
        """Return outputs · deviation + mean, written as a difference and a quotient."""
        return (outputs - self.shift) / self.factor


def encoder_of(columns: Sequence[Column]) -> tuple[nn.Module, int]:
    """Return the module from raw rows to encoded ones, and how many outputs it has."""
    if any(each.categories is not None or each.missing for each in columns):
        encoder = RawColumns(columns)
        return encoder, encoder.width
    return RawNumbers(columns), len(columns)


def layers_of(inputs: int, outputs: int, params: Mapping[str, Any]) -> list[nn.Module]:
    """Return a plain perceptron: `depth` hidden layers of `width` units, with `dropout` after each."""
    widths = [inputs, *[int(params.get("width", 128))] * int(params.get("depth", 2))]
    hidden: list[nn.Module] = []
    for before, after in pairwise(widths):
        hidden += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(float(params.get("dropout", 0.1)))]
    return [*hidden, nn.Linear(widths[-1], outputs)]


def _outputs(place: int, column: Column) -> list[tuple[int, Column, int | None]]:
    """The encoded outputs of a column: its place, the column, and which code sets it (None: its number)."""
    codes: list[int | None] = [None] if column.categories is None else [*range(len(column.categories))]
    gap: list[int | None] = [GAP] if column.missing else []
    return [(place, column, code) for code in (*codes, *gap)]
