"""The search: ask → submit → poll → tell, until the trials, the space or a budget is used up.

One turn of the loop tells every trial that has ended, asks for others in their place, makes all of that
durable by one commit, and only then starts the new works and counts the old ones. So whatever is killed when,
a trial whose result is recorded never starts again, and no more runs unrecorded than there are workers.
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from trimtab_jobs.pool import Done, Failure, TrialPool, Work
from trimtab_jobs.search.checkpoints import Checkpoints
from trimtab_jobs.search.failures import FatalFailure, exhausted, judged, may_be_the_codes, retries_of
from trimtab_jobs.search.flights import Flight, next_rung, rebuild, work_of
from trimtab_jobs.search.journal import Record
from trimtab_jobs.search.outcome import outcome_of
from trimtab_jobs.search.pace import Pace
from trimtab_jobs.search.request import SearchRequest
from trimtab_jobs.search.rungs import RungTable, reduction_of, rungs_of
from trimtab_jobs.search.stopping import Stopping
from trimtab_jobs.search.study import DRIVER_LOST, Study
from trimtab_jobs.search.trial import Ended, SearchOutcome, SearchState, StopReason, Trial
from trimtab_jobs.store import Store

POLL_SECONDS = 0.5
"""How long the loop waits at most before it looks whether it should stop."""


def search(
    request: SearchRequest,
    pool: TrialPool,
    record: Record,
    store: Store,
    on_change: Callable[[SearchState], None],
) -> SearchOutcome:
    """The trials, the best among them, and why the search ended; goes on from what is recorded.

    `on_change` hears of every recorded change and of every edit. FatalFailure when the code is at fault
    rather than parameters.
    """
    loop = _Loop(request, pool, record, store)
    while True:
        loop.settle(pool.poll(POLL_SECONDS))
        works = loop.next_works()
        changed = loop.commit()
        for work in works:
            pool.submit(work)
        if changed or loop.is_edited:
            on_change(loop.state())
        if loop.is_over():
            return loop.finish()


class _Loop:
    """What the turns of the loop share."""

    def __init__(self, request: SearchRequest, pool: TrialPool, record: Record, store: Store) -> None:
        self._request = request
        self._pool = pool
        self._store = store
        self._study = Study(request, record)
        self._table = self._study.table
        self._rungs = rungs_of(request.search.pruner, request.epochs)
        self._ranks = RungTable(
            len(self._rungs),
            reduction_of(request.search.pruner),
            maximize=request.objectives[0].direction == "maximize",
        )
        rebuild(self._ranks, self._study, self._rungs)
        self._pace = Pace(self._rungs, reduction_of(request.search.pruner), list(self._table.trials.values()))
        self._checkpoints = Checkpoints(store)
        self._stopping = Stopping(request, self._table)
        self._limits = request.limits_now()
        self.is_edited = False
        """Whether the limits of this turn are others than those of the last one."""
        self._flights: dict[str, Flight] = {}
        self._lost = deque(self._left_behind())
        self._losses: Counter[int] = Counter()
        self._fatal: FatalFailure | None = None
        self._message = ""
        self._told: list[Trial] = []

    def settle(self, ended: list[Done]) -> None:
        """Tell what became of the works that have ended."""
        self._told = []
        for done in ended:
            flight = self._flights.pop(done.id)
            trial = self._table.trials[flight.number]
            self._pace.landed(trial, flight.rung)
            failure = done.failure or judged(done.value, self._request.objectives, trial.params)
            if failure is None:
                self._record(trial, flight, done)
            elif self._losses[trial.index] < retries_of(failure):
                self._losses[trial.index] += 1
                self._lost.append((trial, failure))
                self._message = f"trial {trial.number} runs again: {failure.error}"
            else:
                self._fail(trial, failure)

    def next_works(self) -> list[Work]:
        """Works for the free workers; once there is a reason to stop only for what was begun."""
        before, self._limits = self._limits, self._request.limits_now()
        self.is_edited = before != replace(self._limits, seconds_left=before.seconds_left)
        self._stopping.look(self._limits)
        works = []
        while len(self._flights) < self._parallelism and (chosen := self._choose()):
            trial, rung = chosen
            work = work_of(trial, self._rungs[rung], self._request)
            self._flights[work.id] = Flight(trial.number, rung)
            self._pace.sent(trial, rung)
            works.append(work)
        return works

    def commit(self) -> bool:
        """Return once every change of this turn is durable; False when there was none."""
        if not self._study.flush():
            return False
        self._checkpoints.committed()
        return True

    def state(self) -> SearchState:
        """Where the search stands."""
        leaders = self._table.leaders
        return SearchState(
            counts=self._table.counts(self._total(), len(self._flights)),
            best=leaders.best,
            baseline=self._table.baseline,
            front=leaders.front,
            running=tuple(flight.number for flight in self._flights.values()),
            seconds_left=self._seconds_left(),
            message=self._message,
            told=tuple(self._told),
        )

    def is_over(self) -> bool:
        """Whether nothing is under way, or what is is not waited for."""
        return not self._flights or self._stopping.is_immediate or self._fatal is not None

    def finish(self) -> SearchOutcome:
        """What was found. FatalFailure when that is why the search ended."""
        stop = self._stopping.reason or ("exhausted" if self._is_exhausted else "trials")
        if self._stopping.is_immediate and stop != "interrupted":
            self._pool.abandon()
        if not self._stopping.is_immediate and self._fatal is None:
            self._end_open_trials()
        self._store.put("study.log", self._study.log())
        if self._fatal is not None:
            self._fatal.trials = tuple(self._table.trials.values())
            raise self._fatal
        return outcome_of(self._table, Ended(stop, self._explain(stop), self._total()))

    def _record(self, trial: Trial, flight: Flight, done: Done) -> None:
        result = replace(
            trial,
            metrics={name: value for name, value in done.value["metrics"].items() if math.isfinite(value)},
            epoch=self._rungs[flight.rung],
            checkpoint=done.value.get("checkpoint"),
            seconds=trial.seconds + done.seconds,
        )
        history = done.value.get("history", ())
        self._losses.pop(trial.index, None)
        self._message = ""
        self._pace.done(trial, flight.rung, done.worker, done.seconds)
        if flight.rung < len(self._rungs) - 1:
            self._study.pause(result, history)
            value = result.metrics[self._request.objectives[0].metric]
            self._ranks.record(trial.number, flight.rung, value)
            self._checkpoints.supersede(trial.checkpoint)
        else:
            self._complete(trial, result, history)
        self._told.append(self._table.trials[trial.number])

    def _complete(self, trial: Trial, result: Trial, history: Sequence[Any]) -> None:
        best_before = self._table.leaders.best
        self._study.complete(result, history)
        self._ranks.retire(trial.number)
        for other in (trial, result, best_before):
            if other is not None and other.checkpoint not in self._exported():
                self._checkpoints.supersede(other.checkpoint)

    def _fail(self, trial: Trial, failure: Failure) -> None:
        is_baseline, is_lost = trial.index == 0, failure.kind == "infrastructure"
        if is_lost:
            failure = exhausted(failure)
        self._study.fail(trial, failure)
        self._told.append(self._table.trials[trial.number])
        self._ranks.retire(trial.number)
        self._checkpoints.supersede(trial.checkpoint)
        self._message = f"trial {trial.number} failed: {failure.error}"
        is_codes = may_be_the_codes(failure, is_baseline and is_lost)
        if is_codes and self._table.is_code_at_fault(self._limits.trials):
            failure = replace(failure, kind="code")
        if failure.kind == "code" or is_baseline:  # without a baseline there is nothing to compare with
            self._fatal = FatalFailure(trial, failure)

    def _choose(self) -> tuple[Trial, int] | None:
        """The trial to run next and the rung it goes to: lost ones first, then the rungs, then a new one."""
        if self._stopping.is_immediate or self._fatal:
            return None
        if self._lost:
            trial = self._study.run_again(*self._lost.popleft())
            return trial, next_rung(trial, self._rungs)
        if self._stopping.reason:
            return None
        if promotion := self._ranks.promotable():
            return self._promote(*promotion)
        if asked := self._study.ask(self._limits.trials):
            return asked, next_rung(asked, self._rungs)
        if not self._flights and self._is_top_empty() and (leader := self._ranks.leader()):
            return self._promote(*leader)
        return None

    def _promote(self, number: int, rung: int) -> tuple[Trial, int]:
        self._ranks.promote(number, rung)
        return self._study.promote(self._table.trials[number], self._rungs[rung]), rung

    def _is_top_empty(self) -> bool:
        return all(trial.index == 0 for trial in self._table.in_state("completed"))

    def _left_behind(self) -> Iterator[tuple[Trial, Failure]]:
        """Recorded trials to run again: under way when a driver was lost, or failed by the code's fault."""
        trials = [trial for trial in self._table.trials.values() if trial.state in ("running", "paused")]
        there = self._checkpoints.are_there(trials)
        for trial in trials:
            if trial.checkpoint and trial.checkpoint not in there:  # it starts anew, up to where it was to go
                self._table.put(replace(trial, checkpoint=None))
        yield from ((trial, DRIVER_LOST) for trial in self._table.in_state("running"))
        whole_code = self._table.is_code_at_fault(self._limits.trials)
        for trial in self._table.in_state("failed"):
            if trial.failure and (whole_code or trial.failure.kind == "code" or trial.index == 0):
                yield trial, trial.failure

    def _end_open_trials(self) -> None:
        """Prune what waits on a rung, and keep only the checkpoints that will be exported.

        After an immediate stop all of it stays as it is: with more time, a later driver goes on from there.
        """
        for trial in self._table.in_state("paused"):
            self._study.prune(trial)
        self._study.flush()
        self._checkpoints.sweep(self._exported())

    def _exported(self) -> set[str | None]:
        kept = (self._table.baseline, self._table.leaders.best)
        return {trial.checkpoint for trial in kept if trial is not None}

    @property
    def _is_exhausted(self) -> bool:
        return self._study.is_exhausted(self._limits.trials)

    @property
    def _parallelism(self) -> int:
        return min(self._pool.capacity, self._limits.parallelism or self._pool.capacity)

    def _seconds_left(self) -> float | None:
        if self.is_over():
            return 0.0
        left = self._pace.seconds_left(self._total() - self._table.failed, self._parallelism)
        return None if left is None else max(0.0, min(left, self._stopping.remaining()))

    def _total(self) -> int:
        drawn = self._table.distinct
        return drawn if self._is_exhausted else max(self._limits.trials, drawn)

    def _explain(self, stop: StopReason) -> str:
        asked, drawn, total = self._limits.trials, self._table.distinct, self._total()
        return {
            "trials": f"all {total} trials have ended" if total > 1 else "the only trial has ended",
            "goal": "a trial reached the goal",
            "exhausted": f"the search space ends after {drawn} configurations; {asked} were asked for",
            "failedTrials": f"more than spec.budget.failedTrials={self._limits.failed_trials} have failed",
            "interrupted": "stopped by request; what was recorded stays",
        }.get(stop, f"spec.budget.{stop} is used up")
