"""Why a command on a cluster did not do as asked, each in one line and with its exit code.

ClusterError             5: the cluster or its API server
├── UnavailableError     unreachable, too busy or restarting: it may work soon
├── MissingError         the object, or its namespace, is not there
├── ConflictError        the object has changed since it was read, or another party holds the field
└── ExpiredError         the version that a watch begins from is no longer kept
InvalidError             2: the schema of the cluster, or one of its rules, is against the object
NotSensibleError         2: what was asked for makes no sense for this job as it stands
"""

import click


class ClusterError(click.ClickException):
    """The cluster did not do as asked."""

    exit_code = 5


class UnavailableError(ClusterError):
    """It may work soon."""


class MissingError(ClusterError):
    """There is no such object."""


class ConflictError(ClusterError):
    """Somebody else has written the same."""

    def __init__(self, message: str, managers: tuple[str, ...] = (), fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.managers = managers
        """Who else holds the fields of a server-side apply."""
        self.fields = fields


class ExpiredError(ClusterError):
    """What was read is too old to go on from."""


class InvalidError(click.ClickException):
    """The API server does not take the object."""

    exit_code = 2


class NotSensibleError(click.ClickException):
    """It makes no sense for this job as it stands."""

    exit_code = 2
