"""Optuna's journal, kept in the run's record: one batch of lines per commit.

Optuna appends a line per operation; each is only buffered here. `flush` commits all of them at once, so that
a batch is one step of the search: what was told, and what was asked in its place.
"""

import copy
import json
from collections.abc import Container
from typing import Any, Protocol

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import FrozenTrial, TrialState


class Record(Protocol):
    """What the journal needs of the store's record."""

    batches: tuple[bytes, ...]
    """What was recorded before, in order."""

    def commit(self, batch: bytes) -> None:
        """Return once the batch is durable."""
        ...


class Journal(BaseJournalBackend):
    """A backend for one JournalStorage in one process, which starts from what is recorded."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._batches = list(record.batches)
        self._buffered: list[dict[str, Any]] = []
        self._committed = sum(batch.count(b"\n") for batch in self._batches)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Take operations into the next batch."""
        self._buffered += logs

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """All operations from that number on, the buffered ones included."""
        if log_number_from >= self._committed:
            return self._buffered[log_number_from - self._committed :]
        lines = self.text().splitlines()[log_number_from:]
        return [json.loads(line) for line in lines] + self._buffered

    def flush(self) -> bool:
        """Return once all operations are durable; False when there was nothing to commit."""
        if not self._buffered:
            return False
        lines = [json.dumps(log, separators=(",", ":")) for log in self._buffered]
        batch = ("\n".join(lines) + "\n").encode()
        self._record.commit(batch)
        self._batches.append(batch)
        self._committed += len(self._buffered)
        self._buffered = []
        return True

    def text(self) -> bytes:
        """The committed operations as one file that optuna-dashboard and JournalFileBackend open."""
        return b"".join(self._batches)


class RungStorage(JournalStorage):
    """Shows samplers a trial that waits on a rung as pruned there, so that they learn from it at once.

    Optuna knows no paused trials: a pruned one cannot go on, and a running one tells a sampler nothing.
    """

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self._shown: dict[int, tuple[FrozenTrial, FrozenTrial]] = {}

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """All trials as samplers should see them."""
        alone = len(self.get_study_directions(study_id)) == 1
        trials = [self._show(trial, alone) for trial in super().get_all_trials(study_id, deepcopy=False)]
        trials = [trial for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    def _show(self, trial: FrozenTrial, alone: bool) -> FrozenTrial:
        if not trial.intermediate_values or trial.state not in (TrialState.RUNNING, TrialState.PRUNED):
            return trial
        source, shown = self._shown.get(trial.number, (None, trial))
        if source is not trial:
            shown = copy.copy(trial)
            shown.state = TrialState.PRUNED
            if not alone:  # with several objectives TPE fails on a pruned trial that has values
                shown.intermediate_values = {}
            self._shown[trial.number] = (trial, shown)
        return shown
