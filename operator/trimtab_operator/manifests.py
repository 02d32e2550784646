"""Looks into objects that others wrote: whatever is or is not there, they return what was asked for. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trimtab_operator.world import Manifest

EMPTY: Manifest = {}


def at(manifest: Any, *path: str) -> Any:
    """Return what lies at a path; None where there is nothing."""
    for step in path:
        manifest = manifest.get(step) if isinstance(manifest, Mapping) else None
    return manifest


def mapping_at(manifest: Any, *path: str) -> Manifest:
    """Return the mapping at a path; an empty one where there is none."""
    found = at(manifest, *path)
    return found if isinstance(found, Mapping) else EMPTY


def items_at(manifest: Any, *path: str) -> tuple[Manifest, ...]:
    """Return the mappings in the list at a path; nothing where there is none."""
    found = at(manifest, *path)
    return (
        tuple(each for each in found if isinstance(each, Mapping)) if isinstance(found, list | tuple) else ()
    )


def text_at(manifest: Any, *path: str) -> str:
    """Return the text at a path; an empty one where there is none."""
    found = at(manifest, *path)
    return found if isinstance(found, str) else ""


def whole_at(manifest: Any, *path: str) -> int:
    """Return the whole number at a path, as a number or in digits; 0 where there is none from 1 to 2^31."""
    found = at(manifest, *path)
    if isinstance(found, str) and len(found) <= 10 and found.isascii() and found.isdigit():
        found = int(found)
    return found if type(found) is int and 0 < found < 2**31 else 0


def time_at(manifest: Any, *path: str) -> datetime | None:
    """Return the time at a path, in UTC; None where there is none."""
    try:
        found = datetime.fromisoformat(text_at(manifest, *path))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def is_controlled_by(manifest: Manifest, uid: str) -> bool:
    """Whether the object of this uid owns a manifest as its controller."""
    owners = items_at(manifest, "metadata", "ownerReferences")
    return any(at(owner, "controller") is True and at(owner, "uid") == uid for owner in owners)


def is_going(manifest: Manifest) -> bool:
    """Whether an object is being deleted."""
    return bool(at(manifest, "metadata", "deletionTimestamp"))
