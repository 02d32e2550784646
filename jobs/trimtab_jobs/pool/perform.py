"""One work in a worker: call the function, turn whatever it raises into a Failure, keep what it printed."""

import os
import time
import traceback
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from trimtab_jobs.pool.base import Cause, Done, Failure, FailureKind, Work
from trimtab_jobs.pool.errors import CodeError, WorkError
from trimtab_jobs.pool.memory import is_out_of_memory
from trimtab_jobs.pool.printed import Printed, last_lines
from trimtab_jobs.pool.session import Session, resolve
from trimtab_jobs.pool.streaming import streamed
from trimtab_jobs.store import StoreError

_ERROR_CHARACTERS = 600


def perform(session: Session, work: Work, worker: int, printed: Printed | None = None) -> Done:
    """What became of the work; never raises, whatever the user's code does.

    With `printed`, what the work writes to file descriptors 1 and 2 goes to the store under `work.log`.
    """
    started = time.perf_counter()
    process = os.getpid()
    with streamed(session, work, printed), printed.bounded() if printed else nullcontext():
        value, failure, trace = _call(session, work)
        if os.getpid() != process:
            os._exit(0)  # a child that the user's code has forked and let go on: it is no worker
    seconds = time.perf_counter() - started
    if printed is not None:
        output = printed.take() + trace.encode(errors="replace")
        failure = _keep_log(session, work, output) or failure
        trace = output.decode(errors="replace")
    if failure is not None:
        failure = replace(failure, tail=failure.tail or last_lines(trace))
    return Done(id=work.id, seconds=seconds, worker=worker, value=value, failure=failure)


def failure_of(error: BaseException) -> Failure:
    """Whose fault an exception is, in one line: the store's, the code's, or these parameters'."""
    kind: FailureKind = "configuration"
    if isinstance(error, StoreError):
        kind = "infrastructure"
    elif isinstance(error, CodeError):
        kind = "code"
    cause: Cause = "memory" if is_out_of_memory(error) else ""
    if isinstance(error, StoreError | WorkError):
        text = str(error)
    else:
        text = "".join(traceback.format_exception_only(error)).strip()
    short = text if len(text) <= _ERROR_CHARACTERS else f"{text[:_ERROR_CHARACTERS]}…"
    return Failure(kind, short, cause=cause)


def _call(session: Session, work: Work) -> tuple[Any, Failure | None, str]:
    try:
        return resolve(work.function)(session, **work.payload), None, ""
    except BaseException as error:  # SystemExit and KeyboardInterrupt of user code are its failures too
        return None, failure_of(error), _trace_of(error)


def _trace_of(error: BaseException) -> str:
    """The traceback that helps: of the user's exception, not of our sentence about it."""
    if isinstance(error, WorkError):
        return "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else ""
    own_frame = error.__traceback__
    return "".join(traceback.format_exception(error.with_traceback(own_frame.tb_next if own_frame else None)))


def _keep_log(session: Session, work: Work, output: bytes) -> Failure | None:
    if work.log is None or not output:
        return None
    try:
        session.store.put(work.log, output)
    except StoreError as error:
        return failure_of(error)
    return None
