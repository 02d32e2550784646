"""Which checkpoints of trials stay in the store."""

from collections.abc import Collection
from contextlib import suppress

from trimtab_jobs.search.trial import Trial
from trimtab_jobs.store import Store, StoreError

FOLDER = "checkpoints"


class Checkpoints:
    """Deletes what no trial will be continued from and nobody will export.

    A superseded checkpoint outlives the commit that supersedes it by one: should that commit be found damaged
    later, the record ends before it, and the trial goes on from what it had then.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._superseded: list[str] = []
        self._deletable: list[str] = []

    def supersede(self, key: str | None) -> None:
        """Nothing needs this one once the next commit is durable."""
        if key is not None:
            self._superseded.append(key)

    def committed(self) -> None:
        """Delete what the commit before the last one had superseded."""
        for key in self._deletable:
            with suppress(
                StoreError
            ):  # a store in trouble must not end the search for this; sweep tries again
                self._store.delete(key)
        self._deletable, self._superseded = self._superseded, []

    def sweep(self, kept: Collection[str | None]) -> None:
        """Delete all but these, those of killed workers included, which no record names."""
        for key in self._store.list(FOLDER):
            if key not in kept:
                self._store.delete(key)

    def are_there(self, trials: Collection[Trial]) -> Collection[str]:
        """The checkpoints in the store; asked only if one of these trials has any."""
        return set(self._store.list(FOLDER)) if any(trial.checkpoint for trial in trials) else ()


def checkpoint_key(trial: Trial, epoch: int) -> str:
    """Where the trial's state at that epoch lies, for any worker to go on from."""
    return f"{FOLDER}/{trial.number}/{epoch}.pt"
