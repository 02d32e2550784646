"""A store whose user is stopped before every operation, until told to do it or to crash."""

import threading
from collections.abc import Callable
from typing import Literal, TypeVar

from tests.support.memory_store import MemoryStore

Order = Literal["go on", "crash before", "crash after"]
T = TypeVar("T")


class Crash(BaseException):
    """The process that used the store ends here."""


class SteppedStore(MemoryStore):
    """A view of a shared store for one thread, which does one operation per step; nothing runs in between.

    `created(key)` is called as soon as an object is there.
    """

    def __init__(self, shared: MemoryStore, created: Callable[[str], None]) -> None:
        super().__init__()
        self.objects = shared.objects
        self.failure: BaseException | None = None
        self._created = created
        self._order: Order = "go on"
        self._turn, self._idle = threading.Semaphore(0), threading.Semaphore(0)

    def run(self, program: Callable[[], object]) -> None:
        """Start `program` in a thread, up to its first operation."""
        threading.Thread(target=self._run, args=(program,), daemon=True).start()
        self._idle.acquire()

    def step(self, order: Order) -> None:
        """Have the next operation done, and whatever follows up to the one after it."""
        self._order = order
        self._turn.release()
        self._idle.acquire()

    def get(self, key: str) -> bytes:
        return self._in_turn(lambda: MemoryStore.get(self, key))

    def list(self, prefix: str = "") -> list[str]:
        return self._in_turn(lambda: MemoryStore.list(self, prefix))

    def create(self, key: str, body: bytes) -> None:
        def create() -> None:
            MemoryStore.create(self, key, body)
            self._created(key)

        self._in_turn(create)

    def _run(self, program: Callable[[], object]) -> None:
        try:
            program()
        except BaseException as failure:  # all of them: the thread that steps looks at it
            self.failure = failure
        self._idle.release()

    def _in_turn(self, operation: Callable[[], T]) -> T:
        self._idle.release()
        self._turn.acquire()
        if self._order == "crash before":
            raise Crash
        result = operation()
        if self._order == "crash after":
            raise Crash
        return result
