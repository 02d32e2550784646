"""Merge patches (RFC 7386): what turns one JSON object into another. Pure."""

from collections.abc import Mapping
from typing import Any


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch from one object to the other; empty when they are equal.

    What is gone becomes null, what is null in `after` counts as gone, lists are replaced whole.
    """
    gone = {key: None for key in before if before[key] is not None and after.get(key) is None}
    changed: dict[str, Any] = {}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, Mapping):
            inner = difference(old if isinstance(old, Mapping) else {}, value)
            if inner or not isinstance(old, Mapping):
                changed[key] = inner
        elif value is not None and not _same(old, value):
            changed[key] = value
    return gone | changed


def _same(old: Any, new: Any) -> bool:
    """Whether two values are one JSON value: the API server turns 1.0 into 1, but true is not 1."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)
