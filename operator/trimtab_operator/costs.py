"""What runs take: time, CPUs, GPUs, money, energy, by what was seen and what the pinned profile says. Pure.

Only workers count, and only while their cluster is ready: waiting for nodes costs nothing here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trimtab_api.control import BudgetName
from trimtab_api.fields import duration_seconds, quantity_value
from trimtab_api.plan import Segment
from trimtab_api.profile import Carbon, ProfileSpec
from trimtab_api.report import Cost
from trimtab_api.running import BudgetSpec
from trimtab_operator.resources import Defaults, Pods, pods_of

_DIGITS = 6
_RATED = "rated watts"


@dataclass(frozen=True, slots=True)
class Rates:
    """What a cluster takes in one hour; None: no pool of it says."""

    cpus: float = 0.0
    gpus: float = 0.0
    amount: float | None = None
    kilowatts: float | None = None
    carbon_kg: float | None = None

    @property
    def hourly(self) -> Cost:
        """What it takes in one hour."""
        return self.cost(3600.0)

    def cost(self, seconds: float) -> Cost:
        """Return what it takes in so many seconds."""
        hours = seconds / 3600
        return Cost(
            seconds=round(seconds, 3),
            cpu_hours=_times(self.cpus, hours),
            gpu_hours=_times(self.gpus, hours),
            amount=_times(self.amount, hours),
            energy_kwh=_times(self.kilowatts, hours),
            carbon_kg=_times(self.carbon_kg, hours),
            method=None if self.kilowatts is None else _RATED,
        )


def rates_before(hourly: Cost) -> Rates:
    """Return the rates at which a cluster takes so much in an hour."""
    return Rates(
        cpus=hourly.cpu_hours or 0.0,
        gpus=hourly.gpu_hours or 0.0,
        amount=hourly.amount,
        kilowatts=hourly.energy_kwh,
        carbon_kg=hourly.carbon_kg,
    )


def rates_of(
    segment: Segment, profile: ProfileSpec, defaults: Defaults, replicas: Mapping[str, int]
) -> Rates:
    """Return what the workers of a segment take; `replicas` says how many pods a group has in truth."""
    groups = pods_of(segment, profile, defaults)
    pods = [(each, replicas.get(each.group.name, each.replicas)) for each in groups]
    energy = _sum(_kilowatts(each, profile.carbon, count) for each, count in pods)
    carbon = profile.carbon
    return Rates(
        cpus=sum(quantity_value(each.cpu) * count for each, count in pods),
        gpus=sum(each.gpus * count for each, count in pods),
        amount=_sum(_price(each, count) for each, count in pods),
        kilowatts=energy,
        carbon_kg=None if carbon is None else _times(energy, carbon.intensity / 1000),
    )


def _price(pods: Pods, count: int) -> float | None:
    return _times(pods.pool.hourly_price, count) if pods.pool else None


def _kilowatts(pods: Pods, carbon: Carbon | None, count: int) -> float | None:
    """Return the power of a group, with what its site needs beside it."""
    watts = pods.pool.watts if pods.pool else None
    return _times(watts, count * (carbon.pue if carbon else 1.0) / 1000)


def total(costs: Iterable[Cost]) -> Cost:
    """Return the sum of costs."""
    found = tuple(costs)
    return Cost(
        seconds=_sum(each.seconds for each in found) or 0.0,
        cpu_hours=_sum(each.cpu_hours for each in found),
        gpu_hours=_sum(each.gpu_hours for each in found),
        amount=_sum(each.amount for each in found),
        energy_kwh=_sum(each.energy_kwh for each in found),
        carbon_kg=_sum(each.carbon_kg for each in found),
        method=next((each.method for each in found if each.method), None),
    )


def reached(budget: BudgetSpec | None, spent: Cost) -> BudgetName | None:
    """Return the first budget that is used up; None when all have something left."""
    return next((name for name, limit, used in _limits(budget, spent) if used >= limit), None)


def seconds_left(budget: BudgetSpec | None, spent: Cost, rates: Rates) -> float | None:
    """Return the time until the first budget is used up at these rates; None when none ever is."""
    pace = {name: used for name, _, used in _limits(budget, rates.hourly)}
    left = [
        (limit - used) / pace[name] * 3600 for name, limit, used in _limits(budget, spent) if pace.get(name)
    ]
    return max(0.0, min(left)) if left else None


def _limits(budget: BudgetSpec | None, spent: Cost) -> list[tuple[BudgetName, float, float]]:
    """Return each limit with what is used of it."""
    if budget is None:
        return []
    found: list[tuple[BudgetName, float | None, float | None]] = [
        ("duration", duration_seconds(budget.duration) if budget.duration else None, spent.seconds),
        ("gpuHours", budget.gpu_hours, spent.gpu_hours),
        ("cost", budget.cost, spent.amount),
        ("energyKWh", budget.energy_kwh, spent.energy_kwh),
    ]
    return [(name, limit, used or 0.0) for name, limit, used in found if limit is not None]


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, _DIGITS)


def _sum(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return round(sum(found), _DIGITS) if found else None
