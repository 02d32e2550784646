"""Progress as plain lines: one for each change, none too often, nothing that a log file would garble."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import click

from trimtab_api.plan import Plan
from trimtab_api.report import Best, Report, TrialCounts
from trimtab_cli import events, progress
from trimtab_jobs.report import figures

if TYPE_CHECKING:
    from trimtab_jobs.search import Trial

SECONDS_BETWEEN_COUNTS = 5.0
"""How often the count of trials is printed at most; anything else is printed when it happens."""


class PlainScreen:
    """Prints what has changed since the last line."""

    def __init__(
        self,
        plan: Plan,
        output: str,
        echo: Callable[[str], object] = click.echo,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._header = f"{plan.name}: output in {output}" if output else plan.name
        self._echo = echo
        self._clock = clock
        self._seen: Report | None = None
        self._counted: tuple[TrialCounts, Best | None] | None = None
        self._counted_at = float("-inf")

    def __enter__(self) -> Self:
        """Say what runs and where it is kept."""
        self._echo(self._header)
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to clean up: lines stay."""

    def note(self, message: str) -> None:
        """Print the sentence."""
        self._echo(message)

    def show(self, report: Report) -> None:
        """Print a line for each change; the count of trials again at the end of each phase."""
        before, self._seen = self._seen, report
        moved = before is not None and before.phase != report.phase
        if before is not None and moved:
            self._count(before)
        for line in changes(before, report):
            self._echo(line)
        if self._clock() - self._counted_at >= SECONDS_BETWEEN_COUNTS:
            self._count(report)

    def show_trial(self, trial: "Trial") -> None:
        """Nothing: trials are counted, and the ones that fail have their message."""

    def end(self, report: Report) -> None:
        """Nothing: the summary follows."""

    def _count(self, report: Report) -> None:
        line, state = trials(report), (report.trials, report.best)
        if line and state != self._counted:
            self._echo(line)
            self._counted, self._counted_at = state, self._clock()


def changes(before: Report | None, now: Report) -> Iterator[str]:
    """A line for each of: another phase or stage, another message, a candidate that is new or judged anew.

    How it ended is left to the summary, the trials to their count.
    """
    for change in events.between(before, now, datetime.now(UTC)):
        match change:
            case events.StageEvent(phase=phase, stage=stage):
                told = phase.lower().startswith(stage.lower())  # "Searching: search" says nothing more
                yield phase if told else f"{phase}: {stage}"
            case events.NoteEvent(message=message):
                yield message
            case events.CandidateEvent(candidate=candidate):
                yield f"candidate {progress.candidate(candidate)}"


def trials(report: Report) -> str:
    """The count of trials on one line; empty when there are none."""
    if not report.trials.total:
        return ""
    counts = progress.trial_counts(report)
    parts = [
        f"trials {progress.ended_trials(report)}/{report.trials.total}{f' ({counts})' if counts else ''}"
    ]
    if leading := progress.best(report):
        parts.append(f"best {leading}")
    if report.seconds_left is not None:
        parts.append(f"about {figures.duration(report.seconds_left)} left")
    return "; ".join(parts)
