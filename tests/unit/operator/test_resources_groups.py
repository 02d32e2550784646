"""How workers are packed into pods, and what does not fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.children import DEFAULTS
from tests.support.jobs import job, unhurried
from trimtab_api.errors import SpecError
from trimtab_api.manifest import parse_profile
from trimtab_api.plan import Plan, Segment, WorkerGroup, resolve
from trimtab_api.profile import OptimizationProfile
from trimtab_api.rooms import rooms
from trimtab_operator.profiles import plan_for
from trimtab_operator.resources import pods_of
from trimtab_operator.resources.fits import unfit

Document = dict[str, Any]
SPACE = {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]}


def profile(*pools: Document, **spec: Any) -> OptimizationProfile:
    head = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationProfile", "metadata": {"name": "small"}}
    return parse_profile({**head, "spec": {"pools": list(pools), **spec}})


def pool(cpu: str, memory: str, gpu: int = 0) -> Document:
    return {"name": "p", "resources": {"cpu": cpu, "memory": memory, "gpu": gpu}}


POOL = pool("8", "32Gi", gpu=2)
PACKED = {
    # what one work takes, how many workers, the pool -> pods, works in each, CPUs, memory, GPUs of each
    "one": ({"workers": 1}, POOL, (1, 1, "8", "32Gi", 0)),
    "by-cpu": ({"workers": 9, "cpu": 2}, POOL, (3, 3, "8", "32Gi", 0)),
    "by-memory": ({"workers": 4, "memory": "10Gi"}, POOL, (2, 2, "8", "32Gi", 0)),
    "by-gpu": ({"workers": 4, "gpu": 0.5}, POOL, (1, 4, "8", "32Gi", 2)),
    "parts-stay-on-one-gpu": ({"workers": 5, "gpu": 0.4}, POOL, (2, 3, "8", "32Gi", 2)),
    "whole-gpus": ({"workers": 2, "gpu": 2}, POOL, (2, 1, "8", "32Gi", 2)),
    "tenths": ({"workers": 10, "cpu": 0.1}, pool("1", "1Gi"), (1, 10, "1", "1Gi", 0)),
    "spread-evenly": ({"workers": 5, "cpu": 2}, POOL, (2, 3, "8", "32Gi", 0)),
    "whole-cpus": ({"guaranteed": True, "cpu": 3}, pool("3500m", "8Gi"), (1, 1, "3", "8Gi", 0)),
    "no-pool": ({"workers": 2, "cpu": 1.5}, None, (2, 1, "1500m", "4Gi", 0)),
    "no-pool-shared-gpu": (
        {"workers": 3, "cpu": 2, "gpu": 0.5, "memory": "2Gi"},
        None,
        (2, 2, "4", str(4 * 2**30), 1),
    ),
    "no-pool-measured": ({"guaranteed": True, "cpu": 2, "memory": "2Gi"}, None, (1, 1, "3", "2Gi", 0)),
}


@pytest.mark.parametrize(("work", "given_pool", "expected"), PACKED.values(), ids=PACKED)
def test_workers_are_packed_whole(
    work: Document, given_pool: Document | None, expected: tuple[object, ...]
) -> None:
    group = WorkerGroup(name="workers", pool="p", **work)
    segment = Segment(name="search", stages=("search",), groups=(group,))

    (found,) = pods_of(segment, profile(*[given_pool] if given_pool else []).spec, DEFAULTS)

    assert (found.replicas, found.slots, found.cpu, found.memory, found.gpus) == expected


@unhurried
@given(st.integers(1, 200), st.floats(0.1, 8), st.sampled_from([0, 0.1, 0.25, 0.3, 0.5, 1, 2]))
def test_there_is_room_for_every_worker_and_no_pod_too_many(workers: int, cpu: float, gpu: float) -> None:
    group = WorkerGroup(name="workers", pool="p", workers=workers, cpu=cpu, gpu=gpu)
    segment = Segment(name="search", stages=("search",), groups=(group,))
    under = profile(POOL).spec

    (found,) = pods_of(segment, under, DEFAULTS)

    assert found.slots <= min(rooms(group, under.pools[0]).values())
    assert (found.replicas - 1) * found.slots < workers <= found.replicas * found.slots


def test_work_that_does_not_fit_has_pods_all_the_same() -> None:
    group = WorkerGroup(name="workers", pool="p", workers=2, cpu=16)
    segment = Segment(name="search", stages=("search",), groups=(group,))

    (found,) = pods_of(segment, profile(POOL).spec, DEFAULTS)

    assert (found.replicas, found.slots) == (2, 1)


UNFIT = {
    "cpu": ({"cpu": 16}, "spec.resources.search.perTrial.cpu: must be at most 8, the CPUs of {pool}, got 16"),
    "memory": (
        {"memory": "64Gi"},
        'spec.resources.search.perTrial.memory: must be at most 32Gi, the memory of {pool}, got "64Gi"',
    ),
    "gpu": ({"gpu": 4}, "spec.resources.search.perTrial.gpu: must be at most 2, the GPUs of {pool}, got 4"),
    "parts": (
        {"gpu": 1.5},
        "spec.resources.search.perTrial.gpu: must be a whole number, or a part of one GPU, got 1.5",
    ),
}


@pytest.mark.parametrize(("trial", "message"), UNFIT.values(), ids=UNFIT)
def test_trial_that_no_pod_has_room_for_is_refused(trial: Document, message: str) -> None:
    spec = {"search": SPACE, "output": "s3://models", "resources": {"search": {"perTrial": trial}}}

    assert told(spec, profile(POOL)) == [message.replace("{pool}", "a worker of pool p")]


def told(spec: Document, under: OptimizationProfile) -> list[str]:
    with pytest.raises(SpecError) as error:
        plan_for(job(**spec), under, None)
    return [str(each) for each in error.value.problems]


def planned(under: OptimizationProfile, **spec: Any) -> Plan:
    return resolve(job(**spec), under)


NEVER = {
    "threads": (
        [pool("3500m", "8Gi")],
        {"targets": [{"name": "edge", "pool": "p", "threads": 4}]},
        "spec.targets[0].threads: must be at most 3, the whole CPUs of a worker of pool p, got 4",
    ),
    "compress-pool": (
        [pool("8", "8Gi"), {**pool("500m", "1Gi"), "name": "tiny"}],
        {"resources": {"compress": {"pool": "tiny"}}},
        "spec.resources.compress.pool: must be one whose workers have 1 CPU, and not 500m as those of tiny",
    ),
    "target-named-as-a-group": (
        [POOL],
        {"targets": [{"name": "workers", "pool": "p"}]},
        "spec.targets[0].name: must not be head or workers: the Ray cluster has groups of these names"
        ', got "workers"',
    ),
    "queue": (
        [POOL],
        {"queue": {"name": "q" * 64}},
        "spec.queue.name: must have at most 63 characters: it becomes a label",
    ),
    "no-output": ([POOL], {"output": None}, "spec.output: is required: profile small has no store"),
    "folder": (
        [POOL],
        {"output": "file:///data"},
        "spec.output: must be s3://, gs://, az:// or pvc://, or below a volume that the profile's overlay"
        ' mounts: a folder of a pod is lost with it, got "file:///data"',
    ),
    "archive": (
        [POOL],
        {"task": {"entrypoint": "a:B", "code": {"archive": {"uri": "file:///a.zip", "sha256": "0" * 64}}}},
        "spec.task.code.archive.uri: must be s3://, gs://, az:// or pvc://, or below a volume that the"
        ' profile\'s overlay mounts: a folder of a pod is lost with it, got "file:///a.zip"',
    ),
}


@pytest.mark.parametrize(("pools", "spec", "message"), NEVER.values(), ids=NEVER)
def test_plan_that_no_cluster_can_carry_out_is_refused(
    pools: list[Document], spec: Document, message: str
) -> None:
    whole = {"search": SPACE, "output": "s3://models", **spec}
    given_spec = {name: value for name, value in whole.items() if value is not None}

    assert told(given_spec, profile(*pools)) == [message]


def test_folder_below_a_mounted_volume_is_kept() -> None:
    mount = {"name": "nfs", "mountPath": "/data/"}
    under = profile(POOL, overlay={"volumes": [{"name": "nfs", "emptyDir": {}}], "volumeMounts": [mount]})

    assert list(unfit(planned(under, output="file:///data/runs"), under.spec)) == []
    assert list(unfit(planned(under, output="file:///database"), under.spec)) != []
