"""study.log in optuna-dashboard: its own server, asked through its own API, shows every trial of a search."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna_dashboard import wsgi

from tests.support.search import ACCURACY, LOSS, accuracy_of, request_of, run_search
from trimtab_jobs.pool import Failure, Work
from trimtab_jobs.search import SearchOutcome
from trimtab_jobs.store import Record, open_store

STATES = {
    "completed": "Complete",
    "pruned": "Pruned",
    "failed": "Fail",
    "duplicate": "Complete",
}
"""What the dashboard calls a trial that ended so; one answered from the record has the result of another."""


def searched(folder: Path, **changes: Any) -> SearchOutcome:
    """A search whose record and study.log lie in the folder; every fifth configuration fails."""

    def answer(work: Work) -> Any:
        number = work.payload["trial"]
        return Failure("configuration", "loss is nan") if number % 5 == 4 else accuracy_of(work)

    store = open_store(str(folder))
    return run_search(request_of(**changes), answer, record=Record.open(store), store=store).outcome


def asked(folder: Path, path: str, query: str = "") -> Any:
    """What the dashboard of the folder's study.log answers."""
    app = wsgi(JournalStorage(JournalFileBackend(str(folder / "study.log"))))
    status: list[str] = []
    environment = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
    }
    body = b"".join(app(environment, lambda line, headers, error=None: status.append(line)))
    assert status == ["200 OK"]
    return json.loads(body)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="to-the-end"),
        pytest.param({"pruner": {"asha": {"minEpochs": 1, "reduction": 3}}, "trials": 20}, id="asha"),
        pytest.param({"objectives": [ACCURACY, LOSS]}, id="two-objectives"),
    ],
)
def test_dashboard_shows_every_trial_with_its_state_and_parameters(tmp_path: Path, changes: dict[str, Any]):
    outcome = searched(tmp_path, **changes)

    (study,) = asked(tmp_path, "/api/studies")["study_summaries"]
    shown = asked(tmp_path, f"/api/studies/{study['study_id']}", "after=0")["trials"]

    assert study["study_name"] == "digits"
    assert [(trial["number"], trial["state"]) for trial in shown] == [
        (trial.number, STATES[trial.state]) for trial in outcome.trials
    ]
    assert [{each["name"] for each in trial["params"]} for trial in shown] == [
        set(trial.params) for trial in outcome.trials
    ]
    assert len({trial["state"] for trial in shown}) > 1


def test_dashboard_shows_the_values_of_both_objectives(tmp_path: Path):
    outcome = searched(tmp_path, objectives=[ACCURACY, LOSS])

    shown = asked(tmp_path, "/api/studies/0", "after=0")["trials"]

    assert {trial["number"]: trial["values"] for trial in shown if trial["state"] == "Complete"} == {
        trial.number: [trial.metrics["accuracy"], trial.metrics["loss"]]
        for trial in outcome.trials
        if trial.state == "completed"
    }
