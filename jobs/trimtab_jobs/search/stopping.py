"""When the search asks for no more trials, and how long it may still take."""

from typing import get_args

from trimtab_jobs.search.request import Limits, SearchRequest
from trimtab_jobs.search.table import TrialTable
from trimtab_jobs.search.trial import StopReason, UsedUp

_IMMEDIATE = ("interrupted", *get_args(UsedUp))
PACED = 5
"""Results from which the time that is left is told: of fewer, some began together and say little."""


class Stopping:
    """The first reason to stop, which then stays."""

    def __init__(self, request: SearchRequest, table: TrialTable) -> None:
        self._request = request
        self._table = table
        self._limits = request.limits_now()
        self._settled = 0
        self._first = 0.0
        self.reason: StopReason | None = None

    def look(self, limits: Limits) -> None:
        """Look at person, clock and budget, under the limits of now."""
        self._limits = limits
        if self.is_immediate:
            return
        if self._request.should_stop():
            self.reason = "interrupted"
        elif limits.used_up is not None:
            self.reason = limits.used_up
        elif self._remaining() <= 0:
            self.reason = "duration"
        elif self.reason is None:
            self.reason = self._reason_of_results()

    def count_settled(self) -> None:
        """Take note that one more configuration has its first result."""
        if not self._settled:
            self._first = self._request.clock()
        self._settled += 1

    @property
    def is_immediate(self) -> bool:
        """Whether what is under way is not waited for."""
        return self.reason in _IMMEDIATE

    def seconds_left(self, open_trials: int) -> float | None:
        """Time to the end at the pace so far, at most what the budget leaves; None where that is a guess.

        The first result does not count towards the pace: until then workers have started and loaded the data.
        """
        if not open_trials:
            return 0.0
        if self._settled < PACED:
            return None
        pace = (self._request.clock() - self._first) / (self._settled - 1)
        return max(0.0, min(open_trials * pace, self._remaining()))

    def _remaining(self) -> float:
        left = self._limits.seconds_left
        return float("inf") if left is None else left

    def _reason_of_results(self) -> StopReason | None:
        if self._table.leaders.reached_goal:
            return "goal"
        allowed = self._limits.failed_trials
        if allowed is not None and self._table.failed > allowed:
            return "failedTrials"
        return None
