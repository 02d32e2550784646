"""What the operator is told at its start, by environment variables: TRIMTAB_OPERATOR_ and a field's name."""

import socket
import uuid
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from trimtab_operator.lease import LeaseTerms
from trimtab_operator.names import COST_LABELS
from trimtab_operator.queue import Backoff
from trimtab_operator.resources import Defaults

_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
Port = Annotated[int, Field(ge=0, le=65535)]
Words = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Everything has a default that suits a cluster-wide installation."""

    model_config = SettingsConfigDict(
        env_prefix="TRIMTAB_OPERATOR_", frozen=True, use_attribute_docstrings=True, env_ignore_empty=True
    )

    namespaces: Words = ()
    """Namespaces whose jobs are served, separated by commas; empty: all of the cluster."""
    kubeconfig: str | None = None
    """File that says how to reach the API server; empty: as a pod, else the user's own."""
    request_timeout_seconds: PositiveFloat = 30.0
    """How long one request to the API server may take."""

    worker_image: str = f"trimtab-worker:{version('trimtab')}"
    """Image of the Ray pods where a profile names none."""
    ray_version: str = "2.60.0"
    """Version of Ray in that image."""
    kuberay_namespace: str | None = None
    """Namespace of KubeRay's operator, which alone may then reach the Ray clusters; empty: from anywhere."""
    head_cpu: str = "1"
    """CPUs of a Ray cluster's head, where the driver runs."""
    head_memory: str = "4Gi"
    """Memory of the head."""
    worker_memory: str = "4Gi"
    """Memory of a worker where neither the job nor a pool says."""
    cost_labels: Words = COST_LABELS
    """Labels of a job that its pods carry too, separated by commas, for tools that add up costs by them."""

    lease_name: str = "trimtab-operator"
    """Name of the Lease by which one of several operators acts."""
    lease_namespace: str = Field(default_factory=lambda: _own_namespace(_OWN_NAMESPACE))
    """Namespace of that Lease; by default the operator's own."""
    identity: str = Field(default_factory=lambda: f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}")
    """Name in the Lease; with the pod's name, a container that starts again goes on at once."""
    lease_duration_seconds: PositiveFloat = 15.0
    """How long the others wait for a holder that does not renew."""
    lease_renew_seconds: PositiveFloat = 10.0
    """How long a holder tries to renew before it stops acting; less than the duration."""
    lease_retry_seconds: PositiveFloat = 2.0
    """How often the Lease is looked at; less than lease_renew_seconds."""

    concurrency: PositiveInt = 16
    """Jobs looked at at the same time."""
    resync_seconds: PositiveFloat = 300.0
    """How often everything is listed anew and every job looked at."""
    discovery_seconds: PositiveFloat = 10.0
    """How often the API server is asked which kinds it serves, so as to see KubeRay come and go."""
    backoff_first_seconds: PositiveFloat = 1.0
    """How long to leave a job alone after a failed request; doubled with every further one."""
    backoff_most_seconds: PositiveFloat = 300.0
    """The most that this grows to."""

    metrics_port: Port = 8080
    """Port of /metrics, for Prometheus; 0: any free one."""
    health_port: Port = 8081
    """Port of /healthz and /readyz, for the kubelet; 0: any free one."""
    log_format: Literal["json", "text"] = "json"
    """One JSON object a line, or text for people."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important messages that are written."""

    @field_validator("namespaces", "cost_labels", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if not self.lease_retry_seconds < self.lease_renew_seconds < self.lease_duration_seconds:
            raise ValueError(
                "lease_retry_seconds < lease_renew_seconds < lease_duration_seconds must hold, got "
                f"{self.lease_retry_seconds:g}, {self.lease_renew_seconds:g}, {self.lease_duration_seconds:g}"
            )
        return self

    @property
    def lease(self) -> LeaseTerms:
        """The Lease, and how long it is good."""
        return LeaseTerms(
            self.lease_name,
            self.lease_namespace,
            self.identity,
            self.lease_duration_seconds,
            self.lease_renew_seconds,
            self.lease_retry_seconds,
        )

    @property
    def backoff(self) -> Backoff:
        """The pauses after failures."""
        return Backoff(self.backoff_first_seconds, self.backoff_most_seconds)

    @property
    def defaults(self) -> Defaults:
        """What a profile leaves open."""
        return Defaults(**{each.name: getattr(self, each.name) for each in fields(Defaults)})


def _own_namespace(file: Path) -> str:
    """Return the namespace of the pod that this runs in; default outside of one."""
    return file.read_text().strip() if file.exists() else "default"
