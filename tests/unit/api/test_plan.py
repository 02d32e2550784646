"""The plan: what a job leaves open, filled; and digests that tell jobs apart, not their spelling."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs import Document, documents, in_other_words, job, unhurried
from tests.support.manifests import good_documents
from trimtab_api.job import OptimizationJob
from trimtab_api.manifest import SpecError, parse_job, parse_profile, read_stream
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE, OptimizationProfile

PROFILES = [
    LOCAL_PROFILE,
    *(parse_profile(good_documents()[f"profile-{size}"]) for size in ("large", "small")),
]
SPACE = {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]}


def profile(**spec: Any) -> OptimizationProfile:
    head = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationProfile", "metadata": {"name": "small"}}
    return parse_profile({**head, "spec": spec})


def filled(plan: Plan) -> Document:
    return plan.spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_smallest_job_is_filled_with_every_default() -> None:
    plan = resolve(job(), LOCAL_PROFILE)

    assert (plan.name, plan.namespace, plan.profile) == ("digits", "default", "local")
    assert filled(plan) == {
        "profile": "local",
        "task": {"entrypoint": "digits:Digits", "args": {}, "data": []},
        "objectives": [],
        "guardrail": [],
        "export": {"opset": 21, "batch": "dynamic"},
        "targets": [],
        "resources": {
            "search": {"workers": 1, "perTrial": {"cpu": 1.0, "gpu": 0.0}},
            "compress": {"workers": 1},
        },
        "budget": {},
        "retry": 0,
        "suspend": False,
        "readyPolicy": "Completed",
        "ttlSecondsAfterFinished": 86_400,
    }


def test_search_is_filled_with_every_default() -> None:
    plan = resolve(job(search=SPACE), LOCAL_PROFILE)

    assert filled(plan)["search"] == {
        "seed": 0,
        "trials": 20,
        "parallelism": 1,
        "mode": "joint",
        "parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1.0, "log": False}, "default": "0.55"}],
        "sampler": {"tpe": {}},
        "pruner": {"none": {}},
    }


DEFAULTS = {
    "given": ({"int": {"low": 1, "high": 9}, "default": "2"}, "2"),
    "middle": ({"float": {"low": -1, "high": 2}}, "0.5"),
    "middle step": ({"float": {"low": 0.1, "high": 0.5, "step": 0.1}}, "0.3"),
    "short": ({"float": {"low": 0, "high": 1, "step": 0.3}}, "0.6"),
    "log": ({"float": {"low": 1e-4, "high": 0.1, "log": True}}, "0.00316"),
    "narrow": ({"float": {"low": 0.12341, "high": 0.12342}}, "0.12341"),
    "huge": ({"float": {"low": -1.7e308, "high": 1.7e308}}, "0.0"),
    "whole": ({"int": {"low": 16, "high": 64, "step": 16}}, "32"),
    "whole-log": ({"int": {"low": 1, "high": 100, "log": True}}, "10"),
    "choice": ({"categorical": [3, "sgd"]}, "3"),
}


@pytest.mark.parametrize(("parameter", "default"), DEFAULTS.values(), ids=DEFAULTS)
def test_parameter_without_default_gets_its_middle_or_first(parameter: Document, default: str) -> None:
    plan = resolve(job(search={"parameters": [{"name": "p", **parameter}]}), LOCAL_PROFILE)

    assert plan.spec.search
    assert plan.spec.search.parameters[0].default == default


def test_max_drop_is_filled_and_other_limits_are_not() -> None:
    limits = [{"metric": "accuracy", "maxDrop": 0.02}, {"metric": "sizeMB", "max": 2}]

    assert filled(resolve(job(guardrail=limits), LOCAL_PROFILE))["guardrail"] == [
        {"metric": "accuracy", "maxDrop": 0.02, "confidence": 0.95, "against": "uncompressed"},
        {"metric": "sizeMB", "max": 2.0},
    ]


def test_defaults_give_way_to_the_job_and_the_job_to_what_is_locked() -> None:
    shared = profile(
        defaults={"queue": {"name": "shared", "priority": "low"}, "budget": {"duration": "1h", "cost": 5}},
        locked={"queue": {"name": "locked"}, "search": {"parallelism": 2}},
    )

    plan = resolve(job(queue={"name": "mine"}, budget={"cost": 3}, search=SPACE), shared)

    spec = filled(plan)
    assert spec["queue"] == {"name": "locked", "priority": "low"}
    assert spec["budget"] == {"duration": "1h", "cost": 3.0}
    assert spec["search"]["parallelism"] == 2


def test_policy_makes_no_search_of_a_job_without_one() -> None:
    assert resolve(job(), profile(locked={"search": {"parallelism": 2}})).spec.search is None


def test_profile_gives_pool_store_workers_and_caps() -> None:
    pools = [{"name": "cpu", "resources": {"cpu": "2", "memory": "4Gi"}, "maxWorkers": 3}]
    shared = profile(pools=pools, store={"uri": "s3://runs"}, caps={"workers": 8, "duration": "2h"})

    spec = filled(resolve(job(search={**SPACE, "parallelism": 16}), shared))

    assert spec["resources"]["search"] == {"pool": "cpu", "workers": 3, "perTrial": {"cpu": 1.0, "gpu": 0.0}}
    assert (spec["output"], spec["budget"]) == ("s3://runs", {"duration": "2h"})


def test_what_profile_and_job_make_together_must_be_valid() -> None:
    stretched = job(search=SPACE).model_copy(update={"objectives": ()})
    broken = stretched.spec.model_copy(update={"retry": -1})

    with pytest.raises(SpecError, match=r"spec.retry: must be at least 0, got -1"):
        resolve(stretched.model_copy(update={"spec": broken}), LOCAL_PROFILE)


def test_plan_survives_json() -> None:
    plan = resolve(parse_job(good_documents()["transfer"]), PROFILES[1])

    assert Plan.model_validate_json(plan.model_dump_json(by_alias=True)) == plan


@unhurried
@given(documents)
def test_valid_job_resolves_where_nothing_is_forbidden(document: Document) -> None:
    plan = resolve(parse_job(document), LOCAL_PROFILE)

    assert plan.spec.ready_policy is not None
    assert (len(plan.digest), len(plan.identity)) == (64, 64)


@unhurried
@given(documents, st.sampled_from(PROFILES))
def test_resolve_raises_nothing_but_spec_error(document: Document, against: OptimizationProfile) -> None:
    with contextlib.suppress(SpecError):
        resolve(parse_job(document), against)


@unhurried
@given(st.data())
def test_digest_is_of_the_meaning_not_of_the_words(data: st.DataObject) -> None:
    document = data.draw(documents)
    other = read_stream(data.draw(in_other_words(document))).job

    assert resolve(parse_job(other or {}), LOCAL_PROFILE) == resolve(parse_job(document), LOCAL_PROFILE)


@unhurried
@given(documents, documents)
def test_identity_is_kept_by_every_edit_that_is_allowed(document: Document, other: Document) -> None:
    edited = {**document, "spec": dict(document["spec"])}
    for field in ("budget", "retry", "suspend", "ttlSecondsAfterFinished", "resources", "output"):
        edited["spec"].pop(field, None)
        edited["spec"] |= {field: other["spec"][field]} if field in other["spec"] else {}
    if "search" in edited["spec"]:
        edited["spec"]["search"] = {**edited["spec"]["search"], "trials": 7, "parallelism": 3}

    assert identity(parse_job(edited)) == identity(parse_job(document))


def identity(of: OptimizationJob) -> str:
    return resolve(of, LOCAL_PROFILE).identity


def test_identity_is_the_same_under_every_profile() -> None:
    plain = job(search=SPACE)

    assert {resolve(plain, each).identity for each in PROFILES} == {identity(plain)}


OTHERS = {
    "seed": job(search={**SPACE, "seed": 1}),
    "sampler": job(search={**SPACE, "sampler": {"random": {}}}),
    "guardrail": job(search=SPACE, guardrail=[{"metric": "accuracy", "min": 0.9}]),
    "arguments": job(task={"entrypoint": "digits:Digits", "args": {"depth": "2"}}, search=SPACE),
    "no-search": job(),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_identity_tells_other_jobs_apart(other: OptimizationJob) -> None:
    assert identity(other) != identity(job(search=SPACE))


def test_digest_tells_edits_apart() -> None:
    digests = {resolve(job(search={**SPACE, "trials": trials}), LOCAL_PROFILE).digest for trials in (5, 6)}

    assert len(digests) == 2
