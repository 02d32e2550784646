"""What can be wrong with a document.

SpecError       the document is not a valid job or profile; says every problem that was found
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the field it is in, and what to do about it."""

    field: str
    message: str

    def __str__(self) -> str:
        """Return the line that a person reads: `spec.search.trials: must be at least 1, got 0`."""
        return f"{self.field}: {self.message}" if self.field else self.message


class SpecError(ValueError):
    """The document is not valid; `problems` names each field, its value and the fix."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
