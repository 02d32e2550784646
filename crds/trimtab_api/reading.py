"""YAML as kubectl and the API server read it, which is not as PyYAML does.

`1e-4` and `4e1` are numbers, a number without a fraction is whole (`1.0` is 1), `yes`, `on` and `y` are
booleans, a date is a string. What kubectl would quietly change is refused with its line: a repeated key, a
key that is no string, a value that JSON cannot hold; so are aliases that unfold to far too much.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from trimtab_api.errors import Problem, SpecError
from trimtab_api.numbers import whole

MAX_CHARACTERS = 3 * 2**20
"""Of a stream; the API server takes no object above 1.5 MiB."""
MAX_VALUES = 200_000
"""Of one document with its aliases unfolded."""
MAX_DEPTH = 64
Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {each: True for word in ("y", "yes", "true", "on") for each in (word, word.title(), word.upper())}
_WORDS |= {each: False for word in ("n", "no", "false", "off") for each in (word, word.title(), word.upper())}
_WORDS |= {sign + each: float(sign + "inf") for sign in ("", "+", "-") for each in (".inf", ".Inf", ".INF")}
_WORDS |= {".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan}
_WHOLE = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?([.][0-9]+|[0-9]+([.][0-9]*)?)([eE][-+]?[0-9]+)?")
_PLAIN, _STRING = "plain", "tag:yaml.org,2002:str"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where libyaml is
    """Composes nodes without deciding what a plain scalar is."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Return a tag that tells plain scalars from quoted ones."""
        if kind is not yaml.ScalarNode:
            return str(super().resolve(kind, value, implicit))
        return _PLAIN if implicit[0] else _STRING


def read_scalar(text: str) -> Scalar:
    """Return the value of a plain or quoted scalar: "64" is 64, "1e-4" is 0.0001, "'64'" is the string 64."""
    if text[:1] in ("'", '"'):
        try:
            return str(yaml.load(text, yaml.BaseLoader))
        except yaml.YAMLError:
            return text
    return _plain(text)


def read_documents(text: str) -> list[tuple[int, Any]]:
    """Return each document of a stream with its first line; SpecError names the line of what is wrong."""
    if len(text) > MAX_CHARACTERS:
        raise SpecError([Problem("", f"is longer than {MAX_CHARACTERS} characters: no manifest is")])
    try:
        _refuse_depth(text)
        nodes = list(_nodes(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}" if mark else ""
        raise SpecError([Problem(line, f"is not YAML: {error.problem or error.context}")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SpecError([Problem("", f"is not YAML: {str(error).splitlines()[0]}")]) from None
    return [(line_of(node), _Document().value_of(node, 0)) for node in nodes]


def line_of(node: yaml.Node) -> int:
    """Return the line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def _refuse_depth(text: str) -> None:
    """Raise when anything is nested too deeply; composing such a text would overflow the stack of C."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = f"line {event.start_mark.line + 1}" if event.start_mark else ""
            raise SpecError([Problem(line, f"is nested more than {MAX_DEPTH} deep")])


def _nodes(text: str) -> Iterator[yaml.Node]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            yield loader.get_node()
    finally:
        loader.dispose()


def _plain(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    digits = text.replace("_", "") if text[:1] in "+-0123456789" else text
    if _WHOLE.fullmatch(digits):
        return _whole_number(digits)
    if _NUMBER.fullmatch(digits) and math.isfinite(number := float(digits)):
        return whole(number)
    return text


def _whole_number(digits: str) -> int:
    body = digits.lstrip("+-").lower()
    base = {"0x": 16, "0b": 2, "0o": 8}.get(body[:2], 8 if body[0] == "0" else 10)
    number = int(body[2:] if base == 16 or body[1:2] in ("b", "o") else body, base)
    return -number if digits[0] == "-" else number


class _Document:
    """One document on its way from nodes to values; counts what aliases unfold to."""

    def __init__(self) -> None:
        self.values = 0

    def value_of(self, node: yaml.Node, depth: int) -> Any:
        """Return the value of a node: plain JSON."""
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise _refused(node, "unfolds to more than a manifest can hold: write it without aliases")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar_of(node)
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.endswith((":set", ":omap")):
            raise _refused(node, f"has the tag {node.tag}, which Kubernetes does not read: leave it out")
        if isinstance(node, yaml.SequenceNode):
            return [self.value_of(item, depth + 1) for item in node.value]
        return self.mapping_of(node, depth)

    def scalar_of(self, node: yaml.ScalarNode) -> Scalar:
        """Return the value of a scalar."""
        if node.tag == _STRING:
            return str(node.value)
        if node.tag != _PLAIN:
            raise _refused(node, f"has the tag {node.tag}, which Kubernetes does not read: leave it out")
        value = _plain(node.value)
        if isinstance(value, float) and not math.isfinite(value):
            raise _refused(node, f"{node.value} is not a number that JSON can hold")
        return value

    def mapping_of(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        """Return a mapping, with what it merges in by `<<` under its own keys."""
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN and key_node.value == "<<":
                merged = self.merge_of(value_node, depth) | merged
                if repeated := sorted(own.keys() & merged.keys()):  # kubectl would take these from the merge
                    raise _refused(key_node, f"merges over the key {repeated[0]} above it: put << first")
                continue
            key = self.key_of(key_node)
            if key in own:
                raise _refused(key_node, f"repeats the key {key} of line {lines[key]}: keep one of them")
            lines[key] = line_of(key_node)
            own[key] = self.value_of(value_node, depth + 1)
        return merged | own

    def key_of(self, node: yaml.Node) -> str:
        """Return the key of a mapping, which must be a string as it stands."""
        key = self.scalar_of(node) if isinstance(node, yaml.ScalarNode) else None
        if isinstance(key, str):
            return key
        if isinstance(node, yaml.ScalarNode):
            raise _refused(node, f"has the key {node.value}, which YAML reads as no string: put it in quotes")
        raise _refused(node, "has a list or mapping for a key: keys are strings")

    def merge_of(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        """Return what `<<: *a` or `<<: [*a, *b]` brings in; the first has precedence."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in parts:
            if not isinstance(part, yaml.MappingNode):
                raise _refused(node, "merges with << what is not a mapping")
            merged = self.value_of(part, depth + 1) | merged
        return merged


def _refused(node: yaml.Node, message: str) -> SpecError:
    return SpecError([Problem(f"line {line_of(node)}", message)])
