"""The requests that commands make about jobs, with what to say where one is not there."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import click

from trimtab_cli.cluster.api import Api
from trimtab_cli.cluster.errors import ClusterError, ExpiredError, MissingError, UnavailableError
from trimtab_operator.kinds import CONFIG_MAP, JOB, NAMESPACE, POD, Kind
from trimtab_operator.names import JOB as JOB_LABEL

Document = dict[str, Any]
PAGE = "500"
WATCH_SECONDS = 60
"""A watch is asked for this long and then anew, so that a connection that died unnoticed is noticed."""
_SILENT_SECONDS = 15.0
"""How much longer the server may take to end it."""


class Jobs:
    """The jobs of one namespace."""

    def __init__(self, api: Api, namespace: str | None = None) -> None:
        self.api = api
        self.namespace = namespace or api.namespace

    def get(self, name: str) -> Document:
        """The job; MissingError says what there is instead."""
        try:
            return self.api.read(self.path(name))
        except MissingError:
            raise MissingError(self._missing(name)) from None

    def find(self, name: str) -> Document | None:
        """The job, or None."""
        try:
            return self.api.read(self.path(name))
        except MissingError:
            return None

    def all(self, selector: str = "", everywhere: bool = False) -> list[Document]:
        """The jobs by namespace and name; of all namespaces if asked for."""
        query = {"limit": PAGE} | ({"labelSelector": selector} if selector else {})
        path, found = JOB.path(None if everywhere else self.namespace), []
        while True:
            page = self.api.read(path, **query)
            found += page["items"]
            query["continue"] = page["metadata"].get("continue") or ""
            if not query["continue"]:
                return [{"apiVersion": JOB.api_version, "kind": JOB.name} | each for each in found]

    def names(self) -> tuple[str, ...]:
        """The names of all jobs of the namespace."""
        return tuple(each["metadata"]["name"] for each in self.all())

    def edit(self, job: Document, spec: dict[str, Any]) -> Document:
        """The job after this change of its spec; ConflictError if it has changed since it was read."""
        metadata = job["metadata"]
        version = {"metadata": {"resourceVersion": metadata["resourceVersion"]}}
        return self.api.patch(self.path(metadata["name"]), {**version, "spec": spec})

    def watch(self, job: Document, seconds: float) -> Iterator[tuple[str, Document]]:
        """What happens to a job after it was read: kind of change and the job; at most for so long."""
        metadata, lasting = job["metadata"], max(1, int(min(seconds, WATCH_SECONDS)))
        changes = self.api.lines(
            JOB.path(self.namespace),
            lasting + _SILENT_SECONDS,
            watch="true",
            fieldSelector=f"metadata.name={metadata['name']}",
            resourceVersion=metadata["resourceVersion"],
            timeoutSeconds=str(lasting),
        )
        for line in changes:
            try:
                event = json.loads(line)
            except ValueError:
                raise UnavailableError("the API server broke off in the middle of a change") from None
            if event["type"] == "ERROR":
                raise ExpiredError(str(event["object"].get("message")))
            yield event["type"], event["object"]

    def config_map(self, name: str) -> Document | None:
        """A ConfigMap of the namespace; None when it is not there, or not the person's to read."""
        try:
            return self.api.read(CONFIG_MAP.path(self.namespace, name))
        except UnavailableError:
            raise
        except ClusterError:
            return None

    def has_config_map(self, name: str) -> bool:
        """Whether a ConfigMap is there, or not the person's to read; MissingError without its namespace."""
        try:
            self.api.read(CONFIG_MAP.path(self.namespace, name))
        except MissingError:
            self.check_namespace()
            return False
        except UnavailableError:
            raise
        except ClusterError:
            return True
        return True

    def check_namespace(self) -> None:
        """MissingError unless the namespace is there, as far as the person may know."""
        try:
            self.api.read(NAMESPACE.path(None, self.namespace))
        except MissingError:
            raise MissingError(
                f"there is no namespace {self.namespace} in this cluster ({self.api.name})"
            ) from None
        except UnavailableError:
            raise
        except ClusterError:
            return

    def pods(self, job: str) -> list[Document]:
        """The pods of a job, the oldest first."""
        path = POD.path(self.namespace)
        found: list[Document] = self.api.read(path, labelSelector=f"{JOB_LABEL}={job}")["items"]
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def log(self, pod: str, container: str, **query: str) -> Iterator[bytes]:
        """What a container has printed, line by line; with follow=true for as long as it lives."""
        path = f"{POD.path(self.namespace, pod)}/log"
        return self.api.lines(path, 3600.0, container=container, **query)

    def path(self, name: str, kind: Kind = JOB) -> str:
        """Where an object of the namespace is."""
        return kind.path(self.namespace, name)

    def _missing(self, name: str) -> str:
        self.check_namespace()
        close = get_close_matches(name, self.names(), n=1)
        hint = f"; did you mean {close[0]}?" if close else self._elsewhere(name)
        return f"{name}: there is no such job in namespace {self.namespace}{hint}"

    def _elsewhere(self, name: str) -> str:
        """Where else a job of that name is, as far as the person may know."""
        try:
            found = self.api.read(JOB.path(), fieldSelector=f"metadata.name={name}", limit="5")["items"]
        except click.ClickException:
            return ""
        places = [f"-n {each['metadata']['namespace']}" for each in found]
        return f"; there is one with {' and one with '.join(places)}" if places else ""
