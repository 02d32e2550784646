"""Workers: where the user's code runs, one work at a time each."""

from trimtab_jobs.pool.base import (
    DataPlace,
    Done,
    Failure,
    FailureKind,
    GivenModel,
    TrialPool,
    Work,
    WorkerSetup,
)
from trimtab_jobs.pool.errors import CodeError, ConfigurationError, WorkError
from trimtab_jobs.pool.inline import InlinePool
from trimtab_jobs.pool.session import Session

__all__ = [
    "CodeError",
    "ConfigurationError",
    "DataPlace",
    "Done",
    "Failure",
    "FailureKind",
    "GivenModel",
    "InlinePool",
    "Session",
    "TrialPool",
    "Work",
    "WorkError",
    "WorkerSetup",
]
