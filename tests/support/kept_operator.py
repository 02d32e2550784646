"""An operator that is started again whenever it ends, as a kubelet would.

with KeptOperator(server, folder, "vision", settings=serving("vision")) as operator:
    operator.kill()
    operator.wait_until_leading()
    operator.exits                     # [-9]
"""

import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

from tests.support.operator_process import LIMIT_SECONDS, OPERATOR, OperatorProcess

QUICK = {
    "LEASE_RETRY_SECONDS": "0.3",
    "BACKOFF_FIRST_SECONDS": "0.2",
    "BACKOFF_MOST_SECONDS": "2",
    "LOG_FORMAT": "text",
    "CONCURRENCY": "4",
}
"""Settings that have it try again soon; the Lease lasts as long as in production."""
SHORT_LEASE = {"LEASE_DURATION_SECONDS": "4", "LEASE_RENEW_SECONDS": "3"}


def serving(namespace: str, identity: str = "one", **settings: str) -> Mapping[str, str]:
    """Settings of an operator that serves a namespace; under its old identity it goes on at once."""
    return {**QUICK, "NAMESPACES": namespace, "IDENTITY": identity, **settings}


@dataclass
class KeptOperator(OperatorProcess):
    """One operator, running again and again until its context is left."""

    exits: list[int] = field(default_factory=list)
    """How it ended each time so far: -9 when killed, 0 when told to, 1 when it lost the Lease."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lock = threading.Lock()
        self._stopping = False
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "KeptOperator":
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._stopping = True
        self.kill()  # nobody waits for its Lease
        self._thread.join()
        if error:
            error.add_note(f"{self.folder.name}, exits {self.exits}:\n{self.log[-4000:]}")

    def start(self) -> None:
        self._thread.start()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Have nothing of it run until `thaw`, as on a machine that is suspended."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def wait_until_ready(self) -> None:
        self.wait_until("it is ready", self.is_ready)

    def wait_until_leading(self) -> None:
        self.wait_until("it leads", self.is_leading)

    def wait_for_exit(self, number: int = 1) -> int:
        """How it ended for the number-th time, once it has."""
        self.wait_until(f"it has ended {number} times", lambda: len(self.exits) >= number)
        return self.exits[number - 1]

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Return once this holds, asked again and again."""
        name = f"operator {self.folder.name}: {what}"
        self.server.plane.processes.wait_until(name, is_so, LIMIT_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock, suppress(ProcessLookupError):
            if self._child:
                self._child.send_signal(number)

    def _keep(self) -> None:
        while child := self._start():
            self.exits.append(child.wait())

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping:
                return None
            super().start()
            self._child = self.processes.children.pop(OPERATOR)
            return self._child
