"""A real API server for tests, with the CRDs of `crds/` installed, and a small client of it.

`api_server` starts etcd and kube-apiserver once per session (3 s). `control_plane` also starts the
controllers, the scheduler and KubeRay (8 s); `own_control_plane` is one test's own, whose servers it may
stop. The client's answers are the server's own JSON; a refusal is a RefusedError that lists every cause by
field.
"""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import API_SERVER, EVERYTHING, ControlPlane
from tests.cluster.definitions import trimtab_definitions
from tests.cluster.processes import StartError
from tests.cluster.programs import UnavailableError
from tests.support.tiers import skip_tier
from tests.support.watch import Watch

APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
OK, NOT_FOUND = 200, 404
Document = dict[str, Any]


class RefusedError(Exception):
    """What the API server did not accept: its status code, and one (field, message) per cause."""

    def __init__(self, code: int, body: bytes) -> None:
        status: Document = json.loads(body) if body.startswith(b"{") else {"message": body.decode()}
        details = status.get("details") or {}
        self.code = code
        self.message: str = status["message"]
        self.causes = [(each.get("field", ""), each["message"]) for each in details.get("causes", [])]
        super().__init__(f"{code} {self.message}")


@dataclass(frozen=True, slots=True)
class Resource:
    """Where the objects of a kind are."""

    root: str
    plural: str
    namespaced: bool

    def collection(self, namespace: str) -> str:
        return f"{self.root}/{f'namespaces/{namespace}/' if self.namespaced else ''}{self.plural}"


@dataclass
class ApiServer:
    """A client with an administrator's rights; `proxy` is the URL of one that it is to go through."""

    plane: ControlPlane
    proxy: str | None = None
    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)
    """By apiVersion and kind, as the server named them."""
    namespaces: set[str] = field(default_factory=lambda: {"default"})
    """Those that are there."""

    @property
    def url(self) -> str:
        return self.proxy or self.plane.url

    def create(self, document: Document, *, strict: bool = True, dry_run: bool = False) -> Document:
        """The stored object. `strict` refuses unknown and duplicate fields, as kubectl asks for."""
        self._ensure_namespace(document)
        return self._send("POST", self._collection(document), document, self._options(strict, dry_run))

    def create_yaml(
        self, text: str, document: Document, *, strict: bool = True, dry_run: bool = False
    ) -> Document:
        """The stored object of a text that the server itself reads; the document says where it belongs."""
        self._ensure_namespace(document)
        options = self._options(strict, dry_run)
        return self._send("POST", self._collection(document), text, options, "application/yaml")

    def update(self, document: Document, *, strict: bool = True, dry_run: bool = False) -> Document:
        """The object after replacing it by this document, whichever version of it is stored."""
        current = self.get(document)["metadata"]["resourceVersion"]
        body = document | {"metadata": document["metadata"] | {"resourceVersion": current}}
        return self._send("PUT", self._path(document), body, self._options(strict, dry_run))

    def apply(self, document: Document, *, strict: bool = True) -> Document:
        """The object after a server-side apply, which creates what is not there."""
        self._ensure_namespace(document)
        options = self._options(strict, False) | {"fieldManager": "tests", "force": "true"}
        return self._send("PATCH", self._path(document), document, options, APPLY)

    def get(self, document: Document) -> Document:
        """The stored object of the same kind, namespace and name."""
        return self._send("GET", self._path(document))

    def find(self, document: Document) -> Document | None:
        """The stored object of the same kind, namespace and name, or None."""
        try:
            return self.get(document)
        except RefusedError as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def patch(self, document: Document, change: Document) -> Document:
        """The object after a merge patch of what is not its status."""
        return self._send("PATCH", self._path(document), change, content_type=MERGE)

    def update_status(self, document: Document) -> Document:
        """The object after replacing its status by this document's; all else of it is ignored."""
        return self._send("PUT", f"{self._path(document)}/status", document, self._options(True, False))

    def patch_status(self, document: Document, status: Document) -> Document:
        """The object after a merge patch of its status."""
        path = f"{self._path(document)}/status"
        return self._send("PATCH", path, {"status": status}, content_type=MERGE)

    def delete(self, document: Document, **options: Any) -> None:
        """Delete the object of the same kind, namespace and name, and of the same uid if it has one.

        The options are those of the API: gracePeriodSeconds=0 asks no kubelet.
        """
        only = {"preconditions": {"uid": document["metadata"].get("uid")}}
        self._send("DELETE", self._path(document), only | options)

    def read(self, path: str, **options: str) -> Document:
        """Whatever the server answers at a path, such as /openapi/v3."""
        return self._send("GET", path, options=options)

    def items(self, version: str, kind: str, namespace: str | None = None, **options: str) -> list[Document]:
        """All objects of a kind in one namespace, or in all; options such as labelSelector="a=b"."""
        found: list[Document] = self.read(self.collection(version, kind, namespace), **options)["items"]
        return [{"apiVersion": version, "kind": kind} | each for each in found]

    def collection(self, version: str, kind: str, namespace: str | None = None) -> str:
        """The path of all objects of a kind in one namespace, or in all."""
        resource = self._resource({"apiVersion": version, "kind": kind})
        return resource.collection(namespace) if namespace else f"{resource.root}/{resource.plural}"

    def token_of(self, namespace: str, account: str) -> str:
        """A token of a ServiceAccount, as a pod of it has one: with its rights and no others."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        return str(self._send("POST", path, request)["status"]["token"])

    def watch(self, path: str, **options: str) -> Watch:
        """Changes as they happen; for the path see `collection`, for the options the API's own."""
        watch = Watch.open(self.url + path, self.plane.token, self._trust, options)
        if watch.code != OK:
            raise RefusedError(watch.code, b"the watch is refused")
        return watch

    def columns(self, document: Document) -> dict[str, Any]:
        """What `kubectl get` shows of one object: its cells by the columns' names."""
        headers = {
            "Authorization": f"Bearer {self.plane.token}",
            "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io",
        }
        table = self._open(urllib.request.Request(f"{self.url}{self._path(document)}", headers=headers))
        return dict(
            zip((each["name"] for each in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True)
        )

    def wait_until(self, what: str, is_so: Callable[[], bool]) -> None:
        """Return once a condition holds: a new definition reaches every part of the server a moment later."""
        self.plane.processes.wait_until(what, is_so, limit_seconds=30)

    def _options(self, strict: bool, dry_run: bool) -> dict[str, str]:
        return {"fieldValidation": "Strict" if strict else "Ignore"} | ({"dryRun": "All"} if dry_run else {})

    def _resource(self, document: Document) -> Resource:
        version, kind = document["apiVersion"], document["kind"]
        if (version, kind) not in self.resources:
            self.wait_until(f"{kind} is told of", lambda: self._has_discovered(version, kind))
        return self.resources[version, kind]

    def _has_discovered(self, version: str, kind: str) -> bool:
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for each in self.read(root)["resources"]:
            if "/" not in each["name"]:
                self.resources[version, each["kind"]] = Resource(root, each["name"], each["namespaced"])
        return (version, kind) in self.resources

    def _collection(self, document: Document) -> str:
        return self._resource(document).collection(namespace_of(document))

    def _path(self, document: Document) -> str:
        return f"{self._collection(document)}/{document['metadata']['name']}"

    def _ensure_namespace(self, document: Document) -> None:
        name = namespace_of(document)
        if self._resource(document).namespaced and name not in self.namespaces:
            self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            self.namespaces.add(name)

    def _send(
        self,
        method: str,
        path: str,
        body: Document | str | None = None,
        options: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Document:
        headers = {"Authorization": f"Bearer {self.plane.token}", "Content-Type": content_type}
        url = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(options)}" if options else "")
        content = body if isinstance(body, str) else json.dumps(body)
        request = urllib.request.Request(url, content.encode() if body else None, headers, method=method)
        return self._open(request)

    def _open(self, request: urllib.request.Request) -> Document:
        try:
            with self._opener.open(request, timeout=60) as answer:
                found: Document = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(error.code, error.read()) from None

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._trust)
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.plane.certificate)


def namespace_of(document: Document) -> str:
    return str(document["metadata"].get("namespace", "default"))


def is_established(definition: Document) -> bool:
    """Whether the server serves a CustomResourceDefinition."""
    conditions = definition.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def crd_documents() -> dict[str, Document]:
    """The generated CRDs by file name."""
    return trimtab_definitions()


def run_control_plane(
    folder: Path, servers: Sequence[str], definitions: Sequence[Document] = ()
) -> Iterator[ApiServer]:
    """A started control plane, ended afterwards; the tier is skipped when a server is not built here."""
    plane = ControlPlane(folder, servers, definitions)
    try:
        plane.start()
    except UnavailableError as error:
        skip_tier(str(error))
    except StartError as error:
        pytest.fail(f"the control plane did not start: {error}", pytrace=False)
    yield ApiServer(plane)
    plane.stop()


@pytest.fixture(scope="session")
def bare_api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The session's API server without any CRD."""
    yield from run_control_plane(tmp_path_factory.mktemp("control-plane"), API_SERVER)


@pytest.fixture(scope="session")
def api_server(bare_api_server: ApiServer) -> ApiServer:
    """The session's API server with the CRDs installed and served."""
    for name, document in crd_documents().items():
        install(bare_api_server, name, document)
    return bare_api_server


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The session's control plane: everything of EVERYTHING, and the CRDs; to be left running."""
    folder = tmp_path_factory.mktemp("full-control-plane")
    yield from run_control_plane(folder, EVERYTHING, list(crd_documents().values()))


@pytest.fixture
def own_control_plane(tmp_path: Path) -> Iterator[ApiServer]:
    """A control plane of this test's own, whose servers it may stop, kill and start again."""
    yield from run_control_plane(tmp_path / "control-plane", EVERYTHING, list(crd_documents().values()))


def install(server: ApiServer, name: str, definition: Document) -> None:
    """Apply a CustomResourceDefinition and wait until it is served."""
    try:
        server.apply(definition)
    except RefusedError as error:
        pytest.fail(f"{name} is refused: {error}", pytrace=False)
    server.wait_until(f"{name} is served", lambda: is_established(server.get(definition)))
    server.wait_until(f"{name} is told of", lambda: is_discovered(server, definition))


def is_discovered(server: ApiServer, definition: Document) -> bool:
    """Whether clients that ask for a group's kinds are told of this one."""
    spec = definition["spec"]
    try:
        found = server.read(f"/apis/{spec['group']}/{spec['versions'][0]['name']}")["resources"]
    except RefusedError:
        return False
    return spec["names"]["plural"] in [each["name"] for each in found]
