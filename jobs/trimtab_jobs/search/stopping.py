"""When the search asks for no more trials."""

from typing import get_args

from trimtab_jobs.search.request import Limits, SearchRequest
from trimtab_jobs.search.table import TrialTable
from trimtab_jobs.search.trial import StopReason, UsedUp

_IMMEDIATE = ("interrupted", *get_args(UsedUp))


class Stopping:
    """The first reason to stop, which then stays."""

    def __init__(self, request: SearchRequest, table: TrialTable) -> None:
        self._request = request
        self._table = table
        self._limits = request.limits_now()
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
        elif self.remaining() <= 0:
            self.reason = "duration"
        elif self.reason is None:
            self.reason = self._reason_of_results()

    @property
    def is_immediate(self) -> bool:
        """Whether what is under way is not waited for."""
        return self.reason in _IMMEDIATE

    def remaining(self) -> float:
        """Return the seconds that the budget leaves."""
        left = self._limits.seconds_left
        return float("inf") if left is None else left

    def _reason_of_results(self) -> StopReason | None:
        if self._table.leaders.reached_goal:
            return "goal"
        allowed = self._limits.failed_trials
        if allowed is not None and self._table.failed > allowed:
            return "failedTrials"
        return None
