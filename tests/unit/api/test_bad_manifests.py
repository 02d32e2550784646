"""The corpus of bad manifests: each says exactly what is wrong; no field and no rule is without one."""

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import pytest
from pydantic import BaseModel

from tests.support.manifests import BadManifest, bad_manifests
from trimtab_api.job import OptimizationJob
from trimtab_api.manifest import SpecError, parse_job, parse_profile
from trimtab_api.model import Model, rules_of
from trimtab_api.profile import OptimizationProfile
from trimtab_api.schema import job_crd, profile_crd

BOUNDS = ("enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
KINDS = {"OptimizationJob": job_crd(), "OptimizationProfile": profile_crd()}
PARSERS = {"OptimizationJob": parse_job, "OptimizationProfile": parse_profile}


@pytest.mark.parametrize("bad", bad_manifests(), ids=attrgetter("id"))
def test_bad_manifest_is_refused_with_its_one_problem(bad: BadManifest) -> None:
    with pytest.raises(SpecError) as refusal:
        PARSERS[bad.document["kind"]](bad.document)

    assert str(refusal.value) == f"{bad.field}: {bad.message}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_and_limit_of_the_schema_has_a_bad_manifest(kind: str) -> None:
    schema = KINDS[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec = schema["properties"]["spec"]
    tried = {(pattern_of(bad), bad.breaks) for bad in bad_manifests() if bad.document["kind"] == kind}

    assert set(limits_of(spec, "spec")) - tried == set()


def pattern_of(bad: BadManifest) -> str:
    """A field without its place in lists and maps, as the schema names it."""
    field = bad.field.removesuffix(".name") if bad.breaks == "unique" else bad.field
    path = re.sub(r"\[\d+\]", "[]", field)
    path = re.sub(r"\.(args|nodeSelector|matchLabels)\..*", r".\1{}", path)
    return path.removesuffix("[]") if bad.breaks == "unique" else path


def limits_of(node: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Every (field, limit) at and below a node of a structural schema; the type of a field is one."""
    if "type" in node or "x-kubernetes-int-or-string" in node:
        yield path, "type"
    values = len(node.get("items", {}).get("enum", ()))
    for bound in BOUNDS:
        if bound in node and not can_never_break(node, bound, values):
            yield path, bound
    if "x-kubernetes-list-type" in node:
        yield path, "unique"
    for name in node.get("required", ()):
        yield f"{path}.{name}", "required"
    if "items" in node and "type" in node["items"]:
        yield from limits_of(node["items"], f"{path}[]")
    if "additionalProperties" in node:
        yield from limits_of(node["additionalProperties"], f"{path}{{}}")
    for name, child in node.get("properties", {}).items():
        yield from limits_of(child, f"{path}.{name}")


def can_never_break(node: dict[str, Any], bound: str, values: int) -> bool:
    """Whether another limit is always met first, so that no manifest breaks this one alone."""
    if bound == "maxItems":  # a set of words has no more items than there are words
        return node.get("x-kubernetes-list-type") == "set" and 0 < values <= node[bound]
    pattern = node.get("pattern", "")
    of_fixed_length = pattern == "^[a-f0-9]{64}$" or pattern.startswith("^([1-9][0-9]{0,4}d)?")
    return bound == "maxLength" and of_fixed_length


@pytest.mark.parametrize("root", [OptimizationJob, OptimizationProfile])
def test_every_rule_has_a_bad_manifest(root: type[BaseModel]) -> None:
    tried = {bad.message.split(", got ")[0] for bad in bad_manifests() if bad.judge == "cel"}

    for model in models_in(root):
        assert {rule.message for rule in rules_of(model)} <= tried, model


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all models that its fields hold."""
    yield model
    known = {each.__name__: each for each in subclasses(Model)}
    for name in model.model_json_schema().get("$defs", {}):
        yield known[name]


def subclasses(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in root.__subclasses__():
        yield child
        yield from subclasses(child)
