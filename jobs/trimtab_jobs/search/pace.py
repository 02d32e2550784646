"""How much training a search still takes, and how long that lasts at the pace so far.

Trials are no measure of it: most end on the first rung, the baseline trains to the top. So work is counted
in pieces, each a trial's way from one rung to the next. Of successive halving one trial in `reduction` goes
on from each rung (Li et al., 2020), so that the pieces of a whole search are known before it begins.
"""

from collections.abc import Iterable, Sequence

from trimtab_jobs.search.trial import Trial

PACED = 2
"""Results from which the time that is left is told, the first of each worker apart: it has loaded torch and
the data meanwhile."""


def expected_on(rungs: int, reduction: int, trials: float) -> tuple[float, ...]:
    """How many of these trials train up to each rung; at least one goes to the top, if there is any."""
    return tuple(max(trials / reduction**rung, min(1.0, trials)) for rung in range(rungs))


class Pace:
    """The pieces that were sent and those that came back, rung by rung; the baseline's one piece apart."""

    def __init__(self, rungs: Sequence[int], reduction: int, recorded: Iterable[Trial]) -> None:
        self._lengths = tuple(b - a for a, b in zip((0, *rungs), rungs, strict=False))
        self._reduction = reduction
        self._done = [0] * len(rungs)
        self._under_way = [0] * len(rungs)
        self._has_baseline = False
        self._workers: set[int] = set()
        self._taken: list[list[float]] = [[] for _ in rungs]
        self._taken_by_baseline: list[float] = []
        for trial in recorded:
            if trial.state in ("lost", "duplicate"):
                continue
            if trial.index == 0:
                self._has_baseline = trial.state == "completed"
            else:
                for rung, epoch in enumerate(rungs):
                    self._done[rung] += epoch <= trial.epoch

    def sent(self, trial: Trial, rung: int) -> None:
        """Take note of a piece that a worker was given."""
        if trial.index:
            self._under_way[rung] += 1

    def landed(self, trial: Trial, rung: int) -> None:
        """Take note that it is under way no more, whatever became of it."""
        if trial.index:
            self._under_way[rung] -= 1

    def done(self, trial: Trial, rung: int, worker: int, seconds: float) -> None:
        """Take note of a piece with a result, and of how long it took."""
        if trial.index:
            self._done[rung] += 1
        else:
            self._has_baseline = True
        if worker in self._workers:
            (self._taken[rung] if trial.index else self._taken_by_baseline).append(seconds)
        self._workers.add(worker)

    def seconds_left(self, trials: int, workers: int) -> float | None:
        """Time to the end for so many configurations on so many workers; None while that would be a guess."""
        expected = expected_on(len(self._lengths), self._reduction, trials - 1)
        left = [
            max(0.0, wanted - done, under_way)
            for wanted, done, under_way in zip(expected, self._done, self._under_way, strict=True)
        ]
        if (epoch := self._epoch_seconds()) is None:
            return None
        seconds = [
            sum(taken) / len(taken) if taken else epoch * length
            for taken, length in zip(self._taken, self._lengths, strict=True)
        ]
        baseline = 0.0 if self._has_baseline else epoch * sum(self._lengths)
        total = sum(count * each for count, each in zip(left, seconds, strict=True)) + baseline
        return total / max(1, workers)

    def _epoch_seconds(self) -> float | None:
        """Mean time of an epoch in the pieces that came back."""
        pieces = sum(map(len, self._taken)) + len(self._taken_by_baseline)
        if pieces < PACED:
            return None
        epochs = sum(len(taken) * length for taken, length in zip(self._taken, self._lengths, strict=True))
        epochs += len(self._taken_by_baseline) * sum(self._lengths)
        return (sum(map(sum, self._taken)) + sum(self._taken_by_baseline)) / epochs
