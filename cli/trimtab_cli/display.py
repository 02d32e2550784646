"""Progress on a terminal: a block that is redrawn in place. The only module that needs rich."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trimtab_api.plan import Plan
from trimtab_api.report import Report
from trimtab_cli import progress
from trimtab_jobs.report import figures

if TYPE_CHECKING:
    from trimtab_jobs.search import Trial

MARKS = {"done": ("✓", "green"), "now": ("●", "cyan bold"), "todo": ("○", "dim"), "failed": ("✗", "red")}
STOPPING = "Stopping: saving what is done. Ctrl-C again ends at once."


class LiveScreen:
    """Redraws the state of a run four times a second, so that the time moves even when nothing else does."""

    def __init__(
        self,
        plan: Plan,
        output: str,
        stopping: Callable[[], bool],
        console: Console | None = None,
        begun_seconds_ago: float = 0.0,
    ) -> None:
        self._plan = plan
        self._output = output
        self._stopping = stopping
        self._report = Report(name=plan.name)
        self._reached = "Starting"
        self._received = time.monotonic()
        self._started = self._received - begun_seconds_ago
        self._live = Live(get_renderable=self.render, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start(refresh=True)
        return self

    def __exit__(self, *error: object) -> None:
        """Take the block away and give the cursor back; the summary takes its place."""
        self._live.stop()

    def note(self, message: str) -> None:
        """Print the sentence above the block, where it stays."""
        self._live.console.print(Text(message))

    def show_trial(self, trial: "Trial") -> None:
        """Nothing: the bar counts trials."""

    def end(self, report: Report) -> None:
        """Nothing: the summary takes the block's place."""

    def show(self, report: Report) -> None:
        """Draw this state from now on."""
        self._reached = progress.reached(self._reached, report.phase)
        self._report, self._received = report, time.monotonic()

    def render(self) -> RenderableType:
        """What to draw now."""
        now = time.monotonic()
        seconds_left = self._report.seconds_left
        left = None if seconds_left is None else max(0.0, seconds_left - (now - self._received))
        return Group(
            header(self._plan.name, self._output, now - self._started, left),
            step_line(progress.steps(self._plan, self._report.phase, self._reached), self._report.stage),
            *block(self._report),
            Text(STOPPING, style="yellow") if self._stopping() else Text(self._report.message, style="dim"),
        )


def header(name: str, output: str, elapsed: float, left: float | None) -> RenderableType:
    """Name and output at the left, the times at the right."""
    times = figures.duration(elapsed) + (f", about {figures.duration(left)} left" if left is not None else "")
    line = Table.grid(expand=True)
    line.add_column(ratio=1)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(Text.assemble((name, "bold"), ("  " + output, "dim")), Text(times))
    return line


def step_line(steps: tuple[progress.Step, ...], stage: str) -> Text:
    """The steps with a mark each; the one at work says which stage it is in."""
    line = Text()
    for step in steps:
        mark, style = MARKS[step.state]
        doing = f" ({stage})" if step.state == "now" and stage and stage != step.name else ""
        line.append(f"{mark} {step.name}{doing}   ", style=style)
    return line


def block(report: Report) -> list[RenderableType]:
    """Trials, best and candidates, as far as there are any."""
    parts: list[RenderableType] = []
    if report.trials.total:
        parts.append(trial_line(report))
    if leading := progress.best(report):
        parts.append(Text(f"Best    {leading}"))
    if report.candidates:
        parts.append(candidate_table(report))
    return parts


def trial_line(report: Report) -> RenderableType:
    """A bar of the trials that have ended, with the counts."""
    ended, total = progress.ended_trials(report), report.trials.total
    line = Table.grid(padding=(0, 1))
    line.add_row(
        Text("Trials "),
        ProgressBar(total=total, completed=ended, width=24),
        Text(f"{ended}/{total}  {progress.trial_counts(report)}"),
    )
    return line


def candidate_table(report: Report) -> Table:
    """The candidates measured so far."""
    columns = progress.candidate_columns(report.candidates)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("candidate", no_wrap=True)
    for name in columns:
        table.add_column(figures.heading(name), justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    for each in report.candidates:
        values = (Text(figures.figure(name, each.metrics.get(name))) for name in columns)
        table.add_row(
            Text(each.id), *values, Text(each.verdict, style="red" if "rejected" in each.verdict else "")
        )
    return table
