"""What operator and driver tell each other by two ConfigMaps of a job, <job>-plan and <job>-report.

Control is what the operator says beside the plan.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PLAN_KEY, PROFILE_KEY, CONTROL_KEY = "plan.json", "profile.json", "control.json"
"""Keys of <job>-plan."""
REPORT_KEY = "report.json"
"""Key of the report in <job>-report; beside it attempt and segment say which run it is of."""
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
