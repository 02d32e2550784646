"""What a lost worker printed tells whether it ended by its own doing, and where."""

import errno

import pytest

from trimtab_jobs.pool.crash import Crash, crash_of
from trimtab_jobs.pool.memory import is_out_of_memory

PYTHON = "/usr/lib/python3.11"
STACK = f"""
Stack (most recent call first):
  File "{PYTHON}/ctypes/__init__.py", line 519 in string_at
  File "/trimtab/code/digits.py", line 12 in build
  File "/venv/lib/python3.11/site-packages/trimtab_jobs/tasks/trial.py", line 7 in run_trial
  File "/venv/lib/python3.11/site-packages/trimtab_jobs/pool/perform.py", line 9 in _call
  File "/venv/lib/python3.11/site-packages/ray/_private/worker.py", line 1069 in main_loop

Extension modules: numpy.linalg, ray._raylet (total: 2)
"""
NATIVE = """\
[2026-11-24 19:17:25,631 E 20389 20389] logging.cc:474: *** SIGSEGV received at time=1795547845 on cpu 0 ***
    @     0x7f389f85a050  (unknown)  (unknown)
"""


def test_a_signal_is_told_with_the_innermost_line_of_the_users_code():
    printed = f"epoch 1\n{NATIVE}Fatal Python error: Segmentation fault\n{STACK}"

    assert crash_of(printed) == Crash(
        "the worker process ended by SIGSEGV (segmentation fault) in build, digits.py line 12",
        "epoch 1\n"
        "Traceback (most recent call last):\n"
        '  File "/venv/lib/python3.11/site-packages/trimtab_jobs/tasks/trial.py", line 7 in run_trial\n'
        '  File "/trimtab/code/digits.py", line 12 in build\n'
        f'  File "{PYTHON}/ctypes/__init__.py", line 519 in string_at\n'
        "Fatal Python error: Segmentation fault",
        is_out_of_memory=False,
    )


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ("Aborted", "SIGABRT (aborted)"),
        ("Bus error", "SIGBUS (bus error)"),
        ("Floating-point exception", "SIGFPE (floating-point exception)"),
        ("os._exit(3)", "os._exit(3)"),
        ("Cannot recover from stack overflow.", "Cannot recover from stack overflow."),
    ],
)
def test_every_end_has_its_name(told: str, cause: str):
    crash = crash_of(f"Fatal Python error: {told}\n")

    assert crash is not None
    assert crash.error == f"the worker process ended by {cause}"


def test_c_code_that_is_refused_memory_is_out_of_memory():
    thrown = "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n"
    crash = crash_of(f"{thrown}Fatal Python error: Aborted\n{STACK}")

    assert crash is not None
    assert crash.is_out_of_memory


@pytest.mark.parametrize(
    "printed",
    ["", "epoch 1\n", "Fatal Python error: Aborted\n" + "another epoch\n" * 200],
    ids=["nothing", "no word of it", "somebody else's, long ago"],
)
def test_a_process_that_said_nothing_was_lost(printed: str):
    assert crash_of(printed) is None


class OutOfMemoryError(RuntimeError):
    """As torch names its own."""


@pytest.mark.parametrize(
    ("error", "is_so"),
    [
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (OutOfMemoryError("CUDA out of memory"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_too_little_memory_is_known_by_whoever_says_it(error: Exception, is_so: bool):
    wrapped = ValueError("no batch")
    wrapped.__cause__ = error

    assert (is_out_of_memory(error), is_out_of_memory(wrapped)) == (is_so, is_so)
