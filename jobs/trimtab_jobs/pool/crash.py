"""How a worker's process ended by its own doing, as it told before: a signal, or an exit from within.

Python's faulthandler writes the stack of a process that a signal ends; an exit that skips everything else is
made to do the same. So the driver tells a crash, which is likely to come again, from a worker that was lost.
"""

import faulthandler
import os
import re
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from typing import NoReturn

_SIGNALS = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Illegal instruction": "SIGILL",
    "Floating point exception": "SIGFPE",
    "Floating-point exception": "SIGFPE",
}
_FATAL = "Fatal Python error: "
_STACK_LINES = 130
"""What faulthandler writes at most: a hundred frames, the extension modules, and a few lines around them."""
_FRAME = re.compile(r'  File "(?P<path>.*)", line (?P<line>\d+) in (?P<function>.*)')
_OWN = re.compile(r"/trimtab_jobs/pool/|/site-packages/ray/")
_LIBRARY = re.compile(r"/site-packages/|/dist-packages/|/lib/python3")
_NOISE = re.compile(r"Extension modules: |\[.*\] logging\.cc:\d+: |    @ +0x|\*\*\* SIG|PC: @ +0x")
_NO_MEMORY = "std::bad_alloc"


@dataclass(frozen=True, slots=True)
class Crash:
    """The end of a process, as far as it is known."""

    error: str
    """What ended it and where, in one line."""
    output: str
    """What was printed before, and the stack of the user's code as Python would show it."""
    is_out_of_memory: bool


def tell_crashes() -> None:
    """Let this process write its stack to standard error whenever it ends by a signal or by os._exit."""
    faulthandler.enable(all_threads=False)
    process, leave = os.getpid(), os._exit

    def tell_and_leave(status: int) -> NoReturn:
        if os.getpid() == process:  # a forked child may leave as it likes
            os.write(2, f"{_FATAL}os._exit({status})\n\n".encode())
            faulthandler.dump_traceback(2, all_threads=False)
        leave(status)

    os._exit = tell_and_leave


def crash_of(printed: str) -> Crash | None:
    """The crash that ends what a process has printed; None when it was lost without a word. Pure."""
    lines = printed.rstrip().splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(_FATAL)]
    if not starts or len(lines) - starts[-1] > _STACK_LINES:
        return None
    what = lines[starts[-1]].removeprefix(_FATAL)
    stack = dropwhile(_OWN.search, filter(_FRAME.match, lines[starts[-1] + 1 :]))
    users = list(takewhile(lambda line: not _OWN.search(line), stack))
    cause = f"{_SIGNALS[what]} ({what.lower()})" if what in _SIGNALS else what
    before = [line for line in lines[: starts[-1]] if not _NOISE.match(line)]
    return Crash(
        f"the worker process ended by {cause}{_place(users)}",
        "\n".join([*before, "Traceback (most recent call last):", *reversed(users), lines[starts[-1]]]),
        any(_NO_MEMORY in line for line in before[-_STACK_LINES:]),
    )


def _place(stack: list[str]) -> str:
    """The innermost frame of the user's own code, else of any."""
    own = [line for line in stack if not _LIBRARY.search(line)] or stack
    found = _FRAME.match(own[0]) if own else None
    return f" in {found['function']}, {os.path.basename(found['path'])} line {found['line']}" if found else ""
