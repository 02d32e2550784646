"""The search space: ranges and choices, their defaults and their conditions.

Defaults and choices are written as strings, since the API server knows no field that takes any scalar; a rule
reads them as CEL's double(), int() and string() do.
"""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from trimtab_api.fields import Identifier, IntOrScalar, Scalar, Unique, WholeNumber
from trimtab_api.model import Broken, Model, exactly_one, rule

_NUMBER = r"^[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,3})?$"
_WHOLE = r"^[-+]?[0-9]{1,15}$"
_STEPS = "(double(self.default) - self.float.low) / self.float.step"
_GAP = f"{_STEPS} - double(int({_STEPS} + 0.5))"


class FloatRange(Model):
    """Real numbers from low to high."""

    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    log: bool = False
    """Draw on a logarithmic scale; low must be above 0."""
    step: Annotated[float, Field(gt=0)] | None = None
    """Distance between values; omitted: any value."""

    @rule("high", "self.low < self.high", "must be above low")
    def _high_above_low(self) -> bool:
        return self.low < self.high

    @rule("low", "!has(self.log) || !self.log || self.low > 0.0", "must be above 0 with log")
    def _log_of_positive(self) -> bool:
        return not self.log or self.low > 0

    @rule("step", "!has(self.step) || !has(self.log) || !self.log", "cannot be combined with log")
    def _step_is_linear(self) -> bool:
        return self.step is None or not self.log

    @rule("step", "!has(self.step) || self.step <= self.high - self.low", "must be at most high - low")
    def _step_inside(self) -> bool:
        return self.step is None or self.step <= self.high - self.low

    def holds(self, value: float) -> bool:
        """Return whether a value lies in the range and, where there is a step, on it."""
        if not self.low <= value <= self.high:
            return False
        steps = 0 if self.step is None else (value - self.low) / self.step
        return abs(steps - int(steps + 0.5)) < 1e-8


class IntRange(Model):
    """Whole numbers from low to high."""

    low: WholeNumber
    """Smallest value."""
    high: WholeNumber
    """Largest value."""
    log: bool = False
    """Draw on a logarithmic scale; low must be above 0."""
    step: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = None
    """Distance between values; omitted: 1."""

    @rule("high", "self.low < self.high", "must be above low")
    def _high_above_low(self) -> bool:
        return self.low < self.high

    @rule("low", "!has(self.log) || !self.log || self.low > 0", "must be above 0 with log")
    def _log_of_positive(self) -> bool:
        return not self.log or self.low > 0

    @rule("step", "!has(self.step) || !has(self.log) || !self.log", "cannot be combined with log")
    def _step_is_linear(self) -> bool:
        return self.step is None or not self.log

    @rule(
        "step",
        "!has(self.step) || (self.high - self.low) % self.step == 0",
        "must lead from low to high in whole steps",
    )
    def _step_divides(self) -> bool:
        return self.step is None or (self.high - self.low) % self.step == 0

    def holds(self, value: int) -> bool:
        """Return whether a value lies in the range and on its step."""
        return self.low <= value <= self.high and (value - self.low) % (self.step or 1) == 0


class When(Model):
    """The condition under which a parameter is drawn at all."""

    parameter: Identifier
    """A categorical parameter declared above this one."""
    in_: Annotated[tuple[IntOrScalar, ...], Field(alias="in", min_length=1, max_length=16)]
    """Its values for which this parameter applies."""


class Parameter(Model):
    """A parameter of the search space: exactly one of float, int, categorical."""

    name: Identifier
    """Name by which the code reads it from params."""
    float_: Annotated[FloatRange | None, Field(alias="float")] = None
    """Real numbers in a range."""
    int_: Annotated[IntRange | None, Field(alias="int")] = None
    """Whole numbers in a range."""
    categorical: Annotated[tuple[IntOrScalar, ...], Field(min_length=1, max_length=64), Unique()] | None = (
        None
    )
    """Choices: integers or strings; other values quoted, and read as YAML scalars."""
    default: Scalar | None = None
    """Value of the baseline, quoted; omitted: the middle of the range, or the first choice."""
    when: When | None = None
    """Draw it only under this condition."""

    _one_kind = exactly_one("float", "int", "categorical")

    @rule(
        "default",
        f"!has(self.default) || !has(self.float) || (self.default.matches('{_NUMBER}')"
        " && double(self.default) >= self.float.low && double(self.default) <= self.float.high"
        f" && (!has(self.float.step) || ({_GAP} < 1e-8 && {_GAP} > -1e-8)))",
        "must be a number from low to high, in whole steps from low",
    )
    def _float_default(self) -> bool:
        if self.default is None or self.float_ is None:
            return True
        return bool(re.fullmatch(_NUMBER, self.default)) and self.float_.holds(float(self.default))

    @rule(
        "default",
        f"!has(self.default) || !has(self.int) || (self.default.matches('{_WHOLE}')"
        " && int(self.default) >= self.int.low && int(self.default) <= self.int.high"
        " && (!has(self.int.step) || (int(self.default) - self.int.low) % self.int.step == 0))",
        "must be a whole number from low to high, in whole steps from low",
    )
    def _int_default(self) -> bool:
        if self.default is None or self.int_ is None:
            return True
        return bool(re.fullmatch(_WHOLE, self.default)) and self.int_.holds(int(self.default))

    @rule(
        "default",
        "!has(self.default) || !has(self.categorical)"
        " || self.categorical.exists(choice, string(choice) == self.default)",
        "must be one of the choices",
    )
    def _default_is_a_choice(self) -> bool:
        choices = self.categorical
        return self.default is None or choices is None or self.default in map(str, choices)

    @rule(
        "categorical",
        "!has(self.categorical) || self.categorical.all(choice,"
        f" type(choice) == int || !choice.matches('{_WHOLE}'))",
        "whole numbers are written without quotes",
    )
    def _numbers_are_bare(self) -> Iterator[Broken]:
        for index, choice in enumerate(self.categorical or ()):
            if isinstance(choice, str) and re.fullmatch(_WHOLE, choice):
                yield f"categorical[{index}]"
