"""The view: every object that the operator was told of, by kind.

It is a hint. What watches tell may come late, and a deletion not at all, so a full list replaces the view now
and then, and whatever creates or deletes looks at the API server first. Objects are kept as JSON text, which
takes a tenth of the memory that dicts do.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import from_json, to_json

from trimtab_api.report import Phase
from trimtab_operator import names
from trimtab_operator.kinds import JOB, PROFILE, Kind
from trimtab_operator.manifests import text_at
from trimtab_operator.slim import slim
from trimtab_operator.world import Key, Manifest

Place = tuple[str, str]
"""Namespace and name."""


@dataclass(slots=True)
class _Seen:
    """One object: its text, and by which way its versions came."""

    key: Key
    version: int
    text: bytes
    phase: str
    heard: int = 0
    """The last version that a watch told of."""
    listed: int = 0
    """The version in the last round of full lists."""


class View:
    """What is there, as far as it is known."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[Place, _Seen]] = defaultdict(dict)
        self._children: dict[tuple[Kind, Key], set[Place]] = defaultdict(set)
        self._gone: dict[Kind, dict[Place, int]] = defaultdict(dict)  # deletions since the last full list
        self.has_kuberay = True
        """Whether the API server knows RayJobs."""

    def take(self, kind: Kind, manifest: Manifest) -> bool:
        """Take in an object as the API server gave it; return whether that is news: newer, and different."""
        place, version = place_of(manifest), version_of(manifest)
        seen = self._objects[kind].get(place)
        if version <= (seen.version if seen else self._gone[kind].get(place, -1)):
            return False
        kept = slim(kind, manifest)
        del kept["metadata"]["resourceVersion"]
        text, phase = _text(kept), text_at(manifest, "status", "phase")
        if seen and seen.text == text:
            seen.version = version
            return False
        self._objects[kind][place] = new = _Seen(key_of(kind, manifest), version, text, phase)
        if seen:
            new.heard, new.listed = seen.heard, seen.listed
            self._children[kind, seen.key].discard(place)
        self._children[kind, new.key].add(place)
        return True

    def hear(self, kind: Kind, manifest: Manifest) -> bool:
        """Take in an object that a watch tells of; return whether that is news."""
        is_news = self.take(kind, manifest)
        if seen := self._objects[kind].get(place_of(manifest)):
            seen.heard = max(seen.heard, version_of(manifest))
        return is_news

    def lose(self, kind: Kind, manifest: Manifest) -> bool:
        """Take in that an object is deleted; return whether that is news."""
        place, version = place_of(manifest), version_of(manifest)
        seen = self._objects[kind].get(place)
        if seen is None or seen.version > version:
            return False
        self._gone[kind][place] = version
        self._drop(kind, place)
        return True

    def refresh(self, kind: Kind, is_round: bool = False) -> "Refresh":
        """Begin to replace all that is known of a kind by a full list of it; see Lists.read for rounds."""
        return Refresh(self, kind, is_round)

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """Return an object, its bookkeeping left out; None when it is not known."""
        seen = self._objects[kind].get((namespace, name))
        return _manifest(seen) if seen else None

    def job(self, key: Key) -> Manifest | None:
        """Return a job; None when it is not known."""
        return self.get(JOB, key.namespace, key.name)

    def profiles(self) -> tuple[Manifest, ...]:
        """Return every profile."""
        return tuple(map(_manifest, self._objects[PROFILE].values()))

    def children(self, kind: Kind, key: Key) -> tuple[Manifest, ...]:
        """Return the objects of a kind that are labelled as a job's."""
        places = self._children.get((kind, key), ())
        return tuple(_manifest(self._objects[kind][place]) for place in sorted(places))

    def jobs(self) -> list[Key]:
        """Return every job."""
        return [seen.key for seen in self._objects[JOB].values()]

    def phases(self) -> Counter[Phase]:
        """Return how many jobs are in each phase."""
        return Counter(cast(Phase, seen.phase or "Pending") for seen in self._objects[JOB].values())

    def _drop(self, kind: Kind, place: Place) -> None:
        seen = self._objects[kind].pop(place)
        self._children[kind, seen.key].discard(place)
        if not self._children[kind, seen.key]:
            del self._children[kind, seen.key]


class Refresh:
    """A full list of a kind, taken in page by page while watches go on."""

    def __init__(self, view: View, kind: Kind, is_round: bool) -> None:
        self._view = view
        self._kind = kind
        self._is_round = is_round
        self._listed: dict[Place, int] = {}
        self.missed = 0
        """Changes in the last round that no watch has told of since; known at the end."""

    def add(self, manifest: Manifest) -> None:
        """Take in an object of the list."""
        self._view.take(self._kind, manifest)
        self._listed[place_of(manifest)] = version_of(manifest)

    def finish(self, version: str) -> None:
        """Forget what is not in the list, whose version this is; what came after it stays."""
        objects = self._view._objects[self._kind]
        for place in [place for place in objects if place not in self._listed]:
            if objects[place].version <= int(version):
                self._view._drop(self._kind, place)
        self._view._gone[self._kind].clear()
        if self._is_round:
            self._count_missed(objects)

    def _count_missed(self, objects: dict[Place, _Seen]) -> None:
        """Only whole lists count: what half a list has shown is no change from before the round."""
        for place, version in self._listed.items():
            if seen := objects.get(place):
                self.missed += seen.heard < seen.listed
                seen.listed = version


def place_of(manifest: Manifest) -> Place:
    """Return where an object is."""
    return text_at(manifest, "metadata", "namespace"), text_at(manifest, "metadata", "name")


def version_of(manifest: Manifest) -> int:
    """Return the version of an object; versions of one kind grow."""
    return int(manifest["metadata"]["resourceVersion"])


def key_of(kind: Kind, manifest: Manifest) -> Key:
    """Return the job that an object is, or is labelled as belonging to."""
    namespace, name = place_of(manifest)
    return Key(
        namespace, name if kind in (JOB, PROFILE) else text_at(manifest, "metadata", "labels", names.JOB)
    )


def _text(manifest: Manifest) -> bytes:
    return to_json(manifest)


def _manifest(seen: _Seen) -> dict[str, Any]:
    manifest: dict[str, Any] = from_json(seen.text)
    manifest["metadata"]["resourceVersion"] = str(seen.version)
    return manifest
