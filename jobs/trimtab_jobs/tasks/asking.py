"""What an evaluation asks a model first, found without a model."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class _Asked(BaseException):
    """A model is asked for its answers: no user code takes this for an error."""

    def __init__(self, inputs: tuple[Any, ...]) -> None:
        super().__init__()
        self.inputs = inputs


def asked_first(evaluate: Callable[..., Any], split: str) -> tuple[Any, ...] | None:
    """Return the inputs of the first call of predict in `evaluate(predict, split)`; None where it makes none.

    No model answers, so nothing of the split is learned. Raises what `evaluate` raises before it asks.
    """
    try:
        evaluate(_ask, split)
    except _Asked as asked:
        return asked.inputs
    return None


def drawn_rows(inputs: tuple[Any, ...], count: int) -> tuple[Array, ...]:
    """Return up to `count` rows of the inputs, the same each time, drawn at random where there are more."""
    parts = tuple(np.asarray(part) for part in inputs)
    rows = len(parts[0])
    if rows <= count:
        return parts
    order = np.random.default_rng(0).permutation(rows)[:count]
    return tuple(part[order] for part in parts)


def _ask(*inputs: Any) -> Any:
    raise _Asked(inputs)
