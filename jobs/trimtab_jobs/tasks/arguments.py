"""What a built-in task may be told in `spec.task.args`: checked before anything is read."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from trimtab_api.translate import problems_of
from trimtab_jobs.pool.errors import CodeError


class Arguments(BaseModel):
    """Frozen, nothing unknown; a docstring of a field is its line in the reference."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, use_attribute_docstrings=True
    )


Given = TypeVar("Given", bound=Arguments)


def read_arguments(kind: type[Given], given: Mapping[str, Any]) -> Given:
    """Return the arguments; CodeError has a line for each that is wrong: field, value, what it must be."""
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        problems = problems_of(error, kind)
        raise CodeError("\n".join(f"spec.task.args.{problem}" for problem in problems)) from None


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        word = "yes, y or true" if value else "no, n or false"
        raise PydanticCustomError("name", f"must be a name; unquoted {word} is a boolean: write \"'y'\"")
    return value


def _listed(value: Any) -> Any:
    names = str(_no_boolean(value)).split(",")
    return tuple(name.strip() for name in names if name.strip())


def _numbers(value: Any) -> tuple[float, ...] | None:
    """The numbers of a text such as "0.6, 0.2, 0.2"; None for any other text."""
    try:
        return tuple(float(part) for part in str(_no_boolean(value)).split(","))
    except ValueError:
        return None


def _shares(value: Any) -> Any:
    shares = _numbers(value)
    if shares is None or len(shares) != 3 or not all(0 < share < math.inf for share in shares):
        raise PydanticCustomError(
            "shares", 'must be three shares above 0 for train, validation and test, such as "0.6, 0.2, 0.2"'
        )
    return tuple(share / sum(shares) for share in shares)


def _shares_or_name(value: Any) -> Any:
    return value if _numbers(value) is None else _shares(value)


Name = Annotated[str, BeforeValidator(_no_boolean), Field(min_length=1)]
"""Name of a column or of a set of data."""
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Names separated by commas."""
Shares = Annotated[tuple[float, float, float], BeforeValidator(_shares)]
"""Shares of train, validation and test, which become their parts of 1."""
SharesOrName = Annotated[tuple[float, float, float] | str, BeforeValidator(_shares_or_name)]
"""The same, or the name of a column."""
Seed = Annotated[int, Field(ge=0, lt=2**31)]
"""Seed of the draw of splits."""
Whole = Annotated[int, Field(ge=1, le=1_000_000)]
"""A number of epochs or of examples."""
SHARES: tuple[float, float, float] = (0.6, 0.2, 0.2)
"""Train, validation, test: tests get a fifth, since what can be proven depends on them."""


def chosen_data(data: Mapping[str, str], name: str | None) -> str:
    """Return the local path of the set of data called `name`, by default of the first."""
    if not data:
        raise CodeError("spec.task.data: is empty; add the data, such as - {name: rows, uri: data}")
    if name is None:
        return next(iter(data.values()))
    if name not in data:
        raise CodeError(f"spec.task.args.data: there is no data {name!r}; there is {', '.join(data)}")
    return data[name]
