"""How a run ends other than with a model.

RunError             `kind` is the reason of the condition Succeeded=False
├── JobError         the user's code, every trial or a stage failed; says the last lines
├── GuardrailError   no candidate holds the limits
└── StoppedError     a person asked to stop; what was done is kept
RefusedError         this run must not start here: exit 2
"""

from trimtab_jobs.pool import Failure

TAIL_LINES = 12
"""Lines of a worker's traceback or log that a person is shown."""


class RunError(Exception):
    """A run that ends without a published model."""

    kind = "Failed"


class JobError(RunError):
    """The job cannot go on; `kind` says whose fault it was, the text says what to do."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    @classmethod
    def of(cls, what: str, failure: Failure) -> "JobError":
        """The error of a failed work: what it was about, the exception, the last lines it printed."""
        tail = "\n".join(failure.tail.rstrip().splitlines()[-TAIL_LINES:])
        error = failure.error if failure.error.startswith("spec.") else f"{what}: {failure.error}"
        return cls(failure.kind.title(), error + (f"\n{tail}" if tail else ""))


class GuardrailError(RunError):
    """No candidate holds every limit; the text names metric, figure, bound and limit."""

    kind = "GuardrailNotMet"


class StoppedError(RunError):
    """A person asked to stop; the record holds all that was finished."""

    kind = "Interrupted"


class RefusedError(Exception):
    """The run may not start: the output belongs to another job, or what it needs is missing."""
