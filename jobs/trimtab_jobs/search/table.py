"""The trials of a search and all that is counted of them, kept up to date by each change."""

from collections import Counter

from trimtab_jobs.pool import Failure
from trimtab_jobs.search.failures import is_opening_streak
from trimtab_jobs.search.ranking import Leaders
from trimtab_jobs.search.space import configuration_key
from trimtab_jobs.search.trial import Counts, Params, Trial, TrialState


class TrialTable:
    """Every trial by its number; `put` is the only way in."""

    def __init__(self, leaders: Leaders) -> None:
        self.trials: dict[int, Trial] = {}
        self.leaders = leaders
        self.next_index = 0
        """Configurations drawn so far, duplicates included."""
        self.repeats = 0
        """Duplicates drawn in a row."""
        self._known: dict[str, int] = {}
        self._states: Counter[TrialState] = Counter()
        self._retried = 0
        self._baseline: int | None = None

    def put(self, trial: Trial) -> None:
        """Take a new trial in, or what became of one that is there."""
        before = self.trials.get(trial.number)
        self.trials[trial.number] = trial
        self._states[trial.state] += 1
        if before is None:
            self._enter(trial)
        else:
            self._states[before.state] -= 1
        if trial.state == "completed":
            self.leaders.add(trial)

    def retried_in_place(self, times: int = 1) -> None:
        """Count a trial that went on from a rung after its worker or driver was lost."""
        self._retried += times

    @property
    def distinct(self) -> int:
        """Configurations that were started: duplicates and retries do not count."""
        return len(self._known)

    def known(self, params: Params) -> Trial | None:
        """The trial that stands for this configuration, if there was one."""
        number = self._known.get(configuration_key(params))
        return None if number is None else self.trials[number]

    @property
    def baseline(self) -> Trial | None:
        """The trial of the defaults, once it has completed."""
        trial = None if self._baseline is None else self.trials[self._baseline]
        return trial if trial is not None and trial.state == "completed" else None

    def in_state(self, state: TrialState) -> list[Trial]:
        """Trials in this state, oldest first."""
        if not self._states[state]:
            return []
        return [trial for trial in self.trials.values() if trial.state == state]

    @property
    def failed(self) -> int:
        """Trials that have failed for good."""
        return self._states["failed"]

    def is_code_at_fault(self, limit: int) -> bool:
        """Whether nothing has succeeded and enough of the `limit` trials have failed, all alike.

        The baseline is enough: it is what the person runs today.
        """
        if self._states["completed"] or self._states["paused"] or self._states["pruned"]:
            return False
        failures: list[Failure] = [trial.failure for trial in self.in_state("failed") if trial.failure]
        has_baseline = self._baseline is not None and self.trials[self._baseline].state == "failed"
        return is_opening_streak(failures, 1 if has_baseline else limit)

    def counts(self, total: int, running: int) -> Counts:
        """Trials by how they ended, of `total` that are asked for, with `running` on a worker."""
        return Counts(
            total=total,
            completed=self._states["completed"],
            running=running,
            pruned=self._states["paused"] + self._states["pruned"],
            failed=self._states["failed"],
            retried=self._retried,
        )

    def _enter(self, trial: Trial) -> None:
        if trial.duplicate_of is not None:
            self.next_index += 1
            self.repeats += 1
            return
        self._known[configuration_key(trial.params)] = trial.number
        if trial.retry_of is None:
            self.next_index += 1
            self.repeats = 0
        else:
            self._retried += 1
        if trial.index == 0:
            self._baseline = trial.number
