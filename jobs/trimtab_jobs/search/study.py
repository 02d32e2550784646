"""The study: asks Optuna for configurations, tells it results, and keeps both in the record.

Nothing here is durable before `flush`; the loop starts no work and counts no result before that.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from trimtab_jobs.pool import Failure
from trimtab_jobs.search import replay
from trimtab_jobs.search.journal import Journal, Record, RungStorage
from trimtab_jobs.search.ranking import Leaders
from trimtab_jobs.search.request import SearchRequest
from trimtab_jobs.search.results import RESULT
from trimtab_jobs.search.rungs import rungs_of
from trimtab_jobs.search.samplers import sampler_of, seed_of
from trimtab_jobs.search.space import space_of
from trimtab_jobs.search.table import TrialTable
from trimtab_jobs.search.trial import Trial

REPEATS = 100
"""So many duplicates in a row mean that the space is exhausted."""
_CURVE_POINTS = 100
DRIVER_LOST = Failure("infrastructure", "the driver was lost while the trial was under way")


class Study:
    """Trials as the record has them, and the changes that lead to the next record."""

    def __init__(self, request: SearchRequest, record: Record) -> None:
        self._search = request.search
        self._objectives = request.objectives
        self._space = space_of(request.search.parameters)
        self._sampler = sampler_of(request.search.sampler)
        self._journal = Journal(record)
        self._storage = _storage_of(request, self._journal)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(
            study_name=request.name,
            storage=self._storage,
            directions=[objective.direction for objective in request.objectives],
            sampler=self._sampler,
            load_if_exists=True,
        )
        self._id = self._storage.get_study_id_from_name(request.name)
        self.table = TrialTable(Leaders(request.objectives))
        recorded = self._recorded()
        for trial in replay.trials_of(recorded, self._search.seed):
            self.table.put(trial)
        self.table.retried_in_place(sum(frozen.user_attrs.get(replay.RETRIES, 0) for frozen in recorded))

    def ask(self, trials: int) -> Trial | None:
        """A trial of a configuration that is not known yet; None when `trials` or the space is used up.

        Known ones that Optuna proposes are answered from the record and do not count within `trials`.
        """
        while self.table.distinct < trials and not self.is_exhausted(trials):
            trial = self._draw()
            original = self.table.known(trial.params)
            if original is None:
                self.table.put(trial)
                return trial
            self._answer(trial, original)
        return None

    def is_exhausted(self, trials: int) -> bool:
        """Whether fewer than `trials` were asked, and the space holds no other configuration."""
        is_used_up = self.table.repeats >= REPEATS or (not self._space.dimensions and self.table.distinct > 0)
        return is_used_up and self.table.distinct < trials

    def run_again(self, trial: Trial, cause: Failure) -> Trial:
        """The trial to run in place of one that was lost, or that failed for the code's sake.

        One that has recorded a rung goes on from there itself; else it is told as failed and enqueued anew.
        """
        if trial.epoch:
            attributes = self._storage.get_trial(self._id_of(trial)).user_attrs
            self._set(trial, replay.RETRIES, attributes.get(replay.RETRIES, 0) + 1)
            self.table.retried_in_place()
            return trial
        if trial.state == "running":
            self._set(trial, replay.FAILURE, replay.failure_attribute(cause))
            self._study.tell(trial.number, state=OptunaState.FAIL)
        self.table.put(replace(trial, state="lost", failure=trial.failure or cause))
        self._study.enqueue_trial(dict(trial.params), user_attrs={replay.RETRY_OF: trial.number})
        asked = self._study.ask()
        self._space.draw(asked)
        again = Trial(asked.number, trial.index, trial.params, trial.seed, retry_of=trial.number)
        self.table.put(again)
        return again

    def complete(self, trial: Trial, history: Sequence[Any]) -> None:
        """Tell the final result, which `trial` holds, with its curve over epochs."""
        self._report_curve(trial, history)
        self._set(trial, RESULT, replay.result_attribute(trial))
        self._study.tell(trial.number, self._values_of(trial.metrics))
        self.table.put(replace(trial, state="completed"))

    def pause(self, trial: Trial, history: Sequence[Any]) -> None:
        """Report the result on a rung; the trial waits there."""
        self._report_curve(trial, history)
        value = trial.metrics[self._objectives[0].metric]
        self._storage.set_trial_intermediate_value(self._id_of(trial), trial.epoch, value)
        self._set(trial, RESULT, replay.result_attribute(trial))
        self.table.put(replace(trial, state="paused"))

    def promote(self, trial: Trial, epoch: int) -> Trial:
        """The waiting trial, sent on up to `epoch`."""
        self._set(trial, replay.PROMOTED, epoch)
        promoted = replace(trial, state="running")
        self.table.put(promoted)
        return promoted

    def fail(self, trial: Trial, failure: Failure) -> None:
        """Tell that the trial has failed for good."""
        self._set(trial, replay.FAILURE, replay.failure_attribute(failure))
        self._study.tell(trial.number, state=OptunaState.FAIL)
        self.table.put(replace(trial, state="failed", failure=failure))

    def prune(self, trial: Trial) -> None:
        """Tell that a waiting trial has ended where it is."""
        self._study.tell(trial.number, state=OptunaState.PRUNED)
        self.table.put(replace(trial, state="pruned"))

    def waypoints(self) -> Iterator[tuple[Trial, Mapping[int, float], int]]:
        """Each recorded trial, its values by epoch, and the epoch up to which it was sent on last."""
        for frozen in self._recorded():
            promoted = frozen.user_attrs.get(replay.PROMOTED, 0)
            yield self.table.trials[frozen.number], frozen.intermediate_values, promoted

    def flush(self) -> bool:
        """Return once every change so far is durable; False when there was none."""
        return self._journal.flush()

    def log(self) -> bytes:
        """The whole record as one file for optuna-dashboard."""
        return self._journal.text()

    def _recorded(self) -> list[FrozenTrial]:
        # By the base class: a RungStorage shows its trials as samplers should see them.
        return JournalStorage.get_all_trials(self._storage, self._id, deepcopy=False)

    def _draw(self) -> Trial:
        index = self.table.next_index
        if index == 0:
            self._study.enqueue_trial(self._space.defaults())
        self._sampler.seed(seed_of(self._search.seed, "sampler", index))
        asked = self._study.ask()
        return Trial(asked.number, index, self._space.draw(asked), seed_of(self._search.seed, "trial", index))

    def _answer(self, trial: Trial, original: Trial) -> None:
        self._set(trial, replay.DUPLICATE_OF, original.number)
        if original.state == "completed":
            self._study.tell(trial.number, self._values_of(original.metrics))
        else:  # failed like the original, or its result is not there yet
            self._study.tell(trial.number, state=OptunaState.FAIL)
        self.table.put(replace(trial, state="duplicate", duplicate_of=original.number))

    def _report_curve(self, trial: Trial, history: Sequence[Any]) -> None:
        metric = self._objectives[0].metric
        curve = [(epoch, metrics.get(metric, math.nan)) for epoch, metrics in history]
        points = [(epoch, value) for epoch, value in curve if math.isfinite(value)]
        for epoch, value in points[:: len(points) // _CURVE_POINTS + 1]:
            self._storage.set_trial_intermediate_value(self._id_of(trial), epoch, value)

    def _values_of(self, metrics: Mapping[str, float]) -> list[float]:
        return [metrics[objective.metric] for objective in self._objectives]

    def _set(self, trial: Trial, name: str, value: Any) -> None:
        self._storage.set_trial_user_attr(self._id_of(trial), name, value)

    def _id_of(self, trial: Trial) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)


def _storage_of(request: SearchRequest, journal: Journal) -> JournalStorage:
    has_rungs = len(rungs_of(request.search.pruner, request.epochs)) > 1
    return RungStorage(journal) if has_rungs else JournalStorage(journal)
