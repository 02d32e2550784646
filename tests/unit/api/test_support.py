"""What this version carries out: every field is carried out, left to a cluster, or refused by name."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.jobs import job, job_document
from tests.support.manifests import good_documents
from trimtab_api.digests import CLUSTER_ONLY
from trimtab_api.manifest import parse_job
from trimtab_api.schema import job_crd
from trimtab_api.support import REFUSED, REFUSED_HERE, REFUSED_VALUES, Where, cluster_only, refusals

WHY = "not carried out by this version of Trimtab"
WHY_HERE: dict[Where, str] = {
    "embedded": "not carried out by trimtab run; remove it, or apply the job to a cluster",
    "cluster": f"{WHY} on a cluster; remove it",
}
HERE: list[tuple[Where, str]] = [(where, field) for where, fields in REFUSED_HERE.items() for field in fields]
EACH_WAY = pytest.mark.parametrize("where", WHY_HERE)
CARRIED_OUT = {
    "task.entrypoint", "task.code.configMap", "task.args", "task.data[].name", "task.data[].uri",
    "task.data[].sha256",
    "objectives[].metric", "objectives[].direction", "objectives[].goal", "objectives[].target",
    "search.seed", "search.trials", "search.parallelism", "search.mode", "search.sampler.tpe",
    "search.sampler.random", "search.pruner.asha", "search.pruner.none", "search.parameters[].name",
    "search.parameters[].float", "search.parameters[].int", "search.parameters[].categorical",
    "search.parameters[].default", "search.parameters[].when",
    "compress.prune.structured", "compress.distill", "model.pretrained",
    "compress.quantize[]", "compress.calibration", "compress.budget",
    "guardrail[].metric", "guardrail[].maxDrop", "guardrail[].min", "guardrail[].max",
    "guardrail[].confidence", "guardrail[].against", "guardrail[].target",
    "export", "targets[].name", "targets[].pool", "targets[].threads", "targets[].batch",
    "budget.duration", "budget.failedTrials", "output", "resources.search.perTrial.memory",
}  # fmt: skip


ELSEWHERE: dict[Where, set[str]] = {
    "embedded": {*CLUSTER_ONLY, "evaluation"},
    "cluster": {*CLUSTER_ONLY, *REFUSED_HERE["embedded"]},
}
"""What one way of running a job leaves to the other, or only it carries out."""


@EACH_WAY
def test_no_field_is_ignored(where: Where) -> None:
    spec = job_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    known = {*CARRIED_OUT, *REFUSED, *REFUSED_HERE[where], *ELSEWHERE[where]}

    assert [path for path in leaves(spec) if not any(is_below(path, each) for each in known)] == []


def leaves(node: dict[str, Any], path: str = "") -> Iterator[str]:
    """The path of every field that has no fields of its own."""
    if "items" in node:
        yield from leaves(node["items"], f"{path}[]")
    elif not node.get("properties"):
        yield path
    for name, child in node.get("properties", {}).items():
        yield from leaves(child, f"{path}.{name}".lstrip("."))


def is_below(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))


def test_job_that_is_carried_out_whole_has_no_refusals() -> None:
    assert refusals(parse_job(good_documents()["digits"])) == ()


@pytest.mark.parametrize("field", REFUSED)
def test_field_is_refused_wherever_a_good_job_has_it(field: str) -> None:
    jobs = [parse_job(each) for each in good_documents().values() if each["kind"] == "OptimizationJob"]
    said = [str(problem) for each in jobs for problem in refusals(each)]

    assert any(without_places(line) == f"spec.{field}: {WHY}; remove it" for line in said)


@pytest.mark.parametrize(("where", "field"), HERE)
def test_field_is_refused_where_only_the_other_way_carries_it_out(where: Where, field: str) -> None:
    jobs = [parse_job(each) for each in (*good_documents().values(), *OTHERS) if has_task(each)]
    said = [without_places(str(problem)) for each in jobs for problem in refusals(each, where=where)]
    others = [without_places(str(problem)) for each in jobs for problem in refusals(each, where=OTHER[where])]

    assert f"spec.{field}: {WHY_HERE[where]}" in said
    assert not any(line.startswith(f"spec.{field}:") for line in others)


OTHER: dict[Where, Where] = {"embedded": "cluster", "cluster": "embedded"}
CODE = ({"image": f"registry.example.org/app@sha256:{'0' * 64}"}, {"pvc": {"claim": "code"}})
OTHERS = [job_document(task={"entrypoint": "a:B", "code": code}) for code in CODE]
"""What no good manifest has, since each has one source of code."""


def has_task(document: dict[str, Any]) -> bool:
    return bool(document["kind"] == "OptimizationJob")


def without_places(line: str) -> str:
    return "[]".join(part.split("]", 1)[-1] if index else part for index, part in enumerate(line.split("[")))


VALUES = [(field, value) for field, values in REFUSED_VALUES.items() for value in values]


@pytest.mark.parametrize(("field", "value"), VALUES)
def test_value_is_refused_by_name(field: str, value: str) -> None:
    sections: dict[str, dict[str, Any]] = {
        "objectives[].metric": {"objectives": [{"metric": value, "direction": "minimize"}]},
        "guardrail[].metric": {"guardrail": [{"metric": value, "max": 1}]},
        "compress.quantize[]": {"compress": {"quantize": [value]}},
    }

    said = [str(problem) for problem in refusals(job(**sections[field]))]

    assert said == [f"spec.{field.replace('[]', '[0]')}: {value} is {WHY}; remove it"]


def test_metric_on_a_second_target_is_refused() -> None:
    objectives = [
        {"metric": "latencyMs", "direction": "minimize", "target": target} for target in ("edge", "server")
    ]
    targets = [{"name": "edge", "pool": "arm"}, {"name": "server", "pool": "cpu"}]

    said = [str(problem) for problem in refusals(job(objectives=objectives, targets=targets))]

    assert said == [f"spec.objectives[1]: latencyMs on a second target is {WHY}; remove it"]


REMOTE = [
    {"name": scheme, "uri": f"{scheme}://bucket/x", "sha256": "0" * 64}
    for scheme in ("s3", "gs", "az", "https", "http")
]


@EACH_WAY
def test_remote_data_is_fetched_wherever_the_job_runs(where: Where) -> None:
    assert refusals(job(task={"entrypoint": "a:B", "data": REMOTE}), where=where) == ()


def test_data_on_a_claim_is_refused_here_unless_the_command_line_gives_it() -> None:
    on_claim = job(task={"entrypoint": "a:B", "data": [{"name": "train", "uri": "pvc://claim/x"}]})

    assert [str(problem) for problem in refusals(on_claim)] == [
        "spec.task.data[0].uri: only a cluster has volumes; give its copy as --data NAME=PATH"
    ]
    assert refusals(on_claim, given_data=["train"]) == ()
    assert refusals(on_claim, where="cluster") == ()


def test_data_on_a_cluster_lies_at_no_relative_path() -> None:
    mounted = [{"name": "more", "pvc": {"claim": "c"}}, {"name": "names", "configMap": "m"}]
    task = {"entrypoint": "a:B", "data": [{"name": "test", "uri": "data/test"}, *mounted]}

    told = [str(each) for each in refusals(job(task=task), where="cluster")]

    assert told == [
        "spec.task.data[0].uri: a relative path is one of the machine on which trimtab run runs; "
        "put it in a bucket, on a pvc or in a configMap"
    ]


def test_what_only_a_cluster_uses_is_named() -> None:
    assert cluster_only(parse_job(good_documents()["transfer"])) == (
        "spec.profile",
        "spec.queue",
        "spec.resources but for search.perTrial.memory",
        "spec.readyPolicy",
        "spec.suspend",
        "spec.retry",
        "spec.ttlSecondsAfterFinished",
        "spec.evaluation",
    )


@pytest.mark.parametrize(
    ("trial", "named"),
    [
        pytest.param({"memory": "4Gi"}, (), id="memory alone"),
        pytest.param({"cpu": 2}, ("spec.resources",), id="CPUs"),
        pytest.param(
            {"cpu": 2, "memory": "4Gi"}, ("spec.resources but for search.perTrial.memory",), id="both"
        ),
    ],
)
def test_the_memory_of_a_trial_counts_here_as_well(trial: dict[str, Any], named: tuple[str, ...]) -> None:
    assert cluster_only(job(resources={"search": {"perTrial": trial}})) == named


def test_defaults_that_the_api_server_fills_in_are_not_named() -> None:
    assert cluster_only(job(retry=0, suspend=False)) == ()


@pytest.mark.parametrize(
    ("where", "uri", "why"),
    [
        ("embedded", "pvc://models/a.onnx", f"a model on a volume is {WHY}; put it into a bucket"),
        ("cluster", "pvc://models/a.onnx", f"a model on a volume is {WHY}; put it into a bucket"),
        (
            "cluster",
            "models/a.onnx",
            "a relative path is one of the machine on which trimtab run runs; put the model into a bucket",
        ),
    ],
)
def test_given_model_at_a_place_that_is_not_read_is_refused(where: Where, uri: str, why: str) -> None:
    assert [str(each) for each in refusals(job(model={"pretrained": {"uri": uri}}), where=where)] == [
        f"spec.model.pretrained.uri: {why}"
    ]


def test_given_model_is_carried_out_from_a_bucket_and_from_the_manifests_folder() -> None:
    for uri in ("s3://models/a.onnx", "weights/a.safetensors"):
        assert refusals(job(model={"pretrained": {"uri": uri}})) == ()
