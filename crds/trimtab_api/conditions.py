"""Conditions by Kubernetes' rules: one of each type, stamped when its status changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from trimtab_api.model import Model

ConditionStatus = Literal["True", "False", "Unknown"]


class Condition(Model):
    """An aspect of the job that machines wait for."""

    type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]*$", max_length=63)]
    """Aspect, such as Succeeded."""
    status: ConditionStatus
    """Whether it holds."""
    reason: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=63)]
    """Why, as one word for machines."""
    message: Annotated[str, StringConstraints(max_length=1024)] = ""
    """Why, for people."""
    last_transition_time: datetime | None = None
    """When status last changed."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """Generation of spec that this is about."""


def set_condition(conditions: Sequence[Condition], new: Condition, now: datetime) -> tuple[Condition, ...]:
    """Conditions with `new` in the place of its type; the time moves only when the status does.

    A generation that `new` does not state is kept from the one it replaces.
    """
    old = next((condition for condition in conditions if condition.type == new.type), None)
    same = old is not None and old.status == new.status
    stamped = new.model_copy(
        update={
            "last_transition_time": old.last_transition_time if old and same else now,
            "observed_generation": new.observed_generation
            if new.observed_generation is not None
            else old and old.observed_generation,
        }
    )
    if old is None:
        return (*conditions, stamped)
    return tuple(stamped if condition.type == new.type else condition for condition in conditions)
