"""Progress as JSON lines: each event of a run as it happens, for a program that watches."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from trimtab_api.plan import Plan
from trimtab_api.report import Report
from trimtab_cli import events

if TYPE_CHECKING:
    from trimtab_jobs.search import Trial


def utc_now() -> datetime:
    """The time of an event."""
    return datetime.now(UTC)


class LineScreen:
    """Writes one JSON object for each change."""

    def __init__(
        self,
        plan: Plan,
        output: str,
        echo: Callable[[str], object],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._plan = plan
        self._output = output
        self._echo = echo
        self._clock = clock
        self._seen: Report | None = None

    def __enter__(self) -> Self:
        """Write what begins."""
        self._write(
            events.StartEvent(
                time=self._clock(), name=self._plan.name, output=self._output, plan_digest=self._plan.digest
            )
        )
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to clean up: lines stay."""

    def note(self, message: str) -> None:
        """Write one sentence for a person."""
        self._write(events.NoteEvent(time=self._clock(), message=message))

    def show(self, report: Report) -> None:
        """Write each change since the last report."""
        before, self._seen = self._seen, report
        for change in events.between(before, report, self._clock()):
            self._write(change)

    def show_trial(self, trial: "Trial") -> None:
        """Write the trial's result."""
        self._write(trial_event(trial, self._clock()))

    def end(self, report: Report) -> None:
        """Write how it ended."""
        from trimtab_jobs.report.outcome import outcome

        verdict = outcome(report)
        self._write(
            events.FinalEvent(time=self._clock(), exit_code=verdict.code, title=verdict.title, report=report)
        )

    def _write(self, event: events.Event) -> None:
        self._echo(events.line(event))


def trial_event(trial: "Trial", time: datetime) -> events.TrialEvent:
    """The event of a trial that has a result."""
    assert trial.state in ("paused", "completed", "failed")
    return events.TrialEvent(
        time=time,
        number=trial.number,
        state=trial.state,
        params=dict(trial.params),
        metrics=dict(trial.metrics),
        epoch=trial.epoch,
        seconds=round(trial.seconds, 3),
        error=trial.failure.error if trial.failure else None,
    )
