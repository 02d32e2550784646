"""Which trial leads: by the first objective, and the Pareto front over all of them."""

from collections.abc import Mapping, Sequence

from trimtab_api.job import Objective
from trimtab_jobs.search.trial import Trial

Oriented = tuple[float, ...]
"""Values of the objectives, turned so that less is better."""


class Leaders:
    """The best trial and the front, kept up to date by each trial that completes."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = tuple(objectives)
        self._front: list[tuple[Oriented, Trial]] = []
        self.reached_goal = False
        """Whether one trial has reached every goal of the manifest; False when there is none."""

    @property
    def best(self) -> Trial | None:
        """The front's first by the first objective, ties by the next ones, then the oldest."""
        return min(self._front, key=_rank)[1] if self._front else None

    @property
    def front(self) -> tuple[Trial, ...]:
        """The trials that no other one beats in every objective, best first."""
        return tuple(trial for _, trial in sorted(self._front, key=_rank))

    def add(self, trial: Trial) -> None:
        """Take a completed trial in. Of equal trials the first stays."""
        self.reached_goal |= _reaches_goals(self._objectives, trial.metrics)
        values = oriented(self._objectives, trial.metrics)
        if not any(_covers(other, values) for other, _ in self._front):
            self._front = [entry for entry in self._front if not _covers(values, entry[0])]
            self._front.append((values, trial))


def oriented(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> Oriented:
    """The objectives' values, less being better."""
    return tuple(
        -metrics[objective.metric] if objective.direction == "maximize" else metrics[objective.metric]
        for objective in objectives
    )


def _covers(values: Oriented, others: Oriented) -> bool:
    """Whether `others` are nowhere better."""
    return all(value <= other for value, other in zip(values, others, strict=True))


def _rank(entry: tuple[Oriented, Trial]) -> tuple[Oriented, int]:
    return entry[0], entry[1].number


def _reaches_goals(objectives: Sequence[Objective], metrics: Mapping[str, float]) -> bool:
    reached = [
        metrics[objective.metric] >= objective.goal
        if objective.direction == "maximize"
        else metrics[objective.metric] <= objective.goal
        for objective in objectives
        if objective.goal is not None
    ]
    return bool(reached) and all(reached)
