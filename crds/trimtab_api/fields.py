"""The words a manifest is made of: names, URIs, durations, quantities, each with its pattern and its limit.

A pattern is one that Go's RE2 and Rust's regex read alike, since the API server judges with the first and
pydantic with the second.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from trimtab_api.errors import Problem
from trimtab_api.model import got, refusal, value_at

_SEGMENT = r"([^/\s.][^/\s]*|\.[^/\s.][^/\s]*|\.\.[^/\s]+)"  # of a path; neither "." nor ".."
_KEY = _SEGMENT.replace(r"/\s", r"/\s%?#\\")  # of a URI: nothing that a client would decode or cut off
_PATH = rf"(/{_KEY})*/?"
_REMOTE = rf"(s3|gs|az)://[a-z0-9][a-z0-9._-]*{_PATH}|file://(/{_KEY})+/?|pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?{_PATH}"

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"
METRIC = r"^[A-Za-z][A-Za-z0-9_./@-]*$"
ENTRYPOINT = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"
URI = rf"^({_REMOTE})$"
_WEB = rf"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/{_KEY})+/?"
DATA_URI = rf"^({_REMOTE}|{_WEB}|[^/:\s]([^:]*[^:\s])?)$"
SHA256 = r"^[a-f0-9]{64}$"
IMAGE = r"^[a-z0-9][A-Za-z0-9._:/-]*@sha256:[a-f0-9]{64}$"
DURATION = r"^([1-9][0-9]{0,4}d)?([1-9][0-9]{0,4}h)?([1-9][0-9]{0,4}m)?([1-9][0-9]{0,4}s)?$"
QUANTITY = r"^([1-9][0-9]*(\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_CRON_PART = r"(\*|[0-9]{1,2}(-[0-9]{1,2})?|[A-Za-z]{3}(-[A-Za-z]{3})?)(/[0-9]{1,2})?"
_CRON_FIELD = rf"{_CRON_PART}(,{_CRON_PART})*"
CRON = rf"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|({_CRON_FIELD} ){{4}}{_CRON_FIELD})$"
PREFIX = r"^(s3|gs|az|file|pvc)://([^\s{}]|\{namespace\}|\{name\})*/$"
ENDPOINT = r"^https?://[^\s/]+/?$"
RESOURCE_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
RELATIVE_PATH = rf"^{_SEGMENT}(/{_SEGMENT})*/?$"

EXPECTED = {
    LABEL: "a Kubernetes name: lower-case letters, digits and '-', such as digits-2",
    SUBDOMAIN: "a Kubernetes name: lower-case letters, digits, '-' and '.', such as cpu-small",
    IDENTIFIER: "a Python name: letters, digits and '_', such as batch_size",
    METRIC: "the name of a metric: a letter, then letters, digits and _ . / @ -, such as accuracy",
    ENTRYPOINT: "module:attribute, such as digits:Digits",
    URI: "a URI of s3, gs, az, file or pvc without empty, '.' or '..' steps, such as s3://bucket/path",
    DATA_URI: "a URI of s3, gs, az, file, pvc or https, such as s3://bucket/train.csv, or a relative path",
    SHA256: "a SHA-256 in 64 lower-case hexadecimal digits",
    IMAGE: "an image by digest, such as registry/app@sha256:<64 hexadecimal digits>",
    DURATION: "a duration in days, hours, minutes and seconds, such as 8h or 1h30m",
    QUANTITY: "a Kubernetes quantity above 0, such as 4Gi or 500m",
    CRON: "a cron schedule of five fields, such as 0 3 * * *",
    PREFIX: "a URI up to a /, such as s3://bucket/{namespace}/",
    ENDPOINT: "the address of a server, such as https://s3.example.org",
    RESOURCE_NAME: "the name of a resource, such as nvidia.com/gpu",
    RELATIVE_PATH: "a relative path without '.' or '..' steps, such as code/digits",
}
"""What a value that misses its pattern should have been, for the message to a person."""


class _IntOrString:
    """Kubernetes' int-or-string: a whole number, or a string of up to 63 characters."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Judge the type without turning one into the other."""
        return core_schema.no_info_plain_validator_function(_int_or_string)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema by which the API server judges the same."""
        return {"x-kubernetes-int-or-string": True, "maxLength": 63}


def _int_or_string(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PydanticCustomError("problem", "must be an integer or a string: put it in quotes")
    if isinstance(value, str) and len(value) > 63:
        raise PydanticCustomError("string_too_long", "", {"max_length": 63})
    return value


@dataclass(frozen=True)
class Unique:
    """No two items of a list are the same, or have the same value of a key (Kubernetes' list types)."""

    key: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Judge the list once its items are valid."""
        return core_schema.no_info_after_validator_function(self._judge, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Add the list type, by which the API server judges the same and merges applied lists."""
        if self.key is None:
            return {**handler(schema), "x-kubernetes-list-type": "set"}
        keys = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.key]}
        return {**handler(schema), **keys}

    def _judge(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        values = [value_at(item, self.key) if self.key else item for item in items]
        place = f".{self.key}" if self.key else ""
        problems = [
            Problem(f"[{index}]{place}", "must not repeat an earlier one" + got(value))
            for index, value in enumerate(values)
            if value in values[:index]
        ]
        if problems:
            raise refusal(problems)
        return items


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
Prefix = Annotated[str, StringConstraints(pattern=PREFIX, max_length=1024)]
Endpoint = Annotated[str, StringConstraints(pattern=ENDPOINT, max_length=253)]
ResourceName = Annotated[str, StringConstraints(pattern=RESOURCE_NAME, max_length=253)]
RelativePath = Annotated[str, StringConstraints(pattern=RELATIVE_PATH, max_length=512)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Scalar = Annotated[str, StringConstraints(min_length=1, max_length=63)]
"""A number, boolean or string written as a string, and read by YAML's rules."""
IntOrScalar = Annotated[int | str, _IntOrString()]
"""A whole number, or a scalar in quotes."""
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
