"""A first look at the entrypoint, in milliseconds: its file, its syntax, its name. Nothing is imported.

Workers take seconds to start, and import the module only then. What is certain to fail there is told at once;
whatever is not certain is left to them.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path


def mistake(entrypoint: str, code: str | None) -> str | None:
    """What is certainly wrong with `module:attribute`, in one line; None when nothing is.

    `code` is the folder that comes first on the workers' import path.
    """
    module, _, attribute = entrypoint.partition(":")
    what = f"spec.task.entrypoint {entrypoint!r}"
    path = _file_of(module, code)
    if path is None:
        if _may_be_there(module.partition(".")[0], code):
            return None
        return f"{what}: there is no module {module!r}; {_holds(code)}"
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        line = getattr(error, "lineno", None)
        said = getattr(error, "msg", None) or error
        return f"{what}: {path.name}{f', line {line}' if line else ''}: {said}"
    except OSError:
        return None
    names = _names(tree)
    if names is None or attribute in names:
        return None
    own = sorted(_own(tree))
    if close := get_close_matches(attribute, own, n=1):
        return f"{what}: {module} has no {attribute!r}; did you mean {module}:{close[0]}?"
    return f"{what}: {module} has no {attribute!r}; it defines {', '.join(own) or 'nothing'}"


def _file_of(module: str, code: str | None) -> Path | None:
    """The module's source in the code's folder; None when it is not there."""
    if code is None or module.partition(".")[0] in sys.builtin_module_names:
        return None
    place = Path(code, *module.split("."))
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)


def _may_be_there(top: str, code: str | None) -> bool:
    """Whether a package of that name is installed, or lies in the code's folder in a form not looked into."""
    if code is not None and (Path(code, top).is_dir() or any(Path(code).glob(f"{top}.*"))):
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return True


def _holds(code: str | None) -> str:
    if code is None:
        return "no code was given"
    found = ", ".join(sorted(path.name for path in Path(code).glob("*.py")))
    return f"the code folder holds {found or 'no .py file'}"


def _names(tree: ast.Module) -> set[str] | None:
    """Every name that the module may have at its top level; None when only running it would tell."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Name(id="globals" | "vars" | "exec" | "setattr"):
                return None
            case ast.alias(name="*"):
                return None
            case ast.alias(name=name, asname=asname):
                names.add(asname or name.partition(".")[0])
    return None if "__getattr__" in names else names


def _own(tree: ast.Module) -> Iterator[str]:
    """The public classes and functions that the module defines itself."""
    body: Sequence[ast.stmt] = tree.body
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name
