"""What a server's refusal means: whether it is final, and one line with the cause and the fix. Pure."""

import re
from dataclasses import dataclass

from obstore.exceptions import (
    AlreadyExistsError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_METADATA_SERVICE = "169.254.169.254"

_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound"}
_NO_USER = {
    "XAdminUserNotFound",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
}
_FOLDER_IN_THE_WAY = {"ObjectParentIsFile", "ExistingObjectIsDirectory"}

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an operation failed."""

    text: str
    """The cause and the fix."""
    final: bool = True
    """Trying again would not help."""
    missing: bool = False
    """All is well, but the object is not there."""


def refusal_of(error: Exception, uri: str) -> Refusal:
    """What an exception of obstore means for the store at `uri`."""
    message = str(error)
    scheme, _, rest = uri.partition("://")
    bucket = rest.partition("/")[0]
    code = _first(_CODE, message)
    credentials = _CREDENTIALS.get(scheme, "the credentials")
    if code in _NO_BUCKET:
        return Refusal(f"bucket {bucket!r} does not exist; create it, or choose another --output")
    if code in _NO_USER or isinstance(error, UnauthenticatedError):
        return Refusal(f"the credentials were refused ({code or 'not signed in'}); check {credentials}")
    if isinstance(error, PermissionDeniedError):
        return Refusal(
            f"access denied; allow get, put, list and delete on bucket {bucket!r}, or check {credentials}"
        )
    if code in _FOLDER_IN_THE_WAY:
        return Refusal(f"a key cannot be another key's folder ({code}); choose another --output")
    if isinstance(error, FileNotFoundError):
        return Refusal("not there", missing=True)
    if isinstance(error, PreconditionError):
        return Refusal("it was replaced while it was read; run the command again")
    return _unsettled(error, message, credentials)


def _unsettled(error: Exception, message: str, credentials: str) -> Refusal:
    """No answer, or one that may change: all but a plain "your request is wrong" is worth another attempt."""
    status = _first(_STATUS, message)
    if _METADATA_SERVICE in message:
        return Refusal(f"no credentials; set {credentials}")
    if not status:
        return Refusal("the server does not answer; check AWS_ENDPOINT_URL and the network", final=False)
    again = isinstance(error, AlreadyExistsError) or status.startswith("5") or status in {"408", "429"}
    return Refusal(
        f"the server answered {status} {_first(_CODE, message)}".rstrip() + "; see its log", final=not again
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
