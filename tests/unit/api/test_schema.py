"""The definitions: current, small, structural, bounded, described."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from trimtab_api.schema import crds, main

CRDS = Path(__file__).resolve().parents[3] / "crds"
DEFINITIONS = crds()
each_definition = pytest.mark.parametrize("name", DEFINITIONS)
STRUCTURAL = {
    "type", "description", "default", "enum", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "items",
    "properties", "additionalProperties", "required", "x-kubernetes-int-or-string", "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
}  # fmt: skip


@each_definition
def test_committed_definition_is_current(name: str, tmp_path: Path) -> None:
    main(str(tmp_path))

    assert (CRDS / name).read_text() == (tmp_path / name).read_text(), "run `make crd`"


def test_no_definition_is_left_over() -> None:
    assert {path.name for path in CRDS.glob("*.yaml")} == set(DEFINITIONS)


@each_definition
def test_definition_is_small_enough_for_kubectl_apply(name: str) -> None:
    compact = json.dumps(yaml.safe_load((CRDS / name).read_text()), separators=(",", ":"))

    assert (CRDS / name).stat().st_size <= 120_000
    assert len(compact) <= 80_000


@each_definition
def test_every_field_is_described_in_a_line(name: str) -> None:
    lengths = {
        path: len(node.get("description", ""))
        for path, node in fields_of(schema_of(name))
        if not path.startswith((".apiVersion", ".kind", ".metadata"))
    }

    assert {path: length for path, length in lengths.items() if not 5 <= length <= 100} == {}


@each_definition
def test_nothing_but_structural_words_is_used(name: str) -> None:
    words = {word for _, node in nodes_of(schema_of(name)) for word in node}

    assert words <= STRUCTURAL


@each_definition
def test_every_list_map_and_string_of_spec_has_a_maximum(name: str) -> None:
    spec = schema_of(name)["properties"]["spec"]

    assert [path for path, node in nodes_of(spec) if not is_bounded(node)] == []


def is_bounded(node: dict[str, Any]) -> bool:
    """Whether CEL can tell the largest size of a value; a pattern of fixed parts bounds a duration."""
    if node.get("type") == "array":
        return "maxItems" in node
    if "additionalProperties" in node:
        return "maxProperties" in node
    of_strings = node.get("type") == "string" or "x-kubernetes-int-or-string" in node
    return not of_strings or bool(node.keys() & {"maxLength", "enum", "format"})


@each_definition
def test_rules_blame_fields_that_are_there(name: str) -> None:
    for path, node in nodes_of(schema_of(name)):
        for rule in node.get("x-kubernetes-validations", ()):
            target = node
            for step in rule.get("fieldPath", "").split(".")[1:]:
                target = target["properties"][step]
            assert rule["message"], path


def test_job_is_listed_with_how_it_stands() -> None:
    version = DEFINITIONS["trimtab.io_optimizationjobs.yaml"]["spec"]["versions"][0]

    names = [column["name"] for column in version["additionalPrinterColumns"]]
    assert names == ["Phase", "Stage", "Trials", "Best", "Size", "Speedup", "Age"]
    assert version["subresources"] == {"status": {}}
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}


@pytest.mark.parametrize(
    ("name", "short", "scope"),
    [
        ("trimtab.io_optimizationjobs.yaml", "optjob", "Namespaced"),
        ("trimtab.io_optimizationprofiles.yaml", "optprofile", "Cluster"),
    ],
)
def test_kind_has_its_short_name_and_scope(name: str, short: str, scope: str) -> None:
    spec = DEFINITIONS[name]["spec"]

    assert (spec["names"]["shortNames"], spec["scope"], spec["group"]) == ([short], scope, "trimtab.io")


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = DEFINITIONS[name]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def nodes_of(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node of a schema with its path."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes_of(child, f"{path}.{name}")
    for word, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if word in node:
            yield from nodes_of(node[word], path + mark)


def fields_of(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node that is a field, with its path."""
    return ((path, each) for path, each in nodes_of(node) if path and not path.endswith(("[]", "{}")))
