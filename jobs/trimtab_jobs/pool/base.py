"""The one seam between the driver, which decides, and the workers, which run the user's code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

FailureKind = Literal["infrastructure", "configuration", "code"]
Cause = Literal["", "crash", "memory"]
CRASHES = 2
"""So often a work may end its worker by its own doing; then that is its failure."""


@dataclass(frozen=True, slots=True)
class DataPlace:
    """Where one set of the task's data lies: an entry of spec.task.data."""

    uri: str
    """A URI, which each node fetches once, or a path that every worker sees."""
    sha256: str | None = None
    """Digest of the file, which a worker then refuses in any other state."""


@dataclass(frozen=True, slots=True)
class GivenModel:
    """The model that the manifest starts from: spec.model.pretrained."""

    uri: str
    """Where it lies: a URI, or a path on this machine."""
    sha256: str | None = None
    """Digest of the file, which a worker then refuses in any other state."""

    @property
    def is_onnx(self) -> bool:
        """Whether it is an ONNX file, which is compressed but not trained; else weights of a module."""
        return self.uri.endswith(".onnx")


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What a worker needs to know once; it must survive pickling."""

    store_uri: str
    """Opens the run's store in the worker."""
    entrypoint: str
    """The user's task, as module:attribute."""
    args: Mapping[str, Any]
    """Keyword arguments of the task's constructor."""
    code: str | None = None
    """Folder of the user's modules, put first on sys.path."""
    data: Mapping[str, DataPlace] = field(default_factory=dict)
    """Where each named set of data lies."""
    threads: int = 1
    """CPU threads of one worker."""
    model: GivenModel | None = None
    """The model to start from; None: the task's own, untrained."""
    trial_memory: str | None = None
    """Memory that a worker may hold while it runs a trial, as a quantity such as 4Gi; None: all there is."""
    code_sha256: str = ""
    """Digest of every file of the code, which a worker then refuses in any other state; "": it takes any."""


@dataclass(frozen=True, slots=True)
class Work:
    """One call of a function in a worker: function(session, **payload)."""

    id: str
    """Name by which its Done comes back, such as trial-7."""
    function: str
    """What to call, as module:function, resolved in the worker."""
    payload: Mapping[str, Any]
    """Keyword arguments; small and picklable."""
    log: str | None = None
    """Store key for what it prints, such as logs/7.log; None: kept only for the tail of a failure."""
    group: str | None = None
    """Group of workers to run on, where the pool has several; None: its first."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a work has no value, and whose fault that is."""

    kind: FailureKind
    """infrastructure: run it again; configuration: these parameters; code: any parameters."""
    error: str
    """The exception in one line."""
    tail: str = ""
    """Last lines it printed, its traceback among them."""
    cause: Cause = ""
    """crash: the process ended by its own doing; memory: there was too little of it; "": any other."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a Work: its value, or its failure."""

    id: str
    seconds: float
    worker: int
    value: Any = None
    failure: Failure | None = None

    @property
    def is_worker_spent(self) -> bool:
        """Whether its worker is to be replaced: it may hold memory that it cannot give back."""
        return self.failure is not None and self.failure.cause == "memory"


class TrialPool(Protocol):
    """Workers that take one work each at a time."""

    capacity: int
    """Works that may run at once on the first group of workers."""

    def submit(self, work: Work) -> None:
        """Start the work on a free worker; RuntimeError when `capacity` works are already under way."""
        ...

    def poll(self, timeout_seconds: float) -> list[Done]:
        """All works that have ended: waits for the first up to the timeout; [] when nothing is under way."""
        ...

    def abandon(self) -> None:
        """Drop all works under way, whose Done will never come; all workers are free again."""
        ...

    def close(self) -> None:
        """Let all workers and what they hold go; a second call does nothing."""
        ...
