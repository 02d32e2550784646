"""What an API server answers when it does not do as asked.

ClusterError
├── TransientError       too busy, unreachable or too slow: soon again
├── ConflictError        the object has changed since it was read: at once again, from a fresh look
├── GoneError            what it is about, or its namespace, is no longer there
├── NotServedError       the server does not know this kind: its CRD is not installed
└── RefusedError         nothing helps but a change of the cluster: slowly again, and said in the status
    ├── ForbiddenError   by permissions, a quota or an admission policy
    ├── InvalidError     by the kind's schema
    └── ForeignError     the name is taken by an object that is somebody else's
"""

from typing import ClassVar


class ClusterError(Exception):
    """The API server did not do as asked."""

    reason: ClassVar[str] = "Error"
    """One word for metrics and conditions."""


class TransientError(ClusterError):
    """It may work soon."""

    reason = "Unavailable"

    def __init__(self, message: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        """How long the server wants to be left alone; 0 when it does not say."""


class ConflictError(ClusterError):
    """The object has changed since it was read."""

    reason = "Conflict"


class GoneError(ClusterError):
    """The object, or its namespace, is no longer there."""

    reason = "Gone"


class NotServedError(ClusterError):
    """The server does not know this kind."""

    reason = "NotServed"


class RefusedError(ClusterError):
    """It will not work until somebody changes something."""

    reason = "Refused"


class ForbiddenError(RefusedError):
    """Permissions, a quota or an admission policy are against it."""

    reason = "Forbidden"


class InvalidError(RefusedError):
    """The kind's schema is against it."""

    reason = "Invalid"


class ForeignError(RefusedError):
    """The name is taken by an object that is somebody else's."""

    reason = "NameTaken"
