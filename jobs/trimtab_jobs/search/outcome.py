"""What a search found: at its end, or recalled from its record by a later driver."""

from collections.abc import Sequence

from optuna.storages import JournalStorage

from trimtab_jobs.search import replay
from trimtab_jobs.search.journal import Journal, Record
from trimtab_jobs.search.request import SearchRequest
from trimtab_jobs.search.study import Study
from trimtab_jobs.search.table import TrialTable
from trimtab_jobs.search.trial import Ended, SearchOutcome, Trial


def recall(request: SearchRequest, record: Record, ended: Ended) -> SearchOutcome:
    """What an ended search found, read from its record: nothing is asked for, run or recorded."""
    return outcome_of(Study(request, record).table, ended)


def recorded_trials(batches: Sequence[bytes], seed: int) -> tuple[Trial, ...]:
    """The trials of a record's batches, by number, whether or not its search has ended. Writes nothing."""
    storage = JournalStorage(Journal(_Recorded(tuple(batches))))
    names = [study.study_name for study in storage.get_all_studies()]
    studies = [storage.get_all_trials(storage.get_study_id_from_name(name)) for name in names]
    return tuple(trial for frozen in studies for trial in replay.trials_of(frozen, seed))


class _Recorded:
    """A record to read only."""

    def __init__(self, batches: tuple[bytes, ...]) -> None:
        self.batches = batches

    def commit(self, batch: bytes) -> None:
        """Refuse: who reads has nothing to record."""
        raise NotImplementedError("this record is read only")


def outcome_of(table: TrialTable, ended: Ended) -> SearchOutcome:
    """What the trials of a table come to."""
    return SearchOutcome(
        trials=tuple(table.trials.values()),
        best=table.leaders.best,
        baseline=table.baseline,
        front=table.leaders.front,
        counts=table.counts(ended.total, running=0),
        stop=ended.stop,
        message=ended.message,
    )
