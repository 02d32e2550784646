"""What Kubernetes knows of every object."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from trimtab_api.fields import Label
from trimtab_api.model import Model

API_VERSION: Final = "trimtab.io/v1alpha1"


class ObjectMeta(Model):
    """Kubernetes' metadata, as far as a client sees it."""

    name: Label
    """Name of the object."""
    namespace: Label | None = None
    """Namespace of the object; omitted: default."""
    labels: Annotated[dict[str, str], Field(max_length=256)] = Field(default_factory=dict)
    """Labels."""
    annotations: Annotated[dict[str, str], Field(max_length=256)] = Field(default_factory=dict)
    """Annotations."""
    generate_name: str | None = None
    """Prefix from which the API server makes a name."""
    uid: str | None = None
    """Set by the API server."""
    resource_version: str | None = None
    """Set by the API server."""
    generation: int | None = None
    """Set by the API server: counts the changes of spec."""
    creation_timestamp: datetime | None = None
    """Set by the API server."""
    deletion_timestamp: datetime | None = None
    """Set by the API server."""
    deletion_grace_period_seconds: int | None = None
    """Set by the API server."""
    finalizers: tuple[str, ...] = ()
    """What must be done before deletion."""
    owner_references: tuple[dict[str, Any], ...] = ()
    """Objects whose deletion deletes this one."""
    managed_fields: tuple[dict[str, Any], ...] = ()
    """Set by the API server: who wrote which field."""
    self_link: str | None = None
    """Set by old API servers."""
