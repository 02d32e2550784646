"""Where progress is shown: a live block on a terminal, plain lines everywhere else."""

import os
import sys
from collections.abc import Callable
from typing import Protocol, Self

from trimtab_api.plan import Plan
from trimtab_api.report import Report


class Screen(Protocol):
    """Shows a run while it lasts."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(self, *error: object) -> None:
        """Leave the terminal as it was."""
        ...

    def show(self, report: Report) -> None:
        """Show what has changed."""
        ...


def is_terminal() -> bool:
    """Whether someone watches: standard output is a terminal that can move its cursor."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def colour() -> bool | None:
    """What click.echo takes for `color`: False under NO_COLOR, else None, which means on a terminal only."""
    return False if os.environ.get("NO_COLOR") else None


def open_screen(plan: Plan, output: str, stopping: Callable[[], bool]) -> Screen:
    """The screen for standard output; rich is loaded only for a terminal."""
    if is_terminal():
        from trimtab_cli.display import LiveScreen

        return LiveScreen(plan, output, stopping)
    from trimtab_cli.plain import PlainScreen

    return PlainScreen(plan, output)
