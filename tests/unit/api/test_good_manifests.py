"""The corpus of good manifests: each is read, and no field of the language is without one."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.manifests import good_documents, good_streams
from trimtab_api.manifest import parse_job, parse_profile, read_stream
from trimtab_api.schema import job_crd, profile_crd

KINDS = {"OptimizationJob": job_crd(), "OptimizationProfile": profile_crd()}


@pytest.mark.parametrize("name", good_documents())
def test_good_manifest_is_read_and_written_as_it_stands(name: str) -> None:
    document = good_documents()[name]
    parse = parse_job if document["kind"] == "OptimizationJob" else parse_profile

    written = parse(document).model_dump(mode="json", by_alias=True, exclude_unset=True)

    assert written == document


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_in_a_good_manifest(kind: str) -> None:
    schema = KINDS[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    used = {path for document in good_documents().values() for path in paths_in(document)}

    assert set(fields_of(schema["properties"]["spec"], "spec")) - used == set()


def test_code_of_a_stream_comes_with_it() -> None:
    stream = read_stream(good_streams()["digits"])

    assert stream.config_maps == {"digits-code": {"digits.py": b"class Digits:\n    epochs = 9\n"}}


def fields_of(node: dict[str, Any], path: str) -> Iterator[str]:
    node = node.get("items", node)
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from fields_of(child, f"{path}.{name}")


def paths_in(value: Any, path: str = "") -> Iterator[str]:
    """The path of every value, without its place in lists."""
    yield path
    for item in value if isinstance(value, list) else ():
        yield from paths_in(item, path)
    for name, item in value.items() if isinstance(value, dict) else ():
        yield from paths_in(item, f"{path}.{name}".lstrip("."))
