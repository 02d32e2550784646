"""What the operator is told at its start, by variables: TRIMTAB_OPERATOR_ and a field's name in capitals.

A variable that is misspelt is refused: if TRIMTAB_OPERATOR_NAMESPACE were overlooked, all namespaces would be
served.
"""

import os
import re
import socket
import uuid
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from trimtab_api.versions import VERSION
from trimtab_operator.lease import LeaseTerms
from trimtab_operator.queue import Backoff
from trimtab_operator.resources import Defaults

PREFIX = "TRIMTAB_OPERATOR_"
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod reads which namespace it is in."""
_SERVICE = re.compile(r"(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_[A-Z]+(?:_\w+)?)?)")
"""How variables go on that Kubernetes sets for a Service whose name begins with trimtab-operator."""
_DEFAULTS = Defaults(worker_image=f"trimtab-worker:{VERSION}")
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Port = Annotated[int, Field(ge=0, le=65535)]
Words = Annotated[tuple[str, ...], NoDecode]


def own_namespace(file: Path = _OWN_NAMESPACE) -> str:
    """Return the namespace of the pod that this runs in; default outside of one."""
    return file.read_text().strip() if file.exists() else "default"


class SettingsError(Exception):
    """The operator cannot start as it is told to; the message has a line for each variable."""


class Settings(BaseSettings):
    """All settings; the defaults suit an operator that serves a whole cluster."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, use_attribute_docstrings=True, env_ignore_empty=True
    )

    namespaces: Annotated[tuple[Namespace, ...], NoDecode] = ()
    """Namespaces whose jobs are served, separated by commas; empty: all of the cluster."""
    kubeconfig: str | None = None
    """File that says how to reach the API server; empty: as a pod does, else the user's own."""
    request_timeout_seconds: PositiveFloat = 30.0
    """How long one request to the API server may take."""

    worker_image: str = _DEFAULTS.worker_image
    """Image of the Ray pods where a profile names none."""
    ray_version: str = _DEFAULTS.ray_version
    """Version of Ray in that image."""
    kuberay_namespace: Namespace | None = None
    """Namespace of KubeRay's operator, which alone may then reach the Ray clusters; empty: from anywhere."""
    head_cpu: str = _DEFAULTS.head_cpu
    """CPUs of a Ray cluster's head, where the driver runs."""
    head_memory: str = _DEFAULTS.head_memory
    """Memory of the head."""
    worker_memory: str = _DEFAULTS.worker_memory
    """Memory of a worker where neither the job nor its profile says."""
    driver_silence_seconds: Annotated[int, Field(ge=30)] = _DEFAULTS.driver_silence_seconds
    """How long a driver may be without a sign of life before its head is ended; that is seen 30 s later at
    most."""
    store_patience_seconds: PositiveInt = _DEFAULTS.store_patience_seconds
    """How long driver and workers wait for a store that does not answer or is full before they give up."""
    node_patience_seconds: PositiveInt = _DEFAULTS.node_patience_seconds
    """How long Ray pods stay on a node that does not answer, once Kubernetes says so."""
    cost_labels: Words = _DEFAULTS.cost_labels
    """Labels of a job that its pods carry too, for tools that add up costs by them; separated by commas."""

    lease_name: str = "trimtab-operator"
    """Name of the Lease by which one of several operators acts."""
    lease_namespace: Namespace = Field(default_factory=own_namespace)
    """Namespace of that Lease; empty: the operator's own."""
    identity: str = Field(default_factory=lambda: f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}")
    """Name in the Lease, of this operator alone; empty: a new one with every start. With the pod's name a
    container that starts again goes on at once."""
    lease_duration_seconds: PositiveFloat = 15.0
    """How long the others wait for a holder of the Lease that does not renew it."""
    lease_renew_seconds: PositiveFloat = 10.0
    """How long a holder tries to renew the Lease before it stops acting; less than lease_duration_seconds."""
    lease_retry_seconds: PositiveFloat = 2.0
    """How often the Lease is looked at; less than lease_renew_seconds."""

    concurrency: PositiveInt = 16
    """Jobs looked at at the same time."""
    resync_seconds: PositiveFloat = 300.0
    """How often everything is listed anew and every job looked at."""
    discovery_seconds: PositiveFloat = 10.0
    """How often the API server is asked which kinds it serves, so as to see KubeRay come and go."""
    backoff_first_seconds: PositiveFloat = 1.0
    """How long a job is left alone after a failed request; doubled with every further one."""
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

    @model_validator(mode="before")
    @classmethod
    def _without_services(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Leave out what Kubernetes says of a Service trimtab-operator-metrics, such as tcp://10.0.0.1:8080."""
        ports = ("metrics_port", "health_port")
        return {key: value for key, value in given.items() if key not in ports or "://" not in str(value)}

    @field_validator("namespaces", "cost_labels", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        times = self.lease_retry_seconds, self.lease_renew_seconds, self.lease_duration_seconds
        if not times[0] < times[1] < times[2]:
            raise ValueError(
                "lease_retry_seconds < lease_renew_seconds < lease_duration_seconds must hold, so that two "
                "never act at a time; got {:g}, {:g}, {:g}".format(*times)
            )
        return self

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.metrics_port == self.health_port != 0:
            raise ValueError(f"metrics_port and health_port must differ, got {self.metrics_port} twice")
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


def read_settings() -> Settings:
    """Return what the environment says; SettingsError has each variable that is wrong, its value and why."""
    problems = [f"{name}: there is no such setting; correct or remove it" for name in _unknown(os.environ)]
    try:
        settings = Settings()
    except ValidationError as error:
        problems += [_problem(each["loc"], each["input"], each["msg"]) for each in error.errors()]
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _unknown(environment: Iterable[str]) -> list[str]:
    """Return the variables that look like settings and are none."""
    given = sorted(name.removeprefix(PREFIX) for name in environment if name.startswith(PREFIX))
    known = {field.upper() for field in Settings.model_fields}
    return [PREFIX + name for name in given if name not in known and not _SERVICE.fullmatch(name)]


def _problem(place: tuple[int | str, ...], given: object, message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(place[0]).upper()}={given}: {text}" if place else text
