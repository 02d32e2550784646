"""`module:attribute` to a task; whatever is missing is named, with what to add."""

import importlib
import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.base import Task
from trimtab_jobs.tasks.functions import SIGNATURES, Function, Objective, task_of_function
from trimtab_jobs.tasks.how_to import HOW_TO
from trimtab_jobs.tasks.paths import set_paths

TRAINING = ("build", "train")
"""Methods that a task needs only where its model is trained."""


def load_task(
    entrypoint: str,
    args: Mapping[str, Any],
    code: str | None = None,
    data: Mapping[str, str] | None = None,
    given: bool = False,
) -> Task:
    """Return the task that `entrypoint` names: a class constructed with `args`, or the functions of a module.

    `code` is the folder that the message about a missing module lists; it is on sys.path already. With a
    `given` ONNX model nothing is trained, so that `build` and `train` may be missing. CodeError, with what to
    write, for everything that keeps the entrypoint from being a task.
    """
    set_paths(data or {})
    module_name, _, attribute = entrypoint.partition(":")
    module = _import(entrypoint, module_name, code)
    found = _attribute(entrypoint, module, attribute, code)
    if callable(found) and not inspect.isclass(found):
        task = _of_function(entrypoint, found, module, args, given)
    else:
        task = _construct(entrypoint, _task_class(entrypoint, found, given), args)
    task.data = dict(data or {})
    if not task.metric_functions() and not isinstance(task, Objective):
        raise CodeError(
            f"spec.task.entrypoint {entrypoint!r}: {type(task).__name__} has no metric; add one:\n"
            f"{HOW_TO['metrics']}"
        )
    return task


def _of_function(
    entrypoint: str, function: Function, module: ModuleType, args: Mapping[str, Any], given: bool
) -> Task:
    try:
        return task_of_function(function, module, args, given)
    except CodeError as error:
        raise CodeError(f"spec.task.entrypoint {entrypoint!r}: {error}") from None


def _import(entrypoint: str, name: str, code: str | None) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise CodeError(
                f"spec.task.entrypoint {entrypoint!r}: {name} imports {error.name!r}, which is not installed"
            ) from None
        place = f"the code folder holds {_files_in(code)}" if code else "no code was given"
        raise CodeError(
            f"spec.task.entrypoint {entrypoint!r}: there is no module {name!r}; {place}"
        ) from None
    except Exception as error:  # whatever the user's module raises while it is imported
        raise CodeError(
            f"spec.task.entrypoint {entrypoint!r}: importing {name} raised {type(error).__name__}: {error}"
        ) from error.with_traceback(_of_the_module(error.__traceback__))


def _of_the_module(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames that import a module: they tell its author nothing."""
    while trace and (trace.tb_frame.f_globals.get("__name__") or "").startswith((__name__, "importlib")):
        trace = trace.tb_next
    return trace


def _attribute(entrypoint: str, module: ModuleType, name: str, code: str | None) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    own = [
        key
        for key, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not key.startswith("_")
    ]
    own += getattr(module, "__all__", ())  # what a package resolves on first use
    if close := get_close_matches(name, own, n=1):
        hint = f"did you mean {module.__name__}:{close[0]}?"
    elif code and not _is_in(module, code):
        place = getattr(module, "__file__", None) or "a part of Python"
        hint = f"it is {place}; the code folder holds {_files_in(code)}: name one that no other module has"
    else:
        hint = f"it defines {', '.join(sorted(own)) or 'nothing'}"
    raise CodeError(f"spec.task.entrypoint {entrypoint!r}: {module.__name__} has no {name!r}; {hint}")


def _is_in(module: ModuleType, folder: str) -> bool:
    place = getattr(module, "__file__", None)
    return place is not None and Path(place).resolve().is_relative_to(Path(folder).resolve())


def _files_in(folder: str) -> str:
    return ", ".join(sorted(path.name for path in Path(folder).glob("*.py"))) or "no .py file"


def _task_class(entrypoint: str, found: Any, given: bool) -> type[Task]:
    if not (inspect.isclass(found) and issubclass(found, Task)):
        kind = "class" if inspect.isclass(found) else type(found).__name__
        raise CodeError(
            f"spec.task.entrypoint {entrypoint!r}: it is a {kind}, not a task; write {SIGNATURES}, or:\n"
            "from trimtab_jobs import SupervisedTask\n"
            "class Mine(SupervisedTask):\n"
            "    ...  # splits(self) and build(self, params)"
        )
    missing = [method for method in HOW_TO if method in getattr(found, "__abstractmethods__", ())]
    needless = [method for method in missing if given and method in TRAINING]
    for method in missing:
        if method not in needless:
            raise CodeError(
                f"spec.task.entrypoint {entrypoint!r}: {found.__name__} has no method {method!r}; add:\n"
                f"{HOW_TO[method]}"
            )
    return type(found.__name__, (found,), dict.fromkeys(needless, _not_called)) if needless else found


def _not_called(*_: Any) -> Any:
    raise AssertionError("a model that is given is not built or trained")


def _construct(entrypoint: str, kind: type[Task], args: Mapping[str, Any]) -> Task:
    try:
        return kind(**args)
    except CodeError:  # says itself which argument is wrong
        raise
    except Exception as error:  # whatever the user's constructor raises
        raise CodeError(
            f"spec.task.entrypoint {entrypoint!r}: {kind.__name__}({_shown(args)}), with spec.task.args, "
            f"raised {type(error).__name__}: {error}"
        ) from error


def _shown(args: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in args.items())
