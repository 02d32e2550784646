"""The base of every object in the language: frozen, camelCase outside, nothing unknown inside.

A condition over several fields is a method marked with `rule`: its Python body, its CEL text for the API
server and its one message stand together. Rules are judged for a whole document at once, as the API server
does, when a `Document` is validated; a section on its own is judged field by field only.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from trimtab_api.errors import Problem
from trimtab_api.numbers import whole

Broken = str | tuple[str, object]
"""Where a rule is broken, relative to its model; with the value to show if not the one found there."""
Check = Callable[[Any], bool | Iterable[Broken]]
_WITHOUT_PARTS = {str, int, float, bool, type(None)}
"""Types of most values, asked for first: an operator judges thousands of documents."""


class Model(BaseModel):
    """A frozen part of a document; attributes are snake_case here and camelCase in YAML and JSON."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )


class Document(Model):
    """A whole document: its validation judges every rule of every part and names all that are broken."""

    @model_validator(mode="after")
    def _judge_rules(self) -> Self:
        problems = tuple(broken_rules(self))
        if problems:
            raise refusal(problems)
        return self


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over several fields, as Python and as CEL, with one message for both."""

    at: str
    """Field to blame, relative to the model; empty: the model itself."""
    cel: str
    message: str
    check: Check


def rule(at: str, cel: str, message: str) -> Callable[[Check], Check]:
    """Mark a method as a rule: it returns whether the rule holds, or each place where it is broken."""

    def mark(check: Check) -> Check:
        check.__dict__["rule"] = Rule(at, cel, message, check)
        return check

    return mark


def exactly_one(*fields: str) -> Check:
    """Return the rule that exactly one of some optional fields is given: a union, the Kubernetes way."""
    cel = f"[{', '.join(f'has(self.{field})' for field in fields)}].filter(given, given).size() == 1"

    @rule("", cel, f"must have exactly one of {', '.join(fields)}")
    def _exactly_one(model: Model) -> bool:
        return len(given(model) & set(fields)) == 1

    return _exactly_one


def given(model: BaseModel) -> set[str]:
    """Return the names, as in a manifest, of the fields that are not None."""
    fields = type(model).model_fields.items()
    return {field.alias or name for name, field in fields if getattr(model, name) is not None}


@cache
def rules_of(model: type[BaseModel]) -> tuple[Rule, ...]:
    """Return the rules of a model, in the order of its source."""
    members = (member for parent in reversed(model.__mro__) for member in [*vars(parent).values()])
    found = (getattr(member, "rule", None) for member in members)
    return tuple(each for each in found if isinstance(each, Rule))


def broken_rules(model: BaseModel) -> Iterator[Problem]:
    """Yield a problem for every place in which a rule of the model, or of any part of it, is broken."""
    for path, part in _parts(model, ""):
        for each in rules_of(type(part)):
            verdict = each.check(part)
            broken = [] if verdict is True else [each.at] if verdict is False else verdict
            for place in broken:
                field, value = (place, value_at(part, place)) if isinstance(place, str) else place
                yield Problem(join(path, field), each.message + got(value))


def _parts(model: BaseModel, path: str) -> Iterator[tuple[str, BaseModel]]:
    """Yield a model and all models inside it, with their paths."""
    yield path, model
    for name, alias in _aliases(type(model)):
        value = getattr(model, name)
        if type(value) in _WITHOUT_PARTS:
            continue
        if isinstance(value, BaseModel):
            yield from _parts(value, join(path, alias))
        elif isinstance(value, tuple):
            models = [(index, item) for index, item in enumerate(value) if isinstance(item, BaseModel)]
            for index, item in models:
                yield from _parts(item, f"{join(path, alias)}[{index}]")


@cache
def _aliases(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """Return the names of a model's fields, here and in a manifest."""
    return tuple((name, field.alias or name) for name, field in model.model_fields.items())


def refusal(problems: Iterable[Problem]) -> PydanticCustomError:
    """Return the error by which a validator reports problems at fields below its own."""
    found = tuple(problems)
    text = "; ".join(map(str, found)).replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("problems", text, {"problems": found})


def join(path: str, field: str) -> str:
    """Return the path of a field below another: "spec" and "search.trials" make "spec.search.trials"."""
    return path + field if not path or not field or field.startswith("[") else f"{path}.{field}"


def value_at(model: BaseModel, path: str) -> object:
    """Return what was given at a path such as "parameters[3].when.in", as plain JSON; None if nothing."""
    value: Any = model.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    for step in path.replace("[", ".").replace("]", "").split(".") if path else ():
        value = value[int(step)] if isinstance(value, list) else (value or {}).get(step)
    return value


def got(value: object) -> str:
    """Return the end of a message that shows the value found: `, got 0`; nothing for None and lists."""
    if isinstance(value, dict):
        return f", got {', '.join(value)}" if value else ", got none"
    if value is None or isinstance(value, list):
        return ""
    text = json.dumps(whole(value) if isinstance(value, float) else value, ensure_ascii=False)
    return f", got {text if len(text) <= 60 else text[:57] + '…'}"
