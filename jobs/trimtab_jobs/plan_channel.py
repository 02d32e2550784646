"""The plan's ConfigMap, looked at again and again: edits reach the run that is under way."""

import threading
from collections.abc import Callable

from trimtab_jobs.config_maps import ApiError, ConfigMaps
from trimtab_jobs.errors import RefusedError, StoppedError
from trimtab_jobs.orders import Orders, UnreadableError, followed, orders_of
from trimtab_jobs.settings import Settings

EVERY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0
Read = Callable[[], Orders]
Heed = Callable[[Orders], None]


class PlanChannel:
    """The newest orders that this run may follow; a thread of its own reads them.

    What of them cannot be read stays as it was, and another job's plan changes nothing; `tell` hears of it
    once. `heed` gets the orders after every look, in that thread.
    """

    def __init__(
        self,
        read: Read,
        first: Orders,
        tell: Callable[[str], None],
        heed: Heed = lambda orders: None,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._read = read
        self._orders = first
        self._tell = tell
        self._heed = heed
        self._every_seconds = every_seconds
        self._told = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="plan", daemon=True)

    def __call__(self) -> Orders:
        """The orders as they are known now."""
        return self._orders

    def __enter__(self) -> "PlanChannel":
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Read no more; a request under way is not waited for."""
        self._closed.set()

    def look(self) -> None:
        """Read the orders once."""
        problem = ""
        try:
            new, problem = self._newest()
            self._orders = followed(self._orders, new)
        except (ApiError, RefusedError) as error:
            problem = str(error)
        if problem and problem != self._told:
            self._tell(problem)
        self._told = problem
        self._heed(self._orders)

    def _newest(self) -> tuple[Orders, str]:
        """The orders as far as they can be read, the rest as it was, and what could not be read."""
        try:
            return self._read(), ""
        except UnreadableError as error:
            known = Orders(error.plan or self._orders.plan, error.control or self._orders.control)
            return known, str(error)

    def _follow(self) -> None:
        while not self._closed.wait(self._every_seconds):
            self.look()


def first_orders(read: Read, patience_seconds: float, wait: Callable[[float], bool]) -> Orders:
    """The orders to begin with; tried again for a while, since a pod may be ahead of its rights and network.

    Raises ApiError when there are none by then, RefusedError when they cannot be read, and StoppedError when
    `wait` says that the run is to stop.
    """
    pause = 0.5
    while True:
        try:
            return read()
        except ApiError:
            patience_seconds -= pause
            if patience_seconds <= 0:
                raise
            if wait(pause):
                raise StoppedError from None
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def read_from(maps: ConfigMaps, settings: Settings) -> Read:
    """Reads the orders from the plan's ConfigMap."""
    return lambda: orders_of(maps.read(settings.plan))
