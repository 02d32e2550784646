"""Asynchronous successive halving: which trials train on, decided purely from the values they have reached.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), Algorithm 2: whenever a
worker is free, a trial in the best 1/reduction of its rung that was not promoted yet goes on to the next, the
highest rung first; only if there is none a new trial begins.
"""

from bisect import insort
from collections.abc import Callable, Mapping

from trimtab_api.job import Pruner


def whole(pruner: Pruner, epochs: int) -> tuple[int, ...]:
    """No rungs but the top: every trial trains to its end."""
    del pruner
    return (epochs,)


def asha(pruner: Pruner, epochs: int) -> tuple[int, ...]:
    """minEpochs, times reduction, and so on; the top rung is the whole training."""
    assert pruner.asha is not None
    rungs = []
    reached = pruner.asha.min_epochs
    while reached < epochs:
        rungs.append(reached)
        reached *= pruner.asha.reduction
    return (*rungs, epochs)


PRUNERS: Mapping[str, Callable[[Pruner, int], tuple[int, ...]]] = {"asha": asha, "none": whole}
"""The manifest's word to the epochs of its rungs."""


def rungs_of(pruner: Pruner, epochs: int) -> tuple[int, ...]:
    """Epochs at which a trial is judged; the last are those of a whole training."""
    return next(rungs(pruner, epochs) for name, rungs in PRUNERS.items() if getattr(pruner, name) is not None)


def reduction_of(pruner: Pruner) -> int:
    """One trial in this many trains on."""
    return pruner.asha.reduction if pruner.asha is not None else 1


class RungTable:
    """The values recorded on each rung below the top, and who has left it."""

    def __init__(self, rungs: int, reduction: int, maximize: bool) -> None:
        self._reduction = reduction
        self._sign = -1.0 if maximize else 1.0
        self._ranked: list[list[tuple[float, int]]] = [[] for _ in range(rungs - 1)]
        self._left: list[set[int]] = [set() for _ in range(rungs - 1)]

    def record(self, trial: int, rung: int, value: float) -> None:
        """Rank the trial on a rung below the top."""
        insort(self._ranked[rung], (self._sign * value, trial))

    def promote(self, trial: int, rung: int) -> None:
        """Take note that the trial has left for `rung`, so that it is not promoted to it again."""
        self._left[rung - 1].add(trial)

    def retire(self, trial: int) -> None:
        """The trial has ended: its values still rank, it is never promoted."""
        for left in self._left:
            left.add(trial)

    def promotable(self) -> tuple[int, int] | None:
        """The trial to promote next and the rung it goes to."""
        for rung in reversed(range(len(self._ranked))):
            quota = len(self._ranked[rung]) // self._reduction
            for _, trial in self._ranked[rung][:quota]:
                if trial not in self._left[rung]:
                    return trial, rung + 1
        return None

    def leader(self) -> tuple[int, int] | None:
        """The best trial that still waits, of the highest rung where one does, and the rung it would go to.

        With few trials no rung may ever fill up enough to promote anyone: the search then carries its leader
        to the top all the same, rather than end with nothing trained to the end.
        """
        for rung in reversed(range(len(self._ranked))):
            for _, trial in self._ranked[rung]:
                if trial not in self._left[rung]:
                    return trial, rung + 1
        return None
