"""The API server, as few methods: Cluster is what the operator needs of it, KubeCluster is the real one.

Objects are plain JSON: the client library's models would be built for every answer only to be taken apart
again. Nothing is tried twice here; what failed is one of `errors`, and the work queue decides when to try
again. Every request ends within its time.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.rest import RESTClientObject

from trimtab_operator.answers import Answer, refusal
from trimtab_operator.errors import ConflictError, ForeignError, GoneError, NotServedError, TransientError
from trimtab_operator.events import build_event
from trimtab_operator.kinds import EVENT, Kind, controller_of, describe, kind_of
from trimtab_operator.merge import difference
from trimtab_operator.world import Emit, Manifest

FIELD_MANAGER = "trimtab"
AGENT = "trimtab-operator"
PAGE_ITEMS = 100
"""Objects of a list that are in memory at a time; a RayJob takes 100 kB before it is made slim."""
_JSON = "application/json"
_METHODS = {
    "get": ("GET", _JSON),
    "list": ("GET", _JSON),
    "discover": ("GET", _JSON),
    "create": ("POST", _JSON),
    "emit": ("POST", _JSON),
    "replace": ("PUT", _JSON),
    "delete": ("DELETE", _JSON),
    "apply": ("PATCH", "application/apply-patch+yaml"),
    "write_status": ("PATCH", "application/merge-patch+json"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects of a kind."""

    items: tuple[Manifest, ...]
    version: str
    """The resource version of the whole list."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind: of one namespace or of all, by Kubernetes' selectors."""

    namespace: str | None = None
    labels: str = ""
    fields: str = ""


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Connection:
    """How an API server is reached, for those who speak with it in another way."""

    server: str
    ca_path: str | None
    insecure: bool
    certificate_path: str | None
    private_key_path: str | None
    scheme: str | None
    token: str | None = field(repr=False)


class Cluster(Protocol):
    """What the operator asks of an API server. Every method raises a ClusterError when it is not done."""

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest | None:
        """Return the object, or None."""

    def pages(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Page]:
        """Yield the objects of a kind, as they were at one moment; at least one page."""

    async def serves(self, kind: Kind) -> bool:
        """Return whether the API server knows the kind."""

    async def apply(self, manifest: Manifest) -> Manifest:
        """Make a child be so, whatever it was, and return it; ForeignError if it is another owner's."""

    async def create(self, manifest: Manifest) -> Manifest:
        """Return the child of this name, made now or before; ForeignError if it is another owner's."""

    async def replace(self, manifest: Manifest) -> Manifest:
        """Return the object replaced by this one; ConflictError if its resourceVersion is no longer so."""

    async def delete(self, manifest: Manifest) -> None:
        """Delete this very object, by its uid, and then what it owns; nothing happens if it is gone."""

    async def write_status(self, job: Manifest, status: Manifest) -> Manifest:
        """Return the job with this status; ConflictError if it has changed since it was read as `job`.

        Nothing is sent when it has that status.
        """

    async def emit(self, job: Manifest, event: Emit, now: datetime) -> None:
        """Tell an event about the job, once for each generation of it."""


async def items_of(cluster: Cluster, kind: Kind, selection: Selection) -> tuple[Manifest, ...]:
    """Return the objects of a kind, all at once: for selections that are known to be few."""
    return tuple([item async for page in cluster.pages(kind, selection) for item in page.items])


@dataclass(frozen=True, slots=True)
class _Request:
    verb: str
    kind: Kind
    path: str
    body: Manifest | None = None
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What people call it."""
        named = self.body is not None and "metadata" in self.body and "kind" in self.body
        return f"{self.verb} {describe(self.body)}" if named and self.body else f"{self.verb} {self.path}"


class KubeCluster:
    """A real API server."""

    def __init__(
        self,
        configuration: client.Configuration,
        count: Callable[[str, str, str], None] = lambda verb, kind, code: None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._configuration = configuration
        self._http = RESTClientObject(configuration)
        self._count = count
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(5.0, timeout_seconds))

    async def connection(self) -> Connection:
        """Return how the API server is reached, with the token as it is now."""
        configuration, header = self._configuration, (await self._token()).get("Authorization", "")
        scheme, _, token = header.rpartition(" ")
        return Connection(
            server=configuration.host,
            ca_path=configuration.ssl_ca_cert,
            insecure=not configuration.verify_ssl,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
            scheme=scheme or None,
            token=token or None,
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest | None:
        try:
            return await self._send(_Request("get", kind, kind.path(namespace, name)))
        except GoneError:
            return None

    async def pages(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Page]:
        options = {"labelSelector": selection.labels, "fieldSelector": selection.fields}
        query = {"limit": str(PAGE_ITEMS)} | {key: value for key, value in options.items() if value}
        known = {"apiVersion": kind.api_version, "kind": kind.name}  # left out in lists
        while True:
            found = await self._send(_Request("list", kind, kind.path(selection.namespace), None, query))
            items, metadata = found["items"] or (), found["metadata"]
            yield Page(tuple(known | each for each in items), metadata["resourceVersion"])
            query["continue"] = metadata.get("continue", "")
            if not query["continue"]:
                return

    async def serves(self, kind: Kind) -> bool:
        try:
            found = await self._send(_Request("discover", kind, kind.root))
        except NotServedError:
            return False
        return any(each["name"] == kind.plural for each in found["resources"])

    async def apply(self, manifest: Manifest) -> Manifest:
        try:
            return await self._create(manifest)
        except ConflictError:
            await self._owned(manifest)
        kind, query = kind_of(manifest), {"fieldManager": FIELD_MANAGER, "force": "true"}
        return await self._send(_Request("apply", kind, kind.path_of(manifest), manifest, query))

    async def create(self, manifest: Manifest) -> Manifest:
        try:
            return await self._create(manifest)
        except ConflictError:
            return await self._owned(manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        kind, query = kind_of(manifest), {"fieldManager": FIELD_MANAGER}
        return await self._send(_Request("replace", kind, kind.path_of(manifest), manifest, query))

    async def delete(self, manifest: Manifest) -> None:
        kind = kind_of(manifest)
        only = {"preconditions": {"uid": manifest["metadata"]["uid"]}, "propagationPolicy": "Background"}
        try:
            await self._send(_Request("delete", kind, kind.path_of(manifest), only))
        except (GoneError, ConflictError):  # a conflict: another object has its name by now
            return

    async def write_status(self, job: Manifest, status: Manifest) -> Manifest:
        patch = difference(job.get("status") or {}, status)
        if not patch:
            return job
        body = {"metadata": {"resourceVersion": job["metadata"]["resourceVersion"]}, "status": patch}
        kind, query = kind_of(job), {"fieldManager": FIELD_MANAGER}
        path = f"{kind.path_of(job)}/status"
        return await self._send(_Request("write_status", kind, path, body, query))

    async def emit(self, job: Manifest, event: Emit, now: datetime) -> None:
        body = build_event(job, event, now)
        try:
            await self._send(_Request("emit", EVENT, EVENT.path(body["metadata"]["namespace"]), body))
        except ConflictError:  # it was told before
            return

    async def _create(self, manifest: Manifest) -> Manifest:
        kind, query = kind_of(manifest), {"fieldManager": FIELD_MANAGER}
        path = kind.path(manifest["metadata"].get("namespace"))
        return await self._send(_Request("create", kind, path, manifest, query))

    async def _owned(self, manifest: Manifest) -> Manifest:
        """Return the object that has a child's name, if it is that child."""
        metadata = manifest["metadata"]
        found = await self.get(kind_of(manifest), metadata["name"], metadata.get("namespace"))
        if found is None:
            raise TransientError(f"{describe(manifest)} was there and is gone")
        return same_owner(found, manifest)

    async def _send(self, request: _Request) -> dict[str, Any]:
        """Return the answer to one request."""
        method, content = _METHODS[request.verb]
        url = self._configuration.host + request.path
        url += f"?{urlencode(request.query)}" if request.query else ""
        code = "none"
        try:
            headers = {"Accept": _JSON, "Content-Type": content, "User-Agent": AGENT} | await self._token()
            sending = self._http.request(method, url, headers, request.body, None, self._timeout)  # type: ignore[no-untyped-call]  # the library does not say
            answer = await sending
            code, body = str(answer.status), await answer.read()
            found: dict[str, Any] = json.loads(body) if answer.status < 400 else {}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise TransientError(f"cannot {request.what}: {reason}") from error
        finally:
            self._count(request.verb, request.kind.name, code)
        if answer.status >= 400:
            after = answer.headers.get("Retry-After", "")
            raise refusal(request.what, request.kind, Answer(answer.status, body, after))
        return found

    async def _token(self) -> dict[str, str]:
        """Return the token as it is now: in a cluster its file is read again every minute."""
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        return {"Authorization": token.strip()} if token else {}


def same_owner(found: Manifest, wanted: Manifest) -> Manifest:
    """Return what was found under a child's name; ForeignError unless both have the same owner."""
    if controller_of(found) == controller_of(wanted):
        return found
    raise ForeignError(
        f"{describe(found)} is there and is not this job's; rename the job, or delete it if nobody needs it"
    )


async def load_configuration(kubeconfig: str | None = None) -> client.Configuration:
    """Return how to reach the API server: by the file named, else as a pod, else by the user's own file.

    config.ConfigException when there is none of them.
    """
    configuration = client.Configuration(
        client_session_kwargs={"trust_env": False},  # asking for proxies anew costs more than a request
        connection_pool_maxsize=100,
    )
    if kubeconfig is None:
        try:
            config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # as above
            return configuration
        except config.ConfigException:
            pass
    await config.load_kube_config(kubeconfig, None, configuration)  # type: ignore[no-untyped-call]  # as above
    return configuration
