"""Progress: the one place where the report of a run changes. Every change is published."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from trimtab_api.conditions import Condition, ConditionStatus, set_condition
from trimtab_api.report import Cost, Phase, Report
from trimtab_jobs.search import Trial

Publish = Callable[[Report], None]
TellTrial = Callable[[Trial], None]
MESSAGE_CHARACTERS = 1024
"""The report's limit: a longer message keeps its beginning and its end."""


class Progress:
    """The report so far, and the one it is told to after each change."""

    def __init__(self, report: Report, publish: Publish, tell_trial: TellTrial | None = None) -> None:
        self.report = report
        self.trials: tuple[Trial, ...] = ()
        """All trials, once the search has ended in whatever way: too many for the report."""
        self._publish = publish
        self._tell_trial = tell_trial
        self._notes: tuple[str, ...] = ()
        self._changing = threading.Lock()  # a change may come from the thread that looks for edits
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time that the run has taken, that of earlier drivers included."""
        return time.monotonic() - self._started

    def count(self, seconds_used: float) -> None:
        """Count the time of earlier drivers as this run's."""
        self._started -= seconds_used

    def change(self, **fields: Any) -> None:
        """Set fields of the report (by attribute name) and publish it."""
        with self._changing:
            if fields.get("message") == "":
                fields["message"] = self._noted if self.report.message == self._noted else ""
            self.report = self.now().model_copy(update=fields)
            self._publish(self.report)

    def tell_trials(self, trials: Sequence[Trial]) -> None:
        """Tell who wants to hear of each trial which results are new; the report only counts them."""
        if self._tell_trial is not None:
            for trial in trials:
                self._tell_trial(trial)

    def now(self) -> Report:
        """The report with the time that the run has taken by now; may be asked by another thread."""
        cost = Cost(seconds=round(self.seconds, 1))
        return self.report.model_copy(update={"cost": cost})

    def stage(self, phase: Phase, stage: str) -> None:
        """Enter a stage."""
        self.change(phase=phase, stage=stage, message="", seconds_left=None)

    def say(self, message: str) -> None:
        """Tell a person one sentence, until the next one or the next stage."""
        self.change(message=shortened(message))

    def note(self, message: str) -> None:
        """Tell what a person should know of the whole run: it stays until there is something else to say."""
        with self._changing:
            self._notes += (message,)
        self.say(self._noted)

    @property
    def _noted(self) -> str:
        return shortened("; ".join(self._notes))

    def condition(self, kind: str, status: ConditionStatus, reason: str, message: str = "") -> None:
        """Set one condition of the report; it is published with the next change."""
        new = Condition(type=kind, status=status, reason=reason, message=shortened(message))
        with self._changing:
            conditions = set_condition(self.report.conditions, new, now=datetime.now(UTC))
            self.report = self.report.model_copy(update={"conditions": conditions})

    def start(self) -> None:
        """Take note that the run is under way; it is published with the first stage."""
        self.condition("Succeeded", "Unknown", "Running")

    def succeed(self, reason: str, message: str) -> None:
        """Say that the model is published."""
        self.condition("Succeeded", "True", reason, message)
        self.change(phase="Succeeded", stage="", message=shortened(message), seconds_left=None)

    def fail(self, reason: str, message: str) -> None:
        """Say that the run ended without a model, in which stage, and why."""
        self.condition("Succeeded", "False", reason, message)
        self.change(phase="Failed", message=shortened(message), seconds_left=None)


def shortened(message: str, limit: int = MESSAGE_CHARACTERS) -> str:
    """The message within a limit, the report's: its beginning and, as of a traceback, its end.

    What is no text, as in the name of a file that is not UTF-8, becomes "?": no report could be written.
    """
    message = message.encode(errors="replace").decode()
    if len(message) <= limit:
        return message
    half = limit // 2 - 3
    return f"{message[:half]} … {message[-half:]}"
