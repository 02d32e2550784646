"""What a run leaves in its store for people: result.json while it goes on, and report.html at its end.

Every write is fenced: a driver that another one has taken over leaves these files to the newer one.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from trimtab_api.report import Report
from trimtab_jobs.errors import StoppedError
from trimtab_jobs.ownership import RESULT_KEY
from trimtab_jobs.progress import Progress
from trimtab_jobs.repeating import repeatedly
from trimtab_jobs.report.page import render
from trimtab_jobs.reporting import trial_rows
from trimtab_jobs.store import FencedError, Record, Store, StoreError

SAVE_SECONDS = 10.0
"""How often result.json is written while a run goes on: so much of its time is lost with its driver."""


@contextmanager
def saving(
    store: Store, record: Record, progress: Progress, every_seconds: float = SAVE_SECONDS
) -> Iterator[None]:
    """Save what the block reports, now and then, and once more with the page when it ends or is stopped.

    Whatever else ends it leaves the files as they are. FencedError when another driver has taken over.
    """
    stopped: StoppedError | None = None
    with repeatedly(lambda: _save_if_ours(store, record, progress), every_seconds, "saving"):
        try:
            yield
        except StoppedError as error:
            stopped = error
    record.commit(b"")  # the files below are the newest driver's to write
    save(store, progress)
    if stopped is not None:
        raise stopped


def _save_if_ours(store: Store, record: Record, progress: Progress) -> bool:
    """Save the report as of now; False once another driver has taken over.

    A change may not come for hours, but time goes by all the same, and counts towards the budget.
    """
    try:
        record.check()
        save_report(store, progress.now())
    except FencedError:
        return False
    except StoreError:
        return True  # the run's own next commit says so, if it lasts
    return True


def save(store: Store, progress: Progress) -> None:
    """Write result.json and report.html."""
    save_report(store, progress.report)
    store.put("report.html", render(progress.report, trial_rows(progress.trials)).encode())


def save_report(store: Store, report: Report) -> None:
    """Write result.json."""
    body = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    store.put(RESULT_KEY, (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode())
