"""What a search found: at its end, or recalled from its record by a later driver."""

from trimtab_jobs.search.journal import Record
from trimtab_jobs.search.request import SearchRequest
from trimtab_jobs.search.study import Study
from trimtab_jobs.search.table import TrialTable
from trimtab_jobs.search.trial import Ended, SearchOutcome


def recall(request: SearchRequest, record: Record, ended: Ended) -> SearchOutcome:
    """What an ended search found, read from its record: nothing is asked for, run or recorded."""
    return outcome_of(Study(request, record).table, ended)


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
