"""The metadata of every child."""

from collections.abc import Mapping
from typing import Any

from trimtab_operator.names import Owner, owner_reference


def child_metadata(owner: Owner, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata of a child, which is deleted with its job; it has no annotations."""
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": dict(labels),
        "ownerReferences": [owner_reference(owner)],
    }
