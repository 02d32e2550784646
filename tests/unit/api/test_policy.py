"""What a profile allows: pools, caps, code, URIs, namespaces."""

from typing import Any

import pytest

from tests.support.jobs import job_document
from tests.support.manifests import good_documents
from trimtab_api.manifest import SpecError, parse_job, parse_profile
from trimtab_api.plan import resolve
from trimtab_api.policy import breaches
from trimtab_api.profile import OptimizationProfile

LARGE = parse_profile(good_documents()["profile-large"])
SHA = "0" * 64
SPACE = {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]}
TASK = {"entrypoint": "a:B"}

BREACHES = {
    "pool": (
        {"resources": {"search": {"pool": "tpu"}}},
        'spec.resources.search.pool: must be a pool of profile gpu-large: gpu, cpu, arm, got "tpu"',
    ),
    "compress-pool": (
        {"resources": {"compress": {"pool": "tpu"}}},
        'spec.resources.compress.pool: must be a pool of profile gpu-large: gpu, cpu, arm, got "tpu"',
    ),
    "target-pool": (
        {"targets": [{"name": "edge", "pool": "riscv"}]},
        'spec.targets[0].pool: must be a pool of profile gpu-large: gpu, cpu, arm, got "riscv"',
    ),
    "workers": (
        {"resources": {"search": {"pool": "cpu", "workers": 17}}},
        "spec.resources.search.workers: must be at most 16, the cap of profile gpu-large, got 17",
    ),
    "workers-of-pool": (
        {"resources": {"search": {"workers": 9}}},
        "spec.resources.search.workers: must be at most 8, the cap of profile gpu-large, got 9",
    ),
    "workers-of-compress": (
        {"resources": {"compress": {"pool": "cpu", "workers": 17}}},
        "spec.resources.compress.workers: must be at most 16, the cap of profile gpu-large, got 17",
    ),
    "duration": (
        {"budget": {"duration": "49h"}},
        'spec.budget.duration: must be at most 2d, the cap of profile gpu-large, got "49h"',
    ),
    "gpu-hours": (
        {"budget": {"gpuHours": 100.5}},
        "spec.budget.gpuHours: must be at most 100, the cap of profile gpu-large, got 100.5",
    ),
    "cost": (
        {"budget": {"cost": 501}},
        "spec.budget.cost: must be at most 500, the cap of profile gpu-large, got 501",
    ),
    "code": (
        {"task": {**TASK, "code": {"pvc": {"claim": "code"}}}},
        "spec.task.code.pvc: is not allowed by profile gpu-large, which allows configMap, archive",
    ),
    "archive": (
        {"task": {**TASK, "code": {"archive": {"uri": "s3://models/team-b/code.zip", "sha256": SHA}}}},
        "spec.task.code.archive.uri: {prefixes}, got \"s3://models/team-b/code.zip\"",
    ),
    "data": (
        {"task": {**TASK, "data": [{"name": "train", "uri": "gs://models/default/x"}]}},
        "spec.task.data[0].uri: {prefixes}, got \"gs://models/default/x\"",
    ),
    "relative-data": (
        {"task": {**TASK, "data": [{"name": "train", "uri": "data"}, {"name": "b", "configMap": "c"}]}},
        "spec.task.data[0].uri: {prefixes}, got \"data\"",
    ),
    "data-of-the-web": (
        {"task": {**TASK, "data": [{"name": "train", "uri": "https://example.org/x.csv"}]}},
        "spec.task.data[0].uri: {prefixes}, got \"https://example.org/x.csv\"",
    ),
    "pretrained": (
        {"model": {"pretrained": {"uri": "s3://models/x.onnx"}}},
        "spec.model.pretrained.uri: {prefixes}, got \"s3://models/x.onnx\"",
    ),
    "warm-start": (
        {"search": {**SPACE, "warmStart": {"from": "s3://models/team-abc"}}},
        "spec.search.warmStart.from: {prefixes}, got \"s3://models/team-abc\"",
    ),
    "evaluation": (
        {"evaluation": {"schedule": "@daily", "maxDrop": 0, "data": [{"name": "r", "uri": "s3://other/x"}]}},
        "spec.evaluation.data[0].uri: {prefixes}, got \"s3://other/x\"",
    ),
    "output": (
        {"output": "file:///tmp"},
        "spec.output: {prefixes}, got \"file:///tmp\"",
    ),
}  # fmt: skip
PREFIXES = "must begin with s3://models/default/ or s3://models/team-a/ under profile gpu-large"


@pytest.mark.parametrize(("spec", "message"), BREACHES.values(), ids=BREACHES)
def test_breach_is_refused_by_name(spec: dict[str, Any], message: str) -> None:
    assert refusal(spec, LARGE) == message.replace("{prefixes}", PREFIXES)


def refusal(spec: dict[str, Any], profile: OptimizationProfile, namespace: str = "default") -> str:
    """What resolve says against a job with these sections."""
    document = job_document(**spec)
    document["metadata"]["namespace"] = namespace
    with pytest.raises(SpecError) as error:
        resolve(parse_job(document), profile)
    return str(error.value)


def profile(**spec: Any) -> OptimizationProfile:
    head = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationProfile", "metadata": {"name": "small"}}
    return parse_profile({**head, "spec": spec})


def test_image_must_match_a_pattern() -> None:
    strict = profile(allowed={"images": ["registry.example.org/*"]})
    task = {"entrypoint": "a:B", "code": {"image": f"docker.example.org/app@sha256:{SHA}"}}

    assert refusal({"task": task}, strict).startswith(
        "spec.task.code.image: must match an image of profile small: registry.example.org/*, got"
    )
    task["code"] = {"image": f"registry.example.org/app@sha256:{SHA}"}
    assert resolve(parse_job(job_document(task=task)), strict).profile == "small"


def test_profile_that_allows_no_code_says_so() -> None:
    task = {"entrypoint": "a:B", "code": {"configMap": "code"}}

    assert refusal({"task": task}, profile(allowed={"code": []})) == (
        "spec.task.code.configMap: is not allowed by profile small, which allows none"
    )


def test_namespace_must_be_named_unless_labels_decide() -> None:
    named = profile(namespaces={"names": ["vision", "speech"]})

    assert refusal({}, named) == (
        'metadata.namespace: must be one that may use profile small: vision, speech, got "default"'
    )
    labelled = profile(namespaces={"matchLabels": {"trimtab": "yes"}})
    assert resolve(parse_job(job_document()), labelled).namespace == "default"


LABELS = {
    "by-name": ("vision", {}, True),
    "by-all-labels": ("speech", {"trimtab": "yes", "tier": "gold", "more": "x"}, True),
    "by-some-labels": ("speech", {"trimtab": "yes"}, False),
    "by-none": ("speech", {}, False),
}


@pytest.mark.parametrize(("namespace", "labels", "served"), LABELS.values(), ids=LABELS)
def test_namespace_is_judged_by_its_labels_where_they_are_known(
    namespace: str, labels: dict[str, str], served: bool
) -> None:
    names = {"names": ["vision"], "matchLabels": {"trimtab": "yes", "tier": "gold"}}
    document = job_document()
    document["metadata"]["namespace"] = namespace

    told = [str(each) for each in breaches(parse_job(document), profile(namespaces=names), labels)]

    message = "must be one that may use profile small: vision, or one labelled trimtab=yes, tier=gold"
    assert told == ([] if served else [f'metadata.namespace: {message}, got "{namespace}"'])


def pool(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "resources": {"cpu": "4", "memory": "8Gi"}, **fields}


POOLS = [pool("gpu", maxWorkers=2), pool("cpu")]


def test_workers_are_judged_by_the_pool_that_the_profile_gives() -> None:
    wide = {"resources": {"search": {"workers": 9}}, "search": SPACE}
    on_cpu = profile(pools=POOLS, defaults={"resources": {"search": {"pool": "cpu"}}})

    assert workers_of(wide, on_cpu) == ("cpu", 9)
    assert refusal(wide, profile(pools=POOLS)) == (
        "spec.resources.search.workers: must be at most 2, the cap of profile small, got 9"
    )


def workers_of(spec: dict[str, Any], under: OptimizationProfile) -> tuple[str | None, int | None]:
    resources = resolve(parse_job(job_document(**spec)), under).spec.resources
    assert resources is not None
    assert resources.search is not None
    return resources.search.pool, resources.search.workers


def test_workers_that_the_job_did_not_state_are_cut_to_the_caps() -> None:
    generous = profile(pools=POOLS, defaults={"resources": {"search": {"workers": 20}}}, caps={"workers": 16})

    assert workers_of({"search": SPACE}, generous) == ("gpu", 2)
    assert workers_of({"search": SPACE, "resources": {"search": {"pool": "cpu"}}}, generous) == ("cpu", 16)
    assert workers_of({"search": {**SPACE, "parallelism": 5}}, profile(pools=POOLS)) == ("gpu", 2)


def test_budget_that_the_job_did_not_state_is_cut_to_the_caps() -> None:
    generous = profile(
        caps={"duration": "90m", "cost": 5}, defaults={"budget": {"duration": "2h", "cost": 4}}
    )

    budget = resolve(parse_job(job_document()), generous).spec.budget

    assert budget is not None
    assert budget.model_dump(exclude_none=True) == {"duration": "90m", "cost": 4}


def test_prefixes_default_to_the_namespace_under_the_store() -> None:
    stored = profile(store={"uri": "pvc://models/runs/"})

    assert refusal({"output": "pvc://models/runs/a"}, stored, "b") == (
        'spec.output: must begin with pvc://models/runs/b/ under profile small, got "pvc://models/runs/a"'
    )
    document = job_document(output="pvc://models/runs/default")
    assert resolve(parse_job(document), stored).spec.output == "pvc://models/runs/default"


def test_everything_that_a_profile_does_not_allow_is_said_at_once() -> None:
    spec = {"resources": {"search": {"pool": "tpu"}}, "budget": {"cost": 501}, "output": "file:///tmp"}

    assert [line.split(":")[0] for line in refusal(spec, LARGE).splitlines()] == [
        "spec.resources.search.pool",
        "spec.budget.cost",
        "spec.output",
    ]
