"""The inside of a worker process of Ray's, which knows nothing of Ray."""

import os
import tempfile
from pathlib import Path

from trimtab_jobs.pool.base import Done, Work, WorkerSetup
from trimtab_jobs.pool.crash import tell_crashes
from trimtab_jobs.pool.perform import perform
from trimtab_jobs.pool.printed import Printed
from trimtab_jobs.pool.session import Session


class Actor:
    """Performs works, one after the other; `printed` is its file for what they print."""

    def __init__(self, setup: WorkerSetup, worker: int, printed: Path | None = None) -> None:
        if printed is None:  # on a machine of its own: nobody reads the file once this process is lost
            printed = Path(tempfile.mkdtemp(prefix="trimtab-worker-")) / "printed"
        tempfile.tempdir = str(printed.parent)  # scratch folders go with the pool, whatever ends this process
        self.printed_path = printed
        """The file that holds what the work under way has printed."""
        self._worker = worker
        self._session = Session(setup)
        self._printed = Printed(printed)
        tell_crashes()
        if setup.trial_memory:  # its other pools ask for a gigabyte at once, which would count
            os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

    def perform(self, work: Work) -> Done:
        """What became of the work."""
        return perform(self._session, work, self._worker, self._printed)
