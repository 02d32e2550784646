"""`--set path=value`: fields of the manifest from the command line, read as the manifest itself is. Pure.

spec.search.trials=5                      a field
spec.guardrail[0].maxDrop=0.05            of an item of a list; the index after the last adds one
spec.compress.quantize=[fp16, int8]       a list or mapping, as YAML writes it on one line
spec.compress=null                        the field is removed
metadata.annotations.example\\.com/team=a  a dot that belongs to a name
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from trimtab_api.errors import SpecError
from trimtab_api.reading import read_documents, read_scalar
from trimtab_api.translate import path_of

ROOTS = ("spec", "metadata", "apiVersion", "kind")
_NAME = r"(?:[^.\[\]\\]|\\.)+"
_PATH = re.compile(rf"{_NAME}(?:\[\d+\])*(?:\.{_NAME}(?:\[\d+\])*)*")
_STEP = re.compile(rf"\[(?P<index>\d{{1,6}})\]|(?P<name>{_NAME})")
Step = str | int


class AssignmentError(click.ClickException):
    """An assignment that cannot be read, or does not fit into the manifest."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Assignment:
    """A field and its value; None removes it."""

    text: str
    """As the person wrote it."""
    steps: tuple[Step, ...]
    """Names of fields and indices of items, from the document down."""
    value: Any

    @property
    def path(self) -> str:
        """The field as problems name it: `spec.guardrail[0].maxDrop`."""
        return path_of(self.steps)


def assignments(given: Iterable[str]) -> tuple[Assignment, ...]:
    """The assignments of a command line; AssignmentError names the flag and the fix."""
    return tuple(map(assignment, given))


def assignment(text: str) -> Assignment:
    """The assignment that PATH=VALUE is; AssignmentError when it is none."""
    path, equals, written = text.partition("=")
    if not equals or not _PATH.fullmatch(path):
        raise refused(
            text, "takes PATH=VALUE, such as spec.search.trials=5 or spec.guardrail[0].maxDrop=0.05"
        )
    steps = tuple(
        int(step["index"]) if step["index"] else re.sub(r"\\(.)", r"\1", step["name"])
        for step in _STEP.finditer(path)
    )
    if steps[0] not in ROOTS:
        raise refused(
            text, f"begins with none of {', '.join(ROOTS)}; write the whole path, such as spec.{path}"
        )
    return Assignment(text, steps, _value(text, written))


def assigned(document: Any, given: Sequence[Assignment]) -> Any:
    """The document with the assignments carried out in order; AssignmentError where one does not fit."""
    for each in given:
        document = _placed(document, each, 0)
    return document


def refused(text: str, why: str) -> AssignmentError:
    """The error of one assignment."""
    return AssignmentError(f"--set {text}: {why}")


def _value(text: str, written: str) -> Any:
    if not written.strip():
        raise refused(text, "has no value; null removes the field, '\"\"' is an empty text")
    if written.lstrip()[0] not in "[{":
        return read_scalar(written)
    try:
        return read_documents(written)[0][1]
    except SpecError as error:
        raise refused(text, f"the value {error.problems[0].message}") from None


def _placed(here: Any, given: Assignment, depth: int) -> Any:
    """What is at `depth` of the path, with the assignment below it carried out."""
    if depth == len(given.steps):
        return given.value
    step = given.steps[depth]
    return (
        _in_list(here, given, depth, step) if isinstance(step, int) else _in_mapping(here, given, depth, step)
    )


def _in_mapping(here: Any, given: Assignment, depth: int, name: str) -> Any:
    _check(here is None or isinstance(here, dict), given, depth, f"is {_told(here)}, not a mapping")
    fields: dict[str, Any] = here or {}
    if _removes(given, depth):
        _check(name in fields, given, depth + 1, "is not there to be removed")
        return {key: value for key, value in fields.items() if key != name}
    return fields | {name: _placed(fields.get(name), given, depth + 1)}


def _in_list(here: Any, given: Assignment, depth: int, index: int) -> Any:
    _check(here is None or isinstance(here, list), given, depth, f"is {_told(here)}, not a list")
    items: list[Any] = here or []
    if _removes(given, depth):
        _check(index < len(items), given, depth + 1, "is not there to be removed")
        return items[:index] + items[index + 1 :]
    _check(index <= len(items), given, depth, f"has {len(items)} items; index {len(items)} adds one")
    below = items[index] if index < len(items) else None
    return [*items[:index], _placed(below, given, depth + 1), *items[index + 1 :]]


def _told(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value)


def _removes(given: Assignment, depth: int) -> bool:
    return given.value is None and depth == len(given.steps) - 1


def _check(holds: bool, given: Assignment, depth: int, otherwise: str) -> None:
    if not holds:
        raise refused(given.text, f"{path_of(given.steps[:depth]) or 'the document'} {otherwise}")
