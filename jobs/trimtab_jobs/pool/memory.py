"""How much memory a trial may take: a limit on its process, so that what is too much fails at once.

Linux counts a process's private memory that can be written to against RLIMIT_DATA and refuses more of it
(since 4.7; man 2 getrlimit): Python raises MemoryError, torch its own error, and the worker lives. It counts
what is asked for, not what is touched. Children inherit the limit, each for itself.
"""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trimtab_api.fields import quantity_value
from trimtab_jobs.pool.errors import MemoryLimitError
from trimtab_jobs.pool.session import Session

FIELD = "spec.resources.search.perTrial.memory"
LEAST_BYTES = 64 * 2**20
"""What a trial has to have beside what its worker has by then."""
_AT_REST = "memory of the worker at rest"
_STATUS = Path("/proc/self/status")


@contextmanager
def limited_memory(session: Session) -> Iterator[None]:
    """Keep the process, while the block lasts, within what the manifest gives a trial.

    The memory is that of the whole worker, libraries included, as it would be that of a container. Raises
    MemoryLimitError for more; without a limit, and where there is no /proc, it does nothing.
    """
    given = session.setup.trial_memory
    held = _held() if given else None
    if given is None or held is None:
        yield
        return
    resident, counted = session.cache.setdefault(_AT_REST, held)
    left = int(quantity_value(given)) - resident
    if left < LEAST_BYTES:
        needs = f"its worker alone takes {resident / 1e6:.0f} MB; give it more"
        raise MemoryLimitError(f"{FIELD}: {given} is too little for a trial: {needs}")
    with _limit(counted + left):
        try:
            yield
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            fix = "raise it, or make the model, its batches or its data smaller"
            raise MemoryLimitError(f"{FIELD}: the trial needs more than {given}; {fix}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory, a GPU's too, is why an exception was raised, whoever has wrapped it meanwhile. Pure."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        is_torch = isinstance(each, RuntimeError) and (
            "can't allocate memory" in str(each) or type(each).__name__ == "OutOfMemoryError"
        )
        is_system = isinstance(each, OSError) and each.errno == errno.ENOMEM
        if isinstance(each, MemoryError) or is_torch or is_system:
            return True
        each = each.__cause__ or each.__context__
    return False


def _held() -> tuple[int, int] | None:
    """Bytes that this process holds of its own, and those that count against the limit; None if unknown."""
    try:
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
        return int(lines["RssAnon"].split()[0]) * 1024, int(lines["VmData"].split()[0]) * 1024
    except (OSError, KeyError):
        return None


@contextmanager
def _limit(counted: int) -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = counted if hard == resource.RLIM_INFINITY else min(counted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
