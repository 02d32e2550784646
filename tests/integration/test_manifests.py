"""Every manifest of the corpus on a real API server: what it takes, what it refuses, what it says.

The corpus itself is tried in `trimtab validate` by the unit tests: same documents, same messages.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster import ApiServer, Document, RefusedError
from tests.support.manifests import BadManifest, Edit, bad_manifests, edits, good_documents, good_streams
from trimtab_api.manifest import parse_job, parse_profile, read_stream
from trimtab_api.plan import resolve
from trimtab_api.profile import LOCAL_PROFILE

EXAMPLES = Path(__file__).parents[2] / "examples"
STREAMS = good_streams() | {
    str(path.relative_to(EXAMPLES)): path.read_text() for path in EXAMPLES.glob("*/*.yaml")
}
FORBIDDEN = [edit for edit in edits() if not edit.allowed]
ALLOWED = [edit for edit in edits() if edit.allowed]


@pytest.fixture
def store(api_server: ApiServer) -> Iterator[Callable[[Document], Document]]:
    """Store a document for the length of a test; the stored object comes back."""
    stored = []

    def create(document: Document) -> Document:
        stored.append(document)
        return api_server.create(document)

    yield create
    for document in stored:
        api_server.delete(document)


@pytest.mark.parametrize("name", good_documents())
def test_good_manifest_comes_back_with_the_same_meaning(
    store: Callable[[Document], Document], name: str
) -> None:
    document = good_documents()[name]

    stored = store(document)

    assert meaning(stored) == meaning(document)


@pytest.mark.parametrize("name", STREAMS)
def test_good_stream_is_read_by_the_server_as_trimtab_reads_it(api_server: ApiServer, name: str) -> None:
    stream = read_stream(STREAMS[name])
    ours = {document["kind"]: document for document in (stream.job, stream.profile) if document}

    for text in STREAMS[name].split("\n---\n"):
        head = yaml.safe_load(text)
        read = api_server.create_yaml(text, head, dry_run=True)
        if head["kind"] != "ConfigMap":
            assert meaning(read) == meaning(ours[head["kind"]])


def meaning(document: Mapping[str, Any]) -> object:
    """What a document asks for: the plan's digest of a job, the whole spec of a profile."""
    if document["kind"] == "OptimizationProfile":
        return parse_profile(document).spec
    return resolve(parse_job(document), LOCAL_PROFILE).digest


@pytest.mark.parametrize("bad", bad_manifests(), ids=attrgetter("id"))
def test_bad_manifest_is_refused_with_its_message(api_server: ApiServer, bad: BadManifest) -> None:
    refusal = refusal_of(lambda: api_server.create(bad.document, dry_run=True), bad.document)

    assert blames(refusal, bad.field, bad.server_message)


@pytest.mark.parametrize("edit", FORBIDDEN, ids=attrgetter("id"))
def test_forbidden_edit_is_refused_with_its_message(
    api_server: ApiServer, store: Callable[[Document], Document], edit: Edit
) -> None:
    store(edit.old)

    refusal = refusal_of(lambda: api_server.update(edit.new), edit.new)

    assert blames(refusal, edit.field, edit.message)


@pytest.mark.parametrize("edit", ALLOWED, ids=attrgetter("id"))
def test_allowed_edit_is_stored(
    api_server: ApiServer, store: Callable[[Document], Document], edit: Edit
) -> None:
    store(edit.old)

    assert parse_job(api_server.update(edit.new)).spec == parse_job(edit.new).spec


def refusal_of(act: Callable[[], Document], document: Document) -> RefusedError:
    """The refusal; a failure that shows the document when there is none."""
    try:
        act()
    except RefusedError as refusal:
        return refusal
    pytest.fail(f"the API server accepts\n{yaml.safe_dump(document, sort_keys=False)}", pytrace=False)


def blames(refusal: RefusedError, field: str, message: str) -> bool:
    """Whether a refusal says this of the field, or of the list or section around it, as some rules do."""
    causes = refusal.causes or [(field, refusal.message)]  # an unknown field is a message without causes
    return any(message in text and re.match(rf"{re.escape(path)}($|[.[])", field) for path, text in causes)
