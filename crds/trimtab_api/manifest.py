"""Manifests: YAML by Kubernetes' rules, and the jobs and profiles in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from trimtab_api.errors import Problem, SpecError
from trimtab_api.job import OptimizationJob
from trimtab_api.profile import OptimizationProfile

__all__ = ["Documents", "Problem", "SpecError", "parse_job", "parse_profile", "read_stream"]


@dataclass(frozen=True, slots=True)
class Documents:
    """What a YAML stream holds: one job, at most one profile, and ConfigMaps by name."""

    job: Mapping[str, Any] | None
    profile: Mapping[str, Any] | None
    config_maps: Mapping[str, Mapping[str, Any]]


def read_stream(text: str) -> Documents:
    """Return the documents of a YAML stream."""
    job, profile, config_maps = None, None, {}
    for document in yaml.safe_load_all(text):
        if document["kind"] == "OptimizationJob":
            job = document
        elif document["kind"] == "OptimizationProfile":
            profile = document
        elif document["kind"] == "ConfigMap":
            config_maps[document["metadata"]["name"]] = document
    return Documents(job, profile, config_maps)


def parse_job(document: Mapping[str, Any]) -> OptimizationJob:
    """Return the job of a document."""
    try:
        return OptimizationJob.model_validate(document)
    except ValidationError as error:
        raise SpecError(Problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()) from None


def parse_profile(document: Mapping[str, Any]) -> OptimizationProfile:
    """Return the profile of a document."""
    try:
        return OptimizationProfile.model_validate(document)
    except ValidationError as error:
        raise SpecError(Problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()) from None
