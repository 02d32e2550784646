"""Ctrl-C: the first asks the run to stop and save, the second ends the process at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h"


class Stop:
    """Whether the person asked to stop; `forced` is called, once, when they ask again."""

    def __init__(self, forced: Callable[[], None]) -> None:
        self.requested = False
        self._forced = forced

    def __call__(self) -> bool:
        """Whether to stop: what the driver asks between two steps."""
        return self.requested

    @contextmanager
    def listening(self) -> Iterator["Stop"]:
        """Take SIGINT and SIGTERM for as long as the block lasts."""
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Only a flag: printing here could break into a print that the signal interrupted.
        if self.requested:
            self._forced()
        self.requested = True


def leave_now(command: str) -> Callable[[], None]:
    """What a second Ctrl-C does: one line, and the end, without waiting for anything.

    The record is written ahead of every step, so that even this loses no finished trial.
    """

    def leave() -> None:
        cursor = SHOW_CURSOR if os.isatty(2) else b""
        os.write(2, cursor + f"\nEnded at once. Run the same command to go on: {command}\n".encode())
        os._exit(130)

    return leave
