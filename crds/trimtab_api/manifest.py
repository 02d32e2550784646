"""Manifests: the documents of a YAML stream, and the job or profile that a document is.

    text → read_stream → Documents → parse_job → OptimizationJob
                                   → parse_profile → OptimizationProfile

Whatever is wrong with a document is said at once, by SpecError's problems.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from trimtab_api.digests import canonical
from trimtab_api.errors import Problem, SpecError
from trimtab_api.job import OptimizationJob
from trimtab_api.metadata import API_VERSION
from trimtab_api.model import Document, got
from trimtab_api.profile import OptimizationProfile
from trimtab_api.reading import read_documents, read_scalar
from trimtab_api.translate import problems_of

__all__ = [
    "Documents",
    "Problem",
    "SpecError",
    "parse_job",
    "parse_profile",
    "read_scalar",
    "read_stream",
]

_FILE_NAME = re.compile(r"(?![.]$|[.][.])[-._a-zA-Z0-9]{1,253}")
D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Documents:
    """What a YAML stream holds."""

    job: Mapping[str, Any] | None = None
    profile: Mapping[str, Any] | None = None
    config_maps: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """The files of each ConfigMap, by its name and their keys."""
    others: tuple[str, ...] = ()
    """Documents that are not ours to read, as Kind/name."""


def read_stream(text: str) -> Documents:
    """Return the documents of a YAML stream: one job or none, one profile or none, and ConfigMaps.

    SpecError names the line of what kubectl could not read, or would quietly change.
    """
    ours: dict[str, Mapping[str, Any]] = {}
    config_maps: dict[str, Mapping[str, bytes]] = {}
    others: list[str] = []
    for line, document in read_documents(text):
        if document is None:
            continue
        kind, name = _identity(line, document)
        if kind in ("OptimizationJob", "OptimizationProfile"):
            _refuse_if(kind in ours, line, f"is a second {kind}: give each its own file")
            ours[kind] = document
        elif kind == "ConfigMap":
            _refuse_if(not name, line, "begins a ConfigMap without metadata.name: code refers to it by name")
            _refuse_if(name in config_maps, line, f"is a second ConfigMap {name}: keep one of them")
            config_maps[name] = _files(document, f"ConfigMap {name}")
        else:
            others.append(f"{kind}/{name}")
    return Documents(ours.get("OptimizationJob"), ours.get("OptimizationProfile"), config_maps, tuple(others))


def parse_job(document: Mapping[str, Any]) -> OptimizationJob:
    """Return the job that a document is; SpecError says everything that is wrong with it."""
    return _parse(OptimizationJob, document)


def parse_profile(document: Mapping[str, Any]) -> OptimizationProfile:
    """Return the profile that a document is; SpecError says everything that is wrong with it."""
    return _parse(OptimizationProfile, document)


def _parse(model: type[D], document: Mapping[str, Any]) -> D:
    content = {key: value for key, value in document.items() if key != "status"}
    missing = [Problem(key, "is required") for key in ("apiVersion", "kind") if key not in document]
    try:
        parsed = model.model_validate_json(json.dumps(canonical(content)), strict=True)
    except ValidationError as error:
        raise SpecError((*missing, *problems_of(error, model))) from None
    if missing:
        raise SpecError(missing)
    return parsed


def _identity(line: int, document: Any) -> tuple[str, str]:
    """Return kind and name of a document."""
    _refuse_if(not isinstance(document, dict), line, "begins a document that is not a mapping")
    kind, metadata = document.get("kind"), document.get("metadata")
    _refuse_if(not isinstance(kind, str), line, "begins a document without kind: such as OptimizationJob")
    if kind.startswith("Optimization") and document.get("apiVersion") != API_VERSION:
        _refuse_if(True, line, f"begins an {kind} whose apiVersion must be {API_VERSION}")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return kind, name if isinstance(name, str) else ""


def _files(document: Mapping[str, Any], path: str) -> dict[str, bytes]:
    """Return the files of a ConfigMap; a key becomes a file's name, so it must be no more than that."""
    problems, files = [], {}
    for section in ("data", "binaryData"):
        content = document.get(section) or {}
        if not isinstance(content, dict):
            raise SpecError([Problem(f"{path}: {section}", f"must be a mapping{got(content)}")])
        for key, value in content.items():
            try:
                files[key] = _content(key, value, section)
            except ValueError as error:
                problems.append(Problem(f"{path}: {section}[{key}]", str(error)))
    if problems:
        raise SpecError(problems)
    return files


def _content(key: str, value: object, section: str) -> bytes:
    if not _FILE_NAME.fullmatch(key):
        raise ValueError("must be named by letters, digits, '-', '_' and '.', not starting with '..'")
    if not isinstance(value, str):
        raise ValueError(f"must be a string{got(value)}")
    if section == "data":
        return value.encode()
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("must be base64") from None


def _refuse_if(wrong: bool, line: int, message: str) -> None:
    if wrong:
        raise SpecError([Problem(f"line {line}", message)])
