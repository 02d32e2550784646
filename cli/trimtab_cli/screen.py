"""Where progress is shown: a live block on a terminal, plain lines elsewhere, JSON lines for programs."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self

import click

from trimtab_api.plan import Plan
from trimtab_api.report import Report

if TYPE_CHECKING:
    from trimtab_jobs.search import Trial

Mode = Literal["live", "plain", "json"]


class Screen(Protocol):
    """Shows a run while it lasts."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(self, *error: object) -> None:
        """Leave the terminal as it was."""
        ...

    def note(self, message: str) -> None:
        """Show one sentence that a person should know before it begins."""
        ...

    def show(self, report: Report) -> None:
        """Show what has changed."""
        ...

    def show_trial(self, trial: "Trial") -> None:
        """Show the result of one trial."""
        ...

    def end(self, report: Report) -> None:
        """Show how it ended, where no summary does."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """How progress is shown, and on which stream."""

    mode: Mode
    err: bool
    """Standard error: standard output is left to the answer that -o asks for."""

    def echo(self, text: str) -> None:
        """Print one line there."""
        click.echo(text, err=self.err)


def view_of(progress: str, form: str | None) -> View:
    """The view that `--progress` asks for; auto is live on a terminal and plain elsewhere."""
    err = form is not None
    if progress == "auto":
        return View("live" if is_terminal(sys.stderr if err else sys.stdout) else "plain", err)
    modes: dict[str, Mode] = {"live": "live", "plain": "plain", "json": "json"}
    return View(modes[progress], err)


def is_terminal(stream: object) -> bool:
    """Whether someone watches: the stream is a terminal that can move its cursor."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM") != "dumb"


def colour() -> bool | None:
    """What click.echo takes for `color`: False under NO_COLOR, else None, which means on a terminal only."""
    return False if os.environ.get("NO_COLOR") else None


def columns() -> int | None:
    """Columns of the terminal on standard output; None where it goes elsewhere, and lines may be long."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def open_screen(
    plan: Plan, output: str, view: View, stopping: Callable[[], bool], begun_seconds_ago: float = 0.0
) -> Screen:
    """The screen of a view; rich is loaded only for a live one."""
    if view.mode == "live":
        from rich.console import Console

        from trimtab_cli.display import LiveScreen

        return LiveScreen(plan, output, stopping, Console(stderr=view.err), begun_seconds_ago)
    if view.mode == "json":
        from trimtab_cli.lines import LineScreen

        return LineScreen(plan, output, view.echo)
    from trimtab_cli.plain import PlainScreen

    return PlainScreen(plan, output, view.echo)
