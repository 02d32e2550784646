"""Something that is done now and then while a block lasts, by a thread that ends with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trimtab_jobs import alive

JOIN_SECONDS = 1.0


@contextmanager
def repeatedly(act: Callable[[], object], every_seconds: float, name: str) -> Iterator[None]:
    """Call `act` every so many seconds while the block lasts; none of its calls goes on after the block.

    A call that returns False is the last one.
    """
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(every_seconds) and act() is not False:
            pass

    thread = threading.Thread(target=go_on, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        while thread.is_alive():  # its last call may wait for a store
            alive.sign()
            thread.join(JOIN_SECONDS)
