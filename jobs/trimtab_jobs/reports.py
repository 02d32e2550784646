"""The page of a run, made anew from what its store holds: under way or ended, in a folder or a bucket."""

from pydantic import ValidationError

from trimtab_api.report import Report
from trimtab_jobs.errors import RefusedError
from trimtab_jobs.ownership import PLAN_KEY, RESULT_KEY
from trimtab_jobs.report.page import render
from trimtab_jobs.reporting import trial_rows
from trimtab_jobs.search import recorded_trials
from trimtab_jobs.store import MissingError, Store, open_store, recorded


def remake_report(uri: str) -> str:
    """The page as HTML text, from the root of a run: a folder or a URI. Writes nothing.

    StoreError when the store cannot be read, RefusedError when it holds no run that this version can read.
    """
    store = open_store(uri)
    report = report_of(store)
    trials = recorded_trials(recorded(store), report.seed or 0)
    return render(report, trial_rows(trials))


def report_of(store: Store) -> Report:
    """The result in a store; RefusedError when there is none that this version can read."""
    try:
        body = store.get(RESULT_KEY)
    except MissingError:
        raise RefusedError(f"{store.uri}: {_what_is_missing(store)}") from None
    try:
        return Report.model_validate_json(body, extra="ignore")  # a later version may have added fields
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise RefusedError(
            f"{store.uri}/{RESULT_KEY} cannot be read as a result of this version ({field}: {first['msg']}); "
            "use the version that wrote it"
        ) from None


def _what_is_missing(store: Store) -> str:
    if PLAN_KEY in store.list():
        return f"the run has written no {RESULT_KEY} yet; try again in some seconds"
    return f"no run there ({RESULT_KEY} is missing); give the folder or URI that was the run's --output"
