"""Orders: the plan as it is now, with what the operator says beside it; both may change during a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from trimtab_api.control import CONTROL_KEY, PLAN_KEY, Control
from trimtab_api.fields import duration_seconds
from trimtab_api.plan import Plan
from trimtab_jobs.errors import RefusedError
from trimtab_jobs.search import ONLY_BASELINE, Limits


@dataclass(frozen=True, slots=True)
class Orders:
    """What a driver is to do."""

    plan: Plan
    control: Control = field(default_factory=Control)


class UnreadableError(RefusedError):
    """Some of the orders cannot be read: what can be stands beside it."""

    def __init__(self, message: str, plan: Plan | None = None, control: Control | None = None) -> None:
        super().__init__(message)
        self.plan = plan
        self.control = control


def orders_of(data: Mapping[str, str]) -> Orders:
    """The orders in a plan's ConfigMap; UnreadableError names the keys that cannot be read.

    Fields of a later version are left out: its operator may have written the plan anew for a driver that
    was there before.
    """
    plan, plan_problem = _plan_of(data)
    control, control_problem = _control_of(data)
    if plan is None or control is None:
        problems = "; ".join(filter(None, (plan_problem, control_problem)))
        raise UnreadableError(problems, plan, control)
    return Orders(plan, control)


def _plan_of(data: Mapping[str, str]) -> tuple[Plan | None, str]:
    """The plan, or why there is none."""
    if PLAN_KEY not in data:
        return None, f"the plan's ConfigMap has no {PLAN_KEY}; let the operator write it anew"
    try:
        return Plan.model_validate_json(data[PLAN_KEY], extra="ignore"), ""
    except ValidationError as error:
        return None, _unreadable(PLAN_KEY, error)


def _control_of(data: Mapping[str, str]) -> tuple[Control | None, str]:
    """The control, or why there is none."""
    try:
        return Control.model_validate_json(data.get(CONTROL_KEY) or "{}"), ""
    except ValidationError as error:
        return None, _unreadable(CONTROL_KEY, error)


def followed(orders: Orders, new: Orders) -> Orders:
    """The orders to follow once `new` has come; RefusedError when it is another job's plan."""
    if new.plan.identity != orders.plan.identity:
        raise RefusedError(f"the plan of {new.plan.name} has become another job's; this run keeps to its own")
    return new


def limits_of(orders: Orders, seconds: float) -> Limits:
    """How far the search may go once the run has taken so many seconds, in all attempts."""
    search, budget = orders.plan.spec.search or ONLY_BASELINE, orders.plan.spec.budget
    duration = duration_seconds(budget.duration) if budget and budget.duration else None
    return Limits(
        trials=search.trials,
        parallelism=search.parallelism,
        failed_trials=budget.failed_trials if budget else None,
        seconds_left=None if duration is None else duration - seconds,
        used_up=orders.control.stop_search,
    )


def _unreadable(key: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return (
        f"{key} cannot be read: {place}: {first['msg']}".replace(": : ", ": ")
        + "; use the worker image of the operator's version"
    )
