"""Task: everything that Trimtab asks of a user's code.

`evaluate` sees the model only through `predict`, from arrays to arrays, so that one evaluation serves torch
and ONNX Runtime. It returns rows rather than a number, so that every metric can be given a confidence bound.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.asking import asked_first, drawn_rows
from trimtab_jobs.tasks.how_to import HOW_TO

if TYPE_CHECKING:
    from torch import nn

    from trimtab_jobs.tasks.context import TrainContext

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = tuple[Array, ...]
Rows = Mapping[str, Array]
"""Columns by name, one entry per example along the first axis; `group` marks rows that belong together."""
Metric = Callable[[Rows], float]
Predict = Callable[..., Any]
"""From one array per input of the model to its output array, or a tuple of them; first axis: examples."""


class Task(ABC):
    """Full control: your own training loop and your own evaluation.

    The constructor's keyword arguments are the manifest's `task.args`. Without a constructor of your own they
    set attributes that the class already has, so a misspelt one is an error.
    """

    kind: ClassVar[str] = "module"
    """What a trial of it gives: a torch `module`, or what an `objective` function returns."""
    epochs: int = 10
    """Epochs of a full training: the top rung of early stopping."""
    metrics: Mapping[str, Metric] = {}
    """Functions of the rows; the first is the one that ranks when the manifest names none."""
    data: Mapping[str, str] = {}
    """Local path of each entry of the manifest's `task.data`; set after construction."""

    def __init__(self, **args: Any) -> None:
        for name, value in args.items():
            if name.startswith("_") or not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument {name!r}")
            setattr(self, name, value)

    @abstractmethod
    def build(self, params: Mapping[str, Any]) -> "nn.Module":
        """Return the untrained module for these parameters."""

    @abstractmethod
    def train(self, model: "nn.Module", params: Mapping[str, Any], context: "TrainContext") -> None:
        """Train in place through `context.epochs()`, calling `context.report` after each."""

    @abstractmethod
    def evaluate(self, predict: Predict, split: str) -> Rows:
        """Return one row per example of the split: `train`, `validation` or `test`."""

    def inputs(self, count: int) -> Arrays:
        """Return up to `count` inputs of the train split, the same each time: one array per model input.

        Export, parity checks and the calibration of int8 look at them. By default they are drawn from what
        `evaluate(predict, "train")` asks the model first; CodeError when it asks nothing there.
        """
        try:
            asked = asked_first(self.evaluate, "train")
        except CodeError:
            raise
        except Exception as error:  # whatever user code raises for a split that it does not know
            raise CodeError(
                f"evaluate(predict, 'train') raised {type(error).__name__}: {error}; let it know the train "
                f"split, which calibration looks at, or add:\n{HOW_TO['inputs']}"
            ) from error
        if asked is None:
            raise CodeError(f"evaluate(predict, 'train') asks the model nothing; add:\n{HOW_TO['inputs']}")
        return drawn_rows(asked, count)

    def sizes(self) -> Mapping[str, int | None]:
        """Return the examples of each split, None where that takes a pass over it; empty when not known."""
        return {}

    def check(self) -> None:  # noqa: B027 - a task need not have anything to check
        """Raise CodeError when no parameters at all could be trained: before anything is spent."""

    def preprocessing(self) -> Mapping[str, Any]:
        """Return what who serves the model must know to make its inputs and to read its outputs.

        JSON can hold it; it is published as `preprocessing.json` beside the model, unless it is empty.
        """
        return {}

    def rehearse(self, predict: Predict) -> None:
        """Ask an untrained model for a few examples; raise whatever is wrong with it."""
        predict(*self.inputs(2))

    def metric_functions(self) -> Mapping[str, Metric]:
        """Return every metric by name; the first one ranks."""
        return self.metrics

    def quality(self, predict: Predict, split: str) -> dict[str, float]:
        """Return every metric on the split."""
        rows = self.evaluate(predict, split)
        return {name: float(metric(rows)) for name, metric in self.metric_functions().items()}
