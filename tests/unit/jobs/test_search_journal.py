"""The journal between Optuna and the record, and what samplers see of trials that wait on a rung."""

import json
from contextlib import nullcontext
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from tests.support.search import Answer, MemoryRecord, accuracy_of, request_of, run_search
from trimtab_jobs.pool import Failure, Work
from trimtab_jobs.search import FatalFailure
from trimtab_jobs.search.journal import Journal, RungStorage
from trimtab_jobs.search.results import has_results


def study_on(storage: JournalStorage, directions: tuple[str, ...] = ("maximize",)) -> optuna.Study:
    return optuna.create_study(
        study_name="s",
        storage=storage,
        directions=directions,
        load_if_exists=True,
        sampler=optuna.samplers.RandomSampler(seed=0),
    )


def test_operations_are_committed_together_by_flush() -> None:
    record = MemoryRecord()
    journal = Journal(record)
    study = study_on(JournalStorage(journal))
    study.tell(study.ask(), 0.5)
    assert record.batches == ()

    assert journal.flush()

    (batch,) = record.batches
    assert [json.loads(line)["op_code"] for line in batch.splitlines()] == [0, 4, 6]
    assert batch.endswith(b"\n")
    assert not journal.flush()
    assert len(record.batches) == 1


def test_reopened_journal_has_what_was_flushed_and_nothing_else() -> None:
    record = MemoryRecord()
    journal = Journal(record)
    study = study_on(JournalStorage(journal))
    study.tell(study.ask(), 0.5)
    journal.flush()
    study.tell(study.ask(), 0.9)

    again = study_on(JournalStorage(Journal(MemoryRecord(record.batches))))

    assert [trial.value for trial in again.trials] == [0.5]
    again.tell(again.ask(), 0.7)
    assert [trial.value for trial in again.trials] == [0.5, 0.7]


def test_second_reader_of_one_journal_sees_flushed_and_buffered_operations() -> None:
    journal = Journal(MemoryRecord())
    study = study_on(JournalStorage(journal))
    study.tell(study.ask(), 0.5)
    journal.flush()
    study.tell(study.ask(), 0.9)

    assert [trial.value for trial in study_on(JournalStorage(journal)).trials] == [0.5, 0.9]


def test_text_is_a_journal_file_that_optuna_opens(tmp_path: Path) -> None:
    journal = Journal(MemoryRecord())
    study = study_on(JournalStorage(journal))
    trial = study.ask()
    trial.suggest_categorical("act", ["relu", 2, 0.5, True])
    trial.set_user_attr("metrics", {"accuracy": 0.5})
    trial.report(0.25, step=3)
    study.tell(trial, 0.5)
    journal.flush()

    (tmp_path / "study.log").write_bytes(journal.text())

    opened = study_on(JournalStorage(JournalFileBackend(str(tmp_path / "study.log"))))
    assert opened.trials == study.trials


@pytest.mark.parametrize(
    ("directions", "shown"),
    [
        pytest.param(("maximize",), {1: 0.5}, id="one objective: with its values"),
        pytest.param(("maximize", "minimize"), {}, id="several objectives: without"),
    ],
)
def test_samplers_see_a_trial_on_a_rung_as_pruned(
    directions: tuple[str, ...], shown: dict[int, float]
) -> None:
    storage = RungStorage(Journal(MemoryRecord()))
    study = study_on(storage, directions)
    waiting, running = study.ask(), study.ask()
    storage.set_trial_intermediate_value(waiting._trial_id, 1, 0.5)

    seen = study.get_trials()

    assert [trial.state for trial in seen] == [TrialState.PRUNED, TrialState.RUNNING]
    assert seen[0].intermediate_values == shown
    assert storage.get_trial(waiting._trial_id).state == TrialState.RUNNING
    assert [trial.number for trial in study.get_trials(states=(TrialState.RUNNING,))] == [running.number]


def test_samplers_see_the_latest_value_of_a_rung() -> None:
    storage = RungStorage(Journal(MemoryRecord()))
    study = study_on(storage)
    trial = study.ask()
    for epoch, value in ((1, 0.5), (3, 0.7)):
        storage.set_trial_intermediate_value(trial._trial_id, epoch, value)
        assert study.get_trials(deepcopy=False)[0].intermediate_values[epoch] == value
    study.tell(trial, 0.9)

    assert study.get_trials()[0].state == TrialState.COMPLETE


def fails(work: Work) -> Failure:
    return Failure("code", "ValueError: no such layer")


@pytest.mark.parametrize(
    ("answer", "has_any"),
    [
        pytest.param(accuracy_of, True, id="trials with results"),
        pytest.param(fails, False, id="failed alone"),
    ],
)
def test_a_record_says_whether_any_trial_has_a_result(answer: Answer, has_any: bool) -> None:
    record = MemoryRecord((b"",))

    with nullcontext() if has_any else pytest.raises(FatalFailure):
        run_search(request_of(trials=2), answer, record=record)

    assert has_results(record.batches) is has_any
