"""Pods that are lost with their node, or taken away: what a run can do without, and what it cannot."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.worlds import (
    DEFAULTS,
    READY,
    Document,
    applied,
    conditions,
    edited,
    ended,
    job,
    later,
    message,
    ray_job,
    ray_jobs,
    reported,
    searching,
    status_of,
    tick,
)
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Observed

RUNS = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
CUT_OFF = {
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}],
}
TAINT = (
    "start it again; or, once its machine is off: kubectl taint node {} "
    "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute, and remove the taint when it is back"
)


def ray_pod(name: str, group: str = "headgroup", status: Document = RUNS, **metadata: Any) -> Document:
    """A pod of Ray on a node of its name."""
    kind = "head" if group == "headgroup" else "worker"
    labels = {"ray.io/node-type": kind, "ray.io/group": group}
    return {
        "metadata": {"name": name, "uid": f"uid-of-{name}", "labels": labels, **metadata},
        "spec": {"nodeName": f"node-of-{name}"},
        "status": status,
    }


def restarted(pod: Document, **terminated: Any) -> Document:
    """The pod after its container was started anew."""
    container = {"name": "ray-head" if "head" in pod["metadata"]["name"] else "ray-worker"}
    container |= {"restartCount": 1, "state": {"running": {}}, "lastState": {"terminated": terminated}}
    return {**pod, "status": {**pod["status"], "containerStatuses": [container]}}


def going(pod: Document, world: Observed, seconds: float = 30) -> Document:
    """The pod, deleted, with so many seconds left to end."""
    until = (world.now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": until}}


HEAD, ONE, TWO = ray_pod("head"), ray_pod("one", "workers"), ray_pod("two", "workers")


def with_pods(world: Observed, *pods: Document) -> Observed:
    """The world with these as pods of the newest run."""
    of_run = world.ray_jobs[-1]["metadata"]["labels"]
    return replace(
        world,
        pods=tuple(
            {**pod, "metadata": {**pod["metadata"], "labels": {**pod["metadata"]["labels"], **of_run}}}
            for pod in pods
        ),
    )


@pytest.fixture
def running() -> Observed:
    """A search under way in a head and two workers."""
    return tick(with_pods(searching(), HEAD, ONE, TWO))


HEADS: dict[str, tuple[Document, str]] = {
    "started anew": (
        restarted(
            HEAD, reason="Error", exitCode=137, message="the driver has given no sign of life for 120 s\n"
        ),
        "the head, pod head on node node-of-head, was started anew: the driver has given no sign of life for"
        " 120 s",
    ),
    "started anew without a word": (
        restarted(HEAD, reason="Error", exitCode=137),
        "the head, pod head on node node-of-head, was started anew: Error, exit code 137",
    ),
    "out of memory": (
        restarted(HEAD, reason="OOMKilled", exitCode=137),
        "the head, pod head on node node-of-head, was started anew: it was out of memory; raise the"
        " operator's setting HEAD_MEMORY",
    ),
    "made anew": (ray_pod("head-2"), "the head was made anew as pod head-2 on node node-of-head-2"),
    "evicted by its node": (
        {**HEAD, "status": {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}},
        "the head, pod head on node node-of-head, ended as Failed: Evicted: low on memory",
    ),
    "deleted": (
        going(HEAD, searching()),
        "the head, pod head on node node-of-head, is being deleted",
    ),
    "drained": (
        going(
            ray_pod(
                "head",
                status={
                    "phase": "Running",
                    "conditions": [
                        {"type": "DisruptionTarget", "status": "True", "message": "Eviction API: evicting"}
                    ],
                },
            ),
            searching(),
        ),
        "the head, pod head on node node-of-head, is being deleted: Eviction API: evicting",
    ),
}


@pytest.mark.parametrize(("head", "says"), HEADS.values(), ids=HEADS)
def test_attempt_ends_with_the_head_in_which_its_driver_was(
    running: Observed, head: Document, says: str
) -> None:
    lost = tick(with_pods(running, head, ONE, TWO))
    paused = tick(lost)

    run = status_of(lost).runs[-1]
    assert (run.outcome, run.message) == ("Infrastructure", says)
    assert ray_jobs(lost) == []
    assert conditions(paused)["ClusterReady"] == "False/BackingOff"
    assert ray_jobs(tick(later(paused, 10))) == ["search-2"]


def test_head_that_is_as_it_was_goes_on(running: Observed) -> None:
    assert status_of(tick(running)).runs[-1].outcome == "Running"
    assert status_of(running).runs[-1].head == "uid-of-head/0"


def test_head_that_ends_after_its_driver_had_published_is_no_loss(running: Observed) -> None:
    published = reported(running, phase="Succeeded", conditions=ended("True", "Completed"))

    assert conditions(tick(with_pods(published, going(HEAD, running))))["Succeeded"] == "True/Completed"


def test_head_that_is_made_anew_before_the_cluster_is_ready_is_waited_for() -> None:
    world = with_pods(tick(applied(job())), ray_pod("head", status={"phase": "Pending"}))

    assert status_of(tick(with_pods(tick(world), ray_pod("head-2")))).runs[-1].outcome == "Running"


def test_run_that_kueue_takes_out_is_not_lost(running: Observed) -> None:
    taken_out = ray_job(running, {"jobDeploymentStatus": "Suspending"})

    after = tick(with_pods(taken_out, going(HEAD, running)))
    assert (status_of(after).runs[-1].outcome, status_of(after).phase) == ("Running", "Queued")


def test_search_goes_on_without_a_worker_that_is_lost_with_its_node(running: Observed) -> None:
    world = later(with_pods(running, HEAD, ONE, going(TWO, running)), 46)

    decision = reconcile(world, DEFAULTS)
    after = tick(world)
    where = "pod two on node node-of-two"
    says = f"{where} stays Terminating: the node does not answer; {TAINT.format('node-of-two')}"
    assert conditions(after)["ClusterReady"] == "False/NodeLost"
    assert message(after, "ClusterReady") == says
    assert (status_of(after).phase, status_of(after).message) == ("Searching", says)
    assert "NodeLost" in [getattr(action, "reason", "") for action in decision.actions]


def test_worker_that_has_its_time_to_end_is_not_lost_yet(running: Observed) -> None:
    world = with_pods(running, HEAD, ONE, going(TWO, running))

    assert conditions(tick(world))["ClusterReady"] == "True/Ready"
    assert reconcile(world, DEFAULTS).requeue_after_seconds == 45


def test_node_that_does_not_answer_is_told_before_its_pods_are_given_up(running: Observed) -> None:
    after = tick(with_pods(running, HEAD, ONE, ray_pod("two", "workers", CUT_OFF)))

    assert message(after, "ClusterReady") == (
        "pod two on node node-of-two: the node does not answer; it is waited for"
    )


def test_group_without_a_worker_left_is_another_attempts(running: Observed) -> None:
    after = tick(later(with_pods(running, HEAD, going(ONE, running), going(TWO, running)), 46))

    run = status_of(after).runs[-1]
    assert (run.outcome, run.message) == (
        "Infrastructure",
        "pod one on node node-of-one is lost: the node does not answer",
    )


def test_cluster_that_cannot_get_ready_for_a_lost_node_is_another_attempts() -> None:
    world = with_pods(tick(applied(job())), HEAD, ONE)
    world = with_pods(world, HEAD, ONE, going(TWO, world))

    assert conditions(tick(world))["ClusterReady"] == "False/Starting"
    assert status_of(tick(later(world, 46))).runs[-1].outcome == "Infrastructure"


def test_suspended_job_says_which_node_keeps_its_pod(running: Observed) -> None:
    world = with_pods(running, going(TWO, running))
    suspended = tick(edited(later(world, 60), suspend=True))

    assert conditions(suspended)["Succeeded"] == "Unknown/Suspending"
    assert message(suspended, "Suspended").startswith("pod two on node node-of-two stays Terminating: ")


def test_worker_that_was_out_of_memory_and_runs_again_is_named(running: Observed) -> None:
    after = tick(with_pods(running, HEAD, ONE, restarted(TWO, reason="OOMKilled", exitCode=137)))

    assert conditions(after)["ClusterReady"] == "True/Ready"
    assert message(after, "ClusterReady") == (
        "pod two was out of memory; give the pool more memory in the profile, or each trial less by"
        " spec.resources.search.perTrial.memory"
    )


def test_losses_far_apart_are_not_in_a_row(running: Observed) -> None:
    world = running
    for _ in range(7):
        world = tick(tick(with_pods(later(world, 700), restarted(HEAD), ONE, TWO)))
        world = tick(ray_job(with_pods(tick(later(world, 10)), HEAD, ONE, TWO), READY))

    assert status_of(world).attempt == 8
    assert status_of(world).runs[-1].outcome == "Running"


def test_odd_dates_are_no_reason_to_stop(running: Observed) -> None:
    for date in ("9999-12-31T23:59:59Z", "never", 7):
        pod = {**TWO, "metadata": {**TWO["metadata"], "deletionTimestamp": date}}
        assert status_of(tick(with_pods(running, HEAD, ONE, pod))).runs[-1].outcome == "Running"


def test_pod_in_which_ray_does_not_get_ready_is_named_after_a_while() -> None:
    container = {"name": "ray-head", "state": {"running": {"startedAt": "2026-11-24T08:00:00Z"}}}
    silent = {"phase": "Running", "containerStatuses": [container]}
    world = with_pods(tick(applied(job())), ray_pod("head", status=silent))

    assert message(tick(later(world, 170)), "ClusterReady").endswith("makes its cluster")
    assert message(tick(later(world, 190)), "ClusterReady") == (
        "pod head on node node-of-head runs, but Ray does not answer in it; see kubectl logs head, and that"
        " its image has ray[default]"
    )


def test_losses_again_and_again_are_no_bad_luck(running: Observed) -> None:
    world = running
    while status_of(world).phase != "Failed":
        world = tick(tick(with_pods(later(world, 700), restarted(HEAD), ONE, TWO)))
        if status_of(world).phase != "Failed":
            world = tick(ray_job(with_pods(tick(later(world, 10)), HEAD, ONE, TWO), READY))

    assert status_of(world).attempt == 12
    assert message(world, "Succeeded").startswith(
        "12 attempts were lost in all; the last: the head, pod head "
    )
