"""Tasks that are plain functions: the one that the entrypoint names, and those beside it in its module.

A script keeps its shape this way. `train(model, params, context)` with `build(params)` beside it is the same
as a Task with these methods; `objective(params, context)` may use any framework.
"""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.base import Arrays, Predict, Rows, Task
from trimtab_jobs.tasks.how_to import HOW_TO

if TYPE_CHECKING:
    from torch import nn

    from trimtab_jobs.tasks.context import TrainContext

Function = Callable[..., Any]
JUDGING = ("evaluate", "metrics")
"""What a model is judged by, however it was made."""
SIGNATURES = "def objective(params, context) or def train(model, params, context)"


class FunctionTask(Task):
    """A training function with `build`, `evaluate` and `metrics` beside it; if need be `epochs`, `inputs`."""

    needed: ClassVar[tuple[str, ...]] = ("build", *JUDGING)
    """Names that the module must have."""

    def __init__(self, function: Function, beside: ModuleType) -> None:
        self._function, self._beside = function, beside
        self.metrics = beside.metrics if _is_there(beside, "metrics") else {}
        if isinstance(epochs := getattr(beside, "epochs", None), int):
            self.epochs = epochs

    def build(self, params: Mapping[str, Any]) -> "nn.Module":
        """Return what the module's `build` returns."""
        module: nn.Module = self._beside.build(params)
        return module

    def train(self, model: "nn.Module", params: Mapping[str, Any], context: "TrainContext") -> None:
        """Call the function."""
        self._function(model, params, context)

    def evaluate(self, predict: Predict, split: str) -> Rows:
        """Return what the module's `evaluate` returns."""
        rows: Rows = self._beside.evaluate(predict, split)
        return rows

    def inputs(self, count: int) -> Arrays:
        """Return what the module's `inputs` returns, if it has one."""
        if not _is_there(self._beside, "inputs"):
            return super().inputs(count)
        arrays: Arrays = self._beside.inputs(count)
        return arrays


class JudgedFunctions(FunctionTask):
    """What a given model is judged by: `evaluate` and `metrics` of a module."""

    needed = JUDGING


class Objective(FunctionTask):
    """A function of any framework from parameters to figures, and the ONNX file of a model if it likes."""

    kind = "objective"
    epochs = 1
    needed = ()

    @property
    def lacking(self) -> str:
        """What to add, in words, for a model to follow from the search; "" when nothing lacks."""
        missing = [name for name in JUDGING if not _is_there(self._beside, name)]
        return how_to_add(self._beside.__name__, missing) if missing else ""

    def call(self, params: Mapping[str, Any], context: "TrainContext") -> Any:
        """Return what the function returns."""
        return self._function(params, context)


def task_of_function(function: Function, beside: ModuleType, args: Mapping[str, Any], given: bool) -> Task:
    """Return the task that a function of the module makes; `args` are keyword arguments of the function.

    With a `given` model the function itself is not called. CodeError says what the module lacks.
    """
    if given:
        kind: type[FunctionTask] = JudgedFunctions
    else:
        kind = _kind_of(function, args)
        function = partial(function, **args)
    missing = [name for name in kind.needed if not _is_there(beside, name)]
    if missing:
        raise CodeError(how_to_add(beside.__name__, missing))
    return kind(function, beside)


def how_to_add(module: str, names: list[str]) -> str:
    """Return in words what a module lacks, and the lines to add."""
    lines = [textwrap.dedent(HOW_TO[name]).replace("(self, ", "(") for name in names]
    return "\n".join([f"{module} has no {', no '.join(names)}; add:", *lines])


def _kind_of(function: Function, args: Mapping[str, Any]) -> type[FunctionTask]:
    """By the number of its parameters; CodeError for another number, or for arguments it does not take."""
    name = getattr(function, "__name__", "the entrypoint")
    signature = inspect.signature(function)
    positional = [
        each
        for each in signature.parameters.values()
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        and each.default is each.empty
        and each.name not in args
    ]
    kinds = {2: Objective, 3: FunctionTask}
    if len(positional) not in kinds:
        raise CodeError(f"{name}{signature} is neither a task nor one of its functions; write {SIGNATURES}")
    try:
        signature.bind(*positional, **args)
    except TypeError as error:
        raise CodeError(f"{name}{signature}, with spec.task.args: {error}") from None
    return kinds[len(positional)]


def _is_there(beside: ModuleType, name: str) -> bool:
    """Whether the module has it, and not something else of that name such as sklearn's `metrics`."""
    found = getattr(beside, name, None)
    return (isinstance(found, Mapping) and bool(found)) if name == "metrics" else callable(found)
