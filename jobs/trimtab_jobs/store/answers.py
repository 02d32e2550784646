"""What a server's refusal means: whether it is final, and one line with the cause and the fix. Pure."""

import re
from dataclasses import dataclass
from html import unescape

from obstore.exceptions import (
    AlreadyExistsError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")
_SERVER = re.compile(r"Error performing \w+ (https?://[^/\s]+)")
_METADATA_SERVICE = "169.254.169.254"  # where a client asks that was given no credentials

_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound"}
_NO_USER = {
    "XAdminUserNotFound",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
}
_FOLDER_IN_THE_WAY = {"ObjectParentIsFile", "ExistingObjectIsDirectory"}
_FULL = re.compile(
    r"<Code>\w*(?:StorageFull|QuotaExceeded|InsufficientStorage\w*|NoSpaceLeft\w*)</Code>"
    r"|status code: 507|no space left on device|disk quota exceeded",
    re.IGNORECASE,
)
_LOST_UPLOAD = "NoSuchUpload"  # it was completed, but the answer was lost

# Refusals that another attempt may not meet: time-outs, too many requests, another create under way.
_PASSING = {"408", "429"}
_PASSING_ERRORS = (AlreadyExistsError, FileNotFoundError)

_SETTINGS = {
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
    full: bool = False
    """It would be taken if there were room."""


def credentials_of(uri: str) -> str:
    """The environment variables that hold the credentials for a store."""
    return _SETTINGS[uri.partition("://")[0]]


def refusal_of(error: Exception, uri: str) -> Refusal:
    """What an exception of obstore means for the store at `uri`."""
    code = _first(_CODE, str(error))
    bucket = uri.partition("://")[2].partition("/")[0]
    if _FULL.search(str(error)):
        cause = code or _first(_STATUS, str(error)) or "no space left"
        return Refusal(f"the store is full ({cause}); make room, or raise its quota", final=False, full=True)
    if code in _NO_BUCKET:
        return Refusal(f"bucket {bucket!r} does not exist; create it, or choose another --output")
    if code in _NO_USER or isinstance(error, UnauthenticatedError):
        return Refusal(f"the credentials were refused ({code or 'unknown'}); check {credentials_of(uri)}")
    if isinstance(error, PermissionDeniedError):
        return Refusal(f"access denied; allow get, put, list and delete on bucket {bucket!r}")
    if code in _FOLDER_IN_THE_WAY:
        return Refusal(f"a key cannot be another key's folder ({code}); choose another --output")
    if isinstance(error, PreconditionError):
        return Refusal("it was replaced while it was read; run the command again")
    if isinstance(error, FileNotFoundError) and code != _LOST_UPLOAD:
        return Refusal("not there", missing=True)
    return _unsettled(error, uri)


def _unsettled(error: Exception, uri: str) -> Refusal:
    """No answer, or one that may change: all but a plain "your request is wrong" is worth another attempt."""
    message = str(error)
    status = _first(_STATUS, message)
    if _METADATA_SERVICE in message:
        return Refusal(f"no credentials; set {credentials_of(uri)}")
    if not status:
        settings = "AWS_ENDPOINT_URL and the network" if uri.startswith("s3") else "the network"
        server = _first(_SERVER, message) or "the server"
        return Refusal(f"{server} does not answer; check {settings}", final=False)
    answer = unescape(f"{status} {_first(_CODE, message)} {_first(_MESSAGE, message)}").strip(". ")
    if status.startswith("4") and status not in _PASSING and not isinstance(error, _PASSING_ERRORS):
        return Refusal(f"the server answered {answer}; check the bucket's name, its region and its endpoint")
    return Refusal(f"the server answered {answer}; see its log", final=False)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
