"""Segments: a new cluster only where the shape changes."""

from typing import Any

from tests.support.jobs import job
from tests.support.manifests import good_documents
from trimtab_api.manifest import parse_job, parse_profile
from trimtab_api.plan import Segment, WorkerGroup, resolve
from trimtab_api.profile import LOCAL_PROFILE

LARGE = parse_profile(good_documents()["profile-large"])
SPACE = {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]}


def workers(**fields: Any) -> WorkerGroup:
    return WorkerGroup(name="workers", **fields)


def test_one_shape_is_one_segment() -> None:
    plan = resolve(job(search=SPACE, compress={"quantize": ["int8"]}), LOCAL_PROFILE)

    stages = ("search", "export", "compress", "measure", "guard", "publish")
    assert plan.segments == (Segment(name="search", stages=stages, groups=(workers(),)),)


def test_gpus_are_given_back_before_compression_and_targets_measure() -> None:
    document = good_documents()["transfer"]
    resources = {
        "search": {"pool": "gpu", "workers": 4, "perTrial": {"cpu": 2, "gpu": 0.5, "memory": "4Gi"}},
        "compress": {"pool": "cpu", "workers": 2},
    }

    plan = resolve(parse_job(document), LARGE.model_copy(update={"spec": LARGE.spec.model_copy(update=FREE)}))

    assert document["spec"]["resources"] == resources
    phone = WorkerGroup(name="phone", pool="arm", cpu=2, guaranteed=True)
    assert plan.segments == (
        Segment(
            name="search",
            stages=("search",),
            groups=(workers(pool="gpu", workers=4, cpu=2, gpu=0.5, memory="4Gi"),),
        ),
        Segment(name="export", stages=("export", "compress"), groups=(workers(pool="cpu", workers=2),)),
        Segment(name="measure", stages=("measure", "guard", "publish"), groups=(phone,)),
    )


FREE = {"locked": LARGE.spec.locked.model_copy(update={"resources": None})}


def test_search_carries_the_targets_of_its_objectives() -> None:
    plan = resolve(parse_job(good_documents()["digits"]), LOCAL_PROFILE)

    edge = WorkerGroup(name="edge", pool="arm", cpu=1, guaranteed=True)
    assert plan.segments[0].groups == (workers(workers=4), edge)


def test_onnx_model_is_neither_searched_nor_exported() -> None:
    plan = resolve(parse_job(good_documents()["onnx"]), LOCAL_PROFILE)

    assert [segment.stages for segment in plan.segments] == [("compress", "measure", "guard", "publish")]


def test_job_without_compression_measures_what_it_exports() -> None:
    plan = resolve(job(), LOCAL_PROFILE)

    assert [segment.stages for segment in plan.segments] == [
        ("search", "export", "measure", "guard", "publish")
    ]
