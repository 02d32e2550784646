"""Which fields of a job may change once it exists: all others are held, by CEL and by Python alike."""

from collections.abc import Iterator
from dataclasses import dataclass

from trimtab_api.errors import Problem
from trimtab_api.job import JobSpec
from trimtab_api.model import Model
from trimtab_api.search import SearchSpec

EDITABLE = ("search.trials", "search.parallelism", "budget", "retry", "suspend", "ttlSecondsAfterFinished")
"""Fields of spec that may change while a job runs."""
HELD = (
    "cannot be changed: only search.trials, search.parallelism, budget, retry, suspend and "
    "ttlSecondsAfterFinished are editable; make a new job"
)
"""Why an edit of any other field is refused."""


@dataclass(frozen=True, slots=True)
class HeldField:
    """A field that may not change, with the CEL text that says so."""

    name: str
    attribute: str
    cel: str


def held_fields(model: type[Model]) -> tuple[HeldField, ...]:
    """Return the fields of JobSpec or SearchSpec that may not change.

    An optional one may neither come nor go: a rule on the section itself would not see that. The search as a
    whole may neither come nor go, and is held field by field.
    """
    prefix = "search." if model is SearchSpec else ""
    return tuple(
        HeldField(alias, name, _held_cel(alias, field.is_required()))
        for name, field in model.model_fields.items()
        if prefix + (alias := field.alias or name) not in EDITABLE
    )


def forbidden_edits(old: JobSpec, new: JobSpec) -> tuple[Problem, ...]:
    """Return a problem for each field that differs and is not editable; the API server says the same."""
    problems = list(_changed(old, new, "spec"))
    if old.search and new.search:
        problems += _changed(old.search, new.search, "spec.search")
    return tuple(problems)


def _changed(old: Model, new: Model, path: str) -> Iterator[Problem]:
    for field in held_fields(type(old)):
        before, after = getattr(old, field.attribute), getattr(new, field.attribute)
        if field.name == "search":
            before, after = before is None, after is None
        if before != after:
            yield Problem(f"{path}.{field.name}", HELD)


def _held_cel(field: str, required: bool) -> str:
    if required:
        return f"self.{field} == oldSelf.{field}"
    stays = f"has(self.{field}) == has(oldSelf.{field})"
    if field == "search":
        return stays
    return f"{stays} && (!has(self.{field}) || self.{field} == oldSelf.{field})"
