"""The words a manifest is made of: names, URIs, durations, quantities, each with its pattern and its limit.

A pattern is one that Go's RE2 and Rust's regex read alike, since the API server judges with the first and
pydantic with the second.
"""

import re
from typing import Annotated

from pydantic import Field, StrictInt, StrictStr, StringConstraints

_SEGMENT = r"([^/\s.][^/\s]*|\.[^/\s.][^/\s]*|\.\.[^/\s]+)"  # of a path; neither "." nor ".."
_PATH = rf"(/{_SEGMENT})*/?"
_REMOTE = (
    rf"(s3|gs|az)://[a-z0-9][a-z0-9._-]*{_PATH}|file:/{_PATH}|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?{_PATH}"
)

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"
METRIC = r"^[A-Za-z][A-Za-z0-9_./@-]*$"
ENTRYPOINT = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"
URI = rf"^({_REMOTE})$"
DATA_URI = rf"^({_REMOTE}|[^/:\s]([^:]*[^:\s])?)$"
SHA256 = r"^[a-f0-9]{64}$"
IMAGE = r"^[a-z0-9][A-Za-z0-9._:/-]*@sha256:[a-f0-9]{64}$"
DURATION = r"^([1-9][0-9]{0,4}d)?([1-9][0-9]{0,4}h)?([1-9][0-9]{0,4}m)?([1-9][0-9]{0,4}s)?$"
QUANTITY = r"^([1-9][0-9]*(\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_CRON_PART = r"(\*|[0-9]{1,2}(-[0-9]{1,2})?|[A-Za-z]{3}(-[A-Za-z]{3})?)(/[0-9]{1,2})?"
_CRON_FIELD = rf"{_CRON_PART}(,{_CRON_PART})*"
CRON = rf"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|({_CRON_FIELD} ){{4}}{_CRON_FIELD})$"
RELATIVE_PATH = rf"^{_SEGMENT}(/{_SEGMENT})*/?$"

EXPECTED = {
    LABEL: "a Kubernetes name: lower-case letters, digits and '-', such as digits-2",
    SUBDOMAIN: "a Kubernetes name: lower-case letters, digits, '-' and '.', such as cpu-small",
    IDENTIFIER: "a Python name: letters, digits and '_', such as batch_size",
    METRIC: "the name of a metric: a letter, then letters, digits and _ . / @ -, such as accuracy",
    ENTRYPOINT: "module:attribute, such as digits:Digits",
    URI: "a URI of s3, gs, az, file or pvc without '.' or '..' steps, such as s3://bucket/path",
    DATA_URI: "a URI of s3, gs, az, file or pvc, such as s3://bucket/train.parquet, or a relative path",
    SHA256: "a SHA-256 in 64 lower-case hexadecimal digits",
    IMAGE: "an image by digest, such as registry/app@sha256:<64 hexadecimal digits>",
    DURATION: "a duration in days, hours, minutes and seconds, such as 8h or 1h30m",
    QUANTITY: "a Kubernetes quantity above 0, such as 4Gi or 500m",
    CRON: "a cron schedule of five fields, such as 0 3 * * *",
    RELATIVE_PATH: "a relative path without '.' or '..' steps, such as code/digits",
}
"""What a value that misses its pattern should have been, for the message to a person."""

Label = Annotated[str, StringConstraints(pattern=LABEL, max_length=63)]
Subdomain = Annotated[str, StringConstraints(pattern=SUBDOMAIN, max_length=253)]
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER, max_length=63)]
MetricName = Annotated[str, StringConstraints(pattern=METRIC, max_length=63)]
Entrypoint = Annotated[str, StringConstraints(pattern=ENTRYPOINT, max_length=253)]
Uri = Annotated[str, StringConstraints(pattern=URI, max_length=1024)]
DataUri = Annotated[str, StringConstraints(pattern=DATA_URI, max_length=1024)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256, max_length=64)]
Image = Annotated[str, StringConstraints(pattern=IMAGE, max_length=512)]
Duration = Annotated[str, StringConstraints(pattern=DURATION, min_length=2, max_length=24)]
Quantity = Annotated[str, StringConstraints(pattern=QUANTITY, max_length=24)]
Cron = Annotated[str, StringConstraints(pattern=CRON, max_length=128)]
RelativePath = Annotated[str, StringConstraints(pattern=RELATIVE_PATH, max_length=512)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Scalar = Annotated[str, StringConstraints(min_length=1, max_length=63)]
"""A number, boolean or string written as a string, and read by YAML's rules."""
IntOrScalar = StrictInt | Annotated[StrictStr, StringConstraints(min_length=1, max_length=63)]
Count = Annotated[int, Field(ge=1, le=10_000)]
WholeNumber = Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1)]

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FACTORS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_FACTORS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "": 1}


def duration_seconds(duration: str) -> int:
    """Seconds of a duration of the manifest: "1h30m" is 5400."""
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([dhms])", duration))


def quantity_value(quantity: str) -> float:
    """The number a Kubernetes quantity stands for, in bytes or cores: "4Gi" is 4294967296, "500m" is 0.5."""
    number = quantity.rstrip("mkMGTPKi")
    return float(number) * _FACTORS[quantity[len(number) :]]
