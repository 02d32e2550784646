"""An API server in memory: what the operator asks of one, under the contract that the real one is held to.

Tests play the other parties: `put` is a user or another controller, `remove` deletes for good, `failures`
answers requests with errors, `requests` lists what was asked.
"""

import asyncio
import copy
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from trimtab_api.status import JobStatus
from trimtab_operator.cluster import EVERYTHING, Page, Selection, same_owner
from trimtab_operator.errors import ClusterError, ConflictError, GoneError, NotServedError
from trimtab_operator.events import build_event
from trimtab_operator.kinds import Kind, describe, kind_of
from trimtab_operator.merge import difference
from trimtab_operator.world import Emit, Manifest

Document = dict[str, Any]
Place = tuple[str, str]
WITH_STATUS = {"OptimizationJob"}


class FakeCluster:
    def __init__(self, missing: Iterable[str] = ()) -> None:
        self.missing = set(missing)
        """Kinds whose CRD is not installed."""
        self.objects: dict[str, dict[Place, Document]] = defaultdict(dict)
        self.requests: list[str] = []
        """What was asked, such as "apply ConfigMap vision/digits-plan"."""
        self.failures: list[tuple[str, ClusterError]] = []
        """Errors by the beginning of a request, each answered once."""
        self.before: Callable[[str], None] = lambda request: None
        """Runs before each request: another party that is quicker."""
        self.page_items = 2
        self.apply_seconds = 0.0
        """How long the answer to an apply takes."""
        self._versions = itertools.count(1)
        self._uids = itertools.count(1)

    # The other parties

    def put(self, manifest: Manifest) -> Document:
        """The object, as a user or another controller leaves it: created or replaced, with its status."""
        return self._store(json.loads(json.dumps(manifest)), status=manifest.get("status"))

    def find(self, kind: Kind, name: str, namespace: str = "vision") -> Document | None:
        return copy.deepcopy(self.objects[kind.name].get((namespace if kind.namespaced else "", name)))

    def all(self, kind: Kind) -> list[Document]:
        return copy.deepcopy(list(self.objects[kind.name].values()))

    def remove(self, manifest: Manifest) -> None:
        """Delete an object, and at once what it owned."""
        self.objects[manifest["kind"]].pop(place_of(manifest), None)
        uid = manifest["metadata"]["uid"]
        for children in list(self.objects.values()):
            for child in list(children.values()):
                if any(each["uid"] == uid for each in child["metadata"].get("ownerReferences", ())):
                    self.remove(child)

    # Cluster

    async def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest | None:
        self._asked(f"get {kind.name} {name}", kind)
        return self.find(kind, name, namespace or "")

    async def pages(self, kind: Kind, selection: Selection = EVERYTHING) -> AsyncIterator[Page]:
        self._asked(f"list {kind.name}", kind)
        version = str(next(self._versions))
        found = [each for each in self.all(kind) if is_selected(each, selection)]
        for number, start in enumerate(range(0, max(1, len(found)), self.page_items), start=1):
            self._may_fail(f"page {number} of {kind.name}")
            yield Page(tuple(found[start : start + self.page_items]), version)

    async def serves(self, kind: Kind) -> bool:
        self.requests.append(f"discover {kind.name}")
        return kind.name not in self.missing

    async def apply(self, manifest: Manifest) -> Manifest:
        found = self._written("apply", manifest)
        if self.apply_seconds:
            await asyncio.sleep(self.apply_seconds)
        return self._store(merged(same_owner(found, manifest), manifest) if found else manifest)

    async def create(self, manifest: Manifest) -> Manifest:
        found = self._written("create", manifest)
        return same_owner(found, manifest) if found else self._store(manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        found = self._written("replace", manifest)
        return self._store({**self._unchanged(manifest, found), **manifest})

    async def delete(self, manifest: Manifest) -> None:
        found = self._written("delete", manifest)
        if found and found["metadata"]["uid"] == manifest["metadata"]["uid"]:
            self.remove(found)

    async def write_status(self, job: Manifest, status: Manifest) -> Manifest:
        patch = difference(job.get("status") or {}, status)
        if not patch:
            return job
        found = self._unchanged(job, self._written("write_status", job))
        return self._store(found, status=merged(found.get("status") or {}, json.loads(json.dumps(patch))))

    async def emit(self, job: Manifest, event: Emit, now: datetime) -> None:
        manifest = build_event(job, event, now)
        if not self._written("emit", manifest):
            self._store(manifest)

    def _asked(self, request: str, kind: Kind) -> None:
        self.before(request)
        self.requests.append(request)
        self._may_fail(request)
        if kind.name in self.missing:
            raise NotServedError(f"{kind.name} is not served")

    def _may_fail(self, request: str) -> None:
        for failure in self.failures:
            if request.startswith(failure[0]):
                self.failures.remove(failure)
                raise failure[1]

    def _written(self, verb: str, manifest: Manifest) -> Document | None:
        self._asked(f"{verb} {describe(manifest)}", kind_of(manifest))
        return copy.deepcopy(self.objects[manifest["kind"]].get(place_of(manifest)))

    def _unchanged(self, wanted: Manifest, found: Document | None) -> Document:
        if found is None:
            raise GoneError(f"{describe(wanted)} is not there")
        if found["metadata"]["resourceVersion"] != wanted["metadata"].get("resourceVersion"):
            raise ConflictError(f"{describe(wanted)} has changed")
        return found

    def _store(self, manifest: Manifest, status: Any = None) -> Document:
        """Store an object as the API server does; a status only where it comes by its own way."""
        kept: Document = json.loads(json.dumps(manifest))
        old = self.objects[manifest["kind"]].get(place_of(manifest))
        if manifest["kind"] in WITH_STATUS:
            given = status or (old or {}).get("status") or {}
            kept["status"] = with_defaults(given)
        metadata = kept["metadata"]
        before: Document = old["metadata"] if old else {"uid": f"uid-{next(self._uids)}", "generation": 0}
        has_changed = old is None or old.get("spec") != kept.get("spec")
        metadata["uid"] = before["uid"]
        metadata["generation"] = before["generation"] + has_changed
        metadata["resourceVersion"] = str(next(self._versions))
        metadata.setdefault("creationTimestamp", before.get("creationTimestamp", "2026-11-24T08:00:00Z"))
        self.objects[manifest["kind"]][place_of(manifest)] = kept
        return copy.deepcopy(kept)


def with_defaults(status: Mapping[str, Any]) -> Document:
    """A job's status with the defaults of its schema."""
    return JobStatus.model_validate(status).model_dump(mode="json", by_alias=True, exclude_none=True)


def place_of(manifest: Manifest) -> Place:
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def is_selected(manifest: Manifest, selection: Selection) -> bool:
    """Selectors of the forms that the operator uses: key, key=value, a.path=value."""
    metadata = manifest["metadata"]
    if selection.namespace not in (None, metadata.get("namespace")):
        return False
    labels = metadata.get("labels") or {}
    wanted = [each.partition("=") for each in selection.labels.split(",") if each]
    if not all(key in labels and (not equals or labels[key] == value) for key, equals, value in wanted):
        return False
    fields = [each.partition("=") for each in selection.fields.split(",") if each]
    return all(value_at(manifest, path.split(".")) == value for path, _, value in fields)


def value_at(manifest: Any, path: list[str]) -> Any:
    return value_at(manifest.get(path[0], {}), path[1:]) if path else manifest


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> Document:
    """One object with the other's fields over its own, as a merge patch or a first apply leaves it."""
    result = dict(old)
    for key, value in new.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            inner = result.get(key)
            result[key] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[key] = value
    return result
