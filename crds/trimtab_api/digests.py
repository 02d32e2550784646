"""Digests of documents: the same however numbers, keys and quotes are spelled, and by whom."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from trimtab_api.job import JobSpec
from trimtab_api.numbers import whole

CLUSTER_ONLY = ("profile", "queue", "resources", "readyPolicy", "suspend", "retry", "ttlSecondsAfterFinished")
"""Fields of spec that trimtab run has no use for; so is evaluation, which comes after the run."""
_AS_THEY_ARE = {str, int, bool}
"""Types of most values, asked for first: an operator takes digests of thousands of documents."""
_NOT_IDENTITY = {*CLUSTER_ONLY, "evaluation", "budget", "output", "trials", "parallelism", "storage"}


def canonical(value: Any) -> Any:
    """Return plain JSON as the API server keeps it: 1.0 is 1, and a key without a value is not there."""
    if isinstance(value, dict | Mapping):
        return {
            key: item if type(item) in _AS_THEY_ARE else canonical(item)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list | tuple):
        return [item if type(item) in _AS_THEY_ARE else canonical(item) for item in value]
    return whole(value) if isinstance(value, float) else value


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value in canonical JSON, as 64 hexadecimal digits."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def identity_of(name: str, namespace: str, spec: JobSpec) -> str:
    """Return the digest of what makes a job this one and no other: a run goes on only where it is the same.

    Left out are what may be edited, what only a cluster uses, where things are kept, and whatever has its
    default, so that a field that a later version adds does not make another job of this one.
    """
    content = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    kept = {key: value for key, value in content.items() if key not in _NOT_IDENTITY}
    if "search" in kept:
        kept["search"] = {key: value for key, value in kept["search"].items() if key not in _NOT_IDENTITY}
    return digest_of({"name": name, "namespace": namespace, "spec": kept})
