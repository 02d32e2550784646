"""Random worlds: what a cluster, a user, a driver and an enemy may do to a job, in any order.

A happening is a function from world to world; those that need a RayJob or a report do nothing without one.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.support import worlds
from tests.support.worlds import Document
from trimtab_operator.world import Observed

Happening = Callable[[Observed], Observed]

JOB_STATUSES = ("", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED", "GARBAGE")
DEPLOYMENTS = (
    "",
    "Initializing",
    "Running",
    "Complete",
    "Failed",
    "ValidationFailed",
    "Suspending",
    "Suspended",
    "Retrying",
    "Waiting",
)
PHASES = ("Pending", "Starting", "Searching", "Compressing", "Verifying", "Succeeded", "Failed", "Suspended")
REASONS = ("Completed", "BudgetReached", "GuardrailNotMet", "Code", "Infrastructure", "Whatever")

texts = st.text(max_size=40) | st.sampled_from(
    ("x" * 3_000, "<&>" * 500, "é\u202e\x1b[31m", "\ud800", "字" * 900)
)
numbers = (
    st.floats(allow_nan=True)
    | st.integers(min_value=-3, max_value=100)
    | st.sampled_from((2**63, 10**300, -(10**40)))
)
scalars = st.none() | st.booleans() | numbers | texts
anything: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
metrics = st.dictionaries(
    st.sampled_from(("accuracy", "sizeMB", "latencyMs", "m" * 3_000)), st.floats(-1e9, 1e9), max_size=4
)
conditions = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                ("Succeeded", "SearchComplete", "GuardrailMet", "Ready", "Stalled", "Accepted")
            ),
            "status": st.sampled_from(("True", "False", "Unknown")),
            "reason": st.sampled_from(REASONS),
            "message": texts,
        }
    ),
    max_size=4,
)
bests = st.fixed_dictionaries(
    {
        "trial": st.integers(0, 9),
        "params": st.dictionaries(texts, numbers | texts, max_size=5),
        "metrics": metrics,
    }
)
candidates = st.fixed_dictionaries(
    {"id": st.sampled_from(("int8", "fp16", "c" * 200)), "metrics": metrics, "verdict": st.text(max_size=200)}
)
reports = st.fixed_dictionaries(
    {"phase": st.sampled_from(PHASES), "conditions": conditions},
    optional={
        "stage": st.text(max_size=20),
        "message": texts,
        "secondsLeft": numbers,
        "trials": st.fixed_dictionaries({"total": st.integers(0, 10**6), "completed": numbers}),
        "best": bests,
        "front": st.lists(bests, max_size=3),
        "candidates": st.lists(candidates, max_size=30),
        "final": st.fixed_dictionaries({"id": texts, "metrics": metrics}),
        "speedup": numbers,
        "cost": st.just({"seconds": 1e12, "amount": 0}),
        "attempt": st.just(7),
        "unknown": anything,
    },
)
hostile = st.sampled_from(
    (
        {"report.json": "{", "attempt": "1", "segment": "search"},
        {"report.json": "[" * 60_000, "attempt": "1", "segment": "search"},
        {"report.json": "x" * 70_000, "attempt": "1", "segment": "search"},
        {"report.json": '{"name": NaN}', "attempt": "1", "segment": "search"},
        {"report.json": "{}", "attempt": "9" * 5_000, "segment": "search"},
        {"report.json": "7", "attempt": "-1", "segment": "\x00"},
        {"attempt": "1"},
        {},
    )
)


def _kuberay(status: Document, world: Observed) -> Observed:
    return worlds.ray_job(world, status) if world.ray_jobs else world


def _driver(attempt: int | None, report: Document, world: Observed) -> Observed:
    if not world.ray_jobs:
        return world
    world = worlds.reported(world, attempt=attempt, phase="Searching")
    data = {
        **(world.report or {})["data"],
        "report.json": json.dumps({"schemaVersion": 1, "name": "digits", **report}),
    }
    return replace(world, report={**(world.report or {}), "data": data})


def _enemy(data: Any, world: Observed) -> Observed:
    """A driver may change its report, but cannot make one."""
    return replace(world, report={**world.report, "data": data}) if world.report else world


def _tamper(key: str, text: str, world: Observed) -> Observed:
    if world.plan is None:
        return world
    return replace(world, plan={**world.plan, "data": {**world.plan["data"], key: text}})


def _world(fields: dict[str, Any], world: Observed) -> Observed:
    return replace(world, **fields)


def _spec(fields: Document, world: Observed) -> Observed:
    return worlds.edited(world, **fields)


def _with_pods(pods: list[Document], world: Observed) -> Observed:
    """Pods of the newest run."""
    labels = world.ray_jobs[-1]["metadata"]["labels"] if world.ray_jobs else {}
    named = (
        {
            **pod,
            "metadata": {
                "name": "digits-head",
                **pod.get("metadata", {}),
                "labels": {**labels, "ray.io/node-type": "head", "ray.io/group": "headgroup"},
            },
        }
        for pod in pods
    )
    return replace(world, pods=tuple(named))


def _over_quota(world: Observed) -> Observed:
    about = {"name": f"{world.ray_jobs[-1]['metadata']['name']}-abcde"} if world.ray_jobs else {}
    return replace(world, events=({"involvedObject": about, "message": "exceeded quota: pods"},))


restarts = st.integers(0, 3).map(lambda count: [{"name": "ray-head", "restartCount": count}])
pods = st.lists(
    st.fixed_dictionaries(
        {
            "metadata": st.fixed_dictionaries(
                {"uid": st.sampled_from(("a", "b"))},
                optional={
                    "deletionTimestamp": st.sampled_from(("2026-11-24T08:00:30Z", "2027-01-01T00:00:00Z"))
                },
            ),
            "status": st.fixed_dictionaries(
                {"phase": st.sampled_from(("Pending", "Running", "Failed"))},
                optional={
                    "containerStatuses": restarts
                    | st.just(
                        [
                            {
                                "image": "x",
                                "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}},
                            }
                        ]
                    ),
                    "conditions": st.sampled_from(
                        (
                            [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}],
                            [{"type": "Ready", "status": "True"}],
                        )
                    ),
                    "initContainerStatuses": anything,
                },
            ),
        }
    ),
    max_size=2,
)
other_profile = {**worlds.PROFILE, "spec": {**worlds.PROFILE["spec"], "caps": {"workers": 1}}}
happenings: st.SearchStrategy[Happening] = st.one_of(
    st.builds(
        lambda job, deployment: partial(_kuberay, {"jobStatus": job, "jobDeploymentStatus": deployment}),
        st.sampled_from(JOB_STATUSES),
        st.sampled_from(DEPLOYMENTS),
    ),
    st.sampled_from((worlds.READY, worlds.SUCCEEDED, worlds.FAILED)).map(
        lambda status: partial(_kuberay, status)
    ),
    st.builds(
        lambda attempt, report: partial(_driver, attempt, report), st.none() | st.integers(0, 4), reports
    ),
    st.sampled_from(REASONS).map(
        lambda reason: partial(
            _driver, None, {"phase": "Failed", "conditions": worlds.ended("False", reason)}
        )
    ),
    st.just(partial(_driver, None, {"phase": "Succeeded", "conditions": worlds.ended("True", "Completed")})),
    hostile.map(lambda data: partial(_enemy, data)),
    anything.map(lambda data: partial(_enemy, data)),
    st.builds(
        lambda key, text: partial(_tamper, key, text),
        st.sampled_from(("plan.json", "profile.json", "control.json", "more")),
        texts,
    ),
    st.sampled_from(
        (
            {"ray_jobs": ()},
            {"plan": None},
            {"report": None},
            {"profiles": ()},
            {"profiles": (worlds.PROFILE,)},
            {"profiles": (other_profile,)},
            {"has_kuberay": False},
            {"has_kuberay": True},
        )
    ).map(lambda fields: partial(_world, fields)),
    st.sampled_from(
        (
            {"suspend": True},
            {"suspend": False},
            {"retry": 1},
            {"retry": 2},
            {"retry": 0},
            {"search": {**worlds.SPEC["search"], "trials": 3}},
            {"search": {**worlds.SPEC["search"], "parallelism": 200}},
            {"budget": {"duration": "1m"}},
            {"budget": {"cost": 0.001}},
            {"budget": {"cost": 0}},
            {"ttlSecondsAfterFinished": 0},
            {"ttlSecondsAfterFinished": 10**8},
            {"newField": 1},
            {"task": "none"},
        )
    ).map(lambda fields: partial(_spec, fields)),
    pods.map(lambda found: partial(_with_pods, found)),
    st.just(_over_quota),
    st.floats(0, 4_000).map(lambda seconds: lambda world: worlds.later(world, seconds)),
)
SEARCHING: tuple[Happening, ...] = (
    partial(_kuberay, worlds.READY),
    partial(_driver, None, {"phase": "Searching", "trials": {"total": 40, "completed": 12}}),
)
SUCCEEDING: tuple[Happening, ...] = (
    *SEARCHING,
    partial(_driver, None, {"phase": "Succeeded", "conditions": worlds.ended("True", "Completed")}),
    partial(_kuberay, worlds.SUCCEEDED),
)
FAILING: tuple[Happening, ...] = (
    *SEARCHING,
    partial(_driver, None, {"phase": "Failed", "conditions": worlds.ended("False", "GuardrailNotMet")}),
    partial(_kuberay, worlds.SUCCEEDED),
)
LOSING: tuple[Happening, ...] = (*SEARCHING, partial(_kuberay, worlds.FAILED))
WAITING: Happening = partial(worlds.later, seconds=400)
openings = st.sampled_from(
    (
        (),
        SEARCHING,
        SUCCEEDING,
        (*SUCCEEDING, *SUCCEEDING),
        FAILING,
        LOSING,
        (*LOSING, WAITING, *LOSING),
        (*LOSING, WAITING) * 4,
        (*SEARCHING, partial(_spec, {"suspend": True})),
        (*SEARCHING, partial(_world, {"ray_jobs": ()})),
        (*FAILING, partial(_spec, {"retry": 2})),
    )
)
"""Ways into the states of a job, from where random things happen."""
histories = st.builds(lambda opening, rest: [*opening, *rest], openings, st.lists(happenings, max_size=6))
specs = st.sampled_from(
    (
        {},
        worlds.TWO_SEGMENTS,
        {"readyPolicy": "Accepted"},
        {"suspend": True},
        {"budget": {"duration": "10m", "gpuHours": 1}},
        {**worlds.TWO_SEGMENTS, "budget": {"cost": 0.5, "energyKWh": 0.1}, "retry": 1},
    )
)
