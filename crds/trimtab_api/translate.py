"""What pydantic says, as a person reads it: the field's path, what it must be, and what it is."""

import difflib
import typing
from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import Any

from pydantic import BaseModel, ValidationError

from trimtab_api.errors import Problem
from trimtab_api.fields import EXPECTED
from trimtab_api.model import got, join
from trimtab_api.numbers import whole

Loc = tuple[int | str, ...]

_MESSAGES = {
    "missing": "is required",
    "model_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "finite_number": "must be a finite number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
}


def problems_of(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """Yield a problem for everything that the validation of a document by this model found."""
    found = error.errors(include_url=False)
    places = {each["loc"] for each in found}
    for each in found:
        if each["type"] == "too_short" and any(
            each["loc"] == place[: len(each["loc"])] != place for place in places
        ):
            continue  # only because pydantic does not count the items that are wrong themselves
        path = path_of(each["loc"])
        context: Mapping[str, Any] = each.get("ctx", {})
        if each["type"] == "problems":
            for problem in context["problems"]:
                yield Problem(join(path, problem.field), problem.message)
        elif each["type"] == "extra_forbidden":
            yield Problem(path, "is not a field" + _nearest(each["loc"], model))
        else:
            yield Problem(path, _message(each["type"], each["msg"], context, each["input"]))


def path_of(loc: Loc) -> str:
    """Return a location as a path: ("spec", "targets", 0, "name") is spec.targets[0].name."""
    path = ""
    for step in loc:
        path = join(path, f"[{step}]" if isinstance(step, int) else step)
    return path


def _message(kind: str, message: str, context: Mapping[str, Any], value: object) -> str:
    if kind == "missing":
        return _MESSAGES[kind]
    if context.get("min_length") == 1:
        return "must not be empty"
    if kind == "string_type":
        return _not_a_string(value)
    if kind == "literal_error":
        return f"must be {context['expected'].replace(chr(39), '')}{got(value)}"
    if kind == "string_pattern_mismatch":
        return f"must be {EXPECTED.get(context['pattern'], context['pattern'])}{got(value)}"
    if kind in _MESSAGES:
        shown = len(value) if kind.endswith(("_long", "_short")) and isinstance(value, Sized) else value
        limits = {
            name: whole(limit) if isinstance(limit, float) else limit for name, limit in context.items()
        }
        return _MESSAGES[kind].format_map(limits) + got(shown)
    return message[:1].lower() + message[1:] + got(value)


def _not_a_string(value: object) -> str:
    if isinstance(value, int | float):
        return f"must be a string: put it in quotes{got(value)}"
    return f"must be a string{got(value)}"


def _nearest(loc: Loc, model: type[BaseModel]) -> str:
    """Return a hint at the field that was meant, if one of the same section has nearly this name."""
    for step in loc[:-1]:
        field = next((each for each in model.model_fields.values() if each.alias == step), None)
        inner = field and model_in(field.annotation)
        model = inner or model
    names = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(str(loc[-1]), names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; fields here are {', '.join(names)}" if names else "; it has no options"


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a field's type is made of, as X of `tuple[X, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts: Sequence[Any] = typing.get_args(annotation)
    return next((found for part in parts if (found := model_in(part))), None)
