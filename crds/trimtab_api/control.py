"""Control: what the operator tells a running driver beside its plan, as control.json of the job's plan."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

BudgetName = Literal["duration", "gpuHours", "cost", "energyKWh"]


class Control(BaseModel):
    """Which attempt this is, and what earlier ones have used up.

    A driver of an older version leaves out what it does not know.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )

    attempt: Annotated[int, Field(ge=1)] = 1
    """The attempt that is under way."""
    stop_search: BudgetName | None = None
    """Budget that is used up: the search ends, and the run goes on with the best so far."""
    used_seconds: Annotated[float, Field(ge=0)] = 0.0
    """Time of earlier attempts, which counts towards budget.duration."""
