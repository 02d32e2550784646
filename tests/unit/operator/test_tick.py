"""One look at a job: what is asked of the API server, in which order, and what is left when it fails."""

import asyncio
import json

import pytest

from tests.support.operators import DIGITS, Vision
from tests.support.virtual_time import run
from tests.support.worlds import READY, SUCCEEDED, job
from trimtab_operator.errors import (
    ConflictError,
    ForbiddenError,
    ForeignError,
    GoneError,
    InvalidError,
    NotServedError,
    RefusedError,
    TransientError,
)
from trimtab_operator.kinds import CONFIG_MAP, EVENT, JOB, RAY_JOB

NAME = "digits-s0-a1"


@pytest.fixture
def vision() -> Vision:
    """A job that was just applied."""
    vision = Vision()
    vision.put(job())
    return vision


@pytest.fixture
def started(vision: Vision) -> Vision:
    """A job whose first RayJob is there."""
    vision.look()
    vision.asked()
    return vision


def ray_job_is(vision: Vision, **status: str) -> None:
    """KubeRay says so."""
    vision.put(vision.ray_job() | {"status": status})


def test_new_job_is_read_and_given_its_children_and_a_status_in_order(vision: Vision) -> None:
    name = f"{NAME}-{'x' * 8}"
    vision.look()

    asked = [each.replace(vision.ray_job()["metadata"]["name"][-8:], "x" * 8) for each in vision.asked()]
    emitted = [each for each in asked if each.startswith("emit")]
    assert [each for each in asked if each not in emitted] == [
        "get OptimizationJob digits",
        "get Namespace vision",
        "apply ConfigMap digits-plan",
        "apply ConfigMap digits-report",
        "apply ServiceAccount digits-driver",
        "apply Role digits-driver",
        "apply NetworkPolicy digits-ray",
        "apply RoleBinding digits-driver",
        f"create RayJob {name}",
        "write_status OptimizationJob digits",
    ]
    assert vision.job()["status"]["phase"] == "Starting"


def test_children_are_applied_at_the_same_time_but_a_binding_after_its_role(vision: Vision) -> None:
    vision.cluster.apply_seconds = 1.0

    async def look() -> float:
        await vision.tick(DIGITS)
        return asyncio.get_running_loop().time()

    assert run(look()) == 2
    assert [each.split()[0] for each in vision.asked()].count("apply") == 6


def test_what_is_wrong_with_one_child_is_said_once_all_were_tried(vision: Vision) -> None:
    vision.cluster.failures += [
        ("apply ConfigMap vision/digits-plan", ForbiddenError("no")),
        ("apply Role ", GoneError("gone")),
    ]

    with pytest.raises(ForbiddenError):
        vision.look()

    assert [each for each in vision.asked() if each.startswith("apply")] == [
        "apply ConfigMap digits-plan",
        "apply ConfigMap digits-report",
        "apply ServiceAccount digits-driver",
        "apply Role digits-driver",
        "apply NetworkPolicy digits-ray",
    ]
    assert vision.cluster.all(RAY_JOB) == []


def test_object_of_the_user_is_not_touched(vision: Vision) -> None:
    before = vision.job()
    vision.look()

    after = vision.job()
    for metadata in (before["metadata"], after["metadata"]):
        del metadata["resourceVersion"]
    assert (after["metadata"], after["spec"]) == (before["metadata"], before["spec"])


def test_second_look_asks_nothing(started: Vision) -> None:
    started.look()

    assert started.asked() == []


def test_own_writes_are_known_before_a_watch_tells_of_them(started: Vision) -> None:
    for kind in (RAY_JOB, CONFIG_MAP, JOB):
        for each in started.cluster.all(kind):
            assert not started.view.hear(kind, each)


def test_status_follows_without_a_second_look_when_nothing_is_made(started: Vision) -> None:
    ray_job_is(started, **READY)
    started.look()

    assert started.asked() == ["write_status OptimizationJob digits"]
    assert started.condition("ClusterReady")["status"] == "True"


def test_ray_job_that_ended_in_the_meantime_is_not_taken_for_lost(started: Vision) -> None:
    started.view.lose(RAY_JOB, started.ray_job())  # a watch tells of a deletion that is none
    started.look()

    assert started.asked()[:2] == [
        "get OptimizationJob digits",
        f"get RayJob {started.ray_job()['metadata']['name']}",
    ]
    assert started.job()["status"]["attempt"] == 1


def test_ray_job_whose_deletion_no_watch_told_of_is_found_gone(started: Vision) -> None:
    ray_job_is(started, **READY)
    started.look()
    gone = started.ray_job()
    started.cluster.remove(gone)
    started.put(started.job() | {"spec": started.job()["spec"] | {"suspend": True}})
    started.look()

    assert started.view.children(RAY_JOB, DIGITS) == ()


def test_run_is_set_aside_before_its_ray_job_is_deleted(started: Vision) -> None:
    name = started.ray_job()["metadata"]["name"]
    ray_job_is(started, **READY)
    started.look()
    started.asked()
    started.put(started.job() | {"spec": started.job()["spec"] | {"suspend": True}})
    started.look()

    done = [each for each in started.asked() if each.startswith(("write", "delete"))]
    assert done == ["write_status OptimizationJob digits", f"delete RayJob {name}"]


def test_report_is_read_after_the_ray_job_that_has_ended(started: Vision) -> None:
    name = started.ray_job()["metadata"]["name"]
    ray_job_is(started, **SUCCEEDED)
    started.look()

    reads = [each for each in started.asked() if each.startswith("get")]
    assert reads[:4] == [
        "get OptimizationJob digits",
        f"get RayJob {name}",
        "get ConfigMap digits-report",
        "get ConfigMap digits-plan",
    ]


def test_job_that_changed_meanwhile_is_looked_at_anew_at_once(started: Vision) -> None:
    ray_job_is(started, **READY)
    started.cluster.put(started.job() | {"spec": started.job()["spec"] | {"retry": 0, "suspend": False}})
    started.look()

    asked = started.asked()
    assert asked[0] == asked[-1] == "write_status OptimizationJob digits"
    assert started.condition("ClusterReady")["status"] == "True"


def test_job_that_changes_time_and_again_is_a_conflict(started: Vision) -> None:
    ray_job_is(started, **READY)
    started.cluster.failures += [("write_status", ConflictError("changed"))] * 2

    with pytest.raises(ConflictError):
        started.look()


@pytest.mark.parametrize("request_", ["apply ConfigMap", "apply Role ", "create RayJob", "write_status"])
def test_failure_that_passes_leaves_the_status_alone_and_the_next_look_goes_on(
    vision: Vision, request_: str
) -> None:
    vision.cluster.failures.append((request_, TransientError("unavailable")))

    with pytest.raises(TransientError):
        vision.look()
    assert vision.job()["status"]["observedGeneration"] == -1

    vision.look()
    assert len(vision.cluster.all(RAY_JOB)) == 1
    assert vision.job()["status"]["attempt"] == 1


def test_refusal_is_said_in_the_status_and_gone_when_it_no_longer_holds(vision: Vision) -> None:
    quota = "cannot create RayJob vision/digits: exceeded quota: count/rayjobs.ray.io=0"
    vision.cluster.failures.append(("create RayJob", ForbiddenError(quota)))

    with pytest.raises(ForbiddenError):
        vision.look()
    said = vision.condition("ClusterReady")
    vision.look()

    assert (said["status"], said["reason"], said["message"]) == ("False", "Forbidden", quota)
    assert vision.condition("ClusterReady")["reason"] == "Starting"


def test_refusal_that_lasts_is_written_once(vision: Vision) -> None:
    vision.cluster.failures += [("apply ConfigMap vision/digits-plan", ForbiddenError("no"))] * 2
    for _ in range(2):
        with pytest.raises(ForbiddenError):
            vision.look()

    assert len(vision.statuses) == 1


def test_name_that_is_taken_is_not_taken_over(vision: Vision) -> None:
    metadata = {"name": "digits-plan", "namespace": "vision"}
    theirs = vision.cluster.put(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
    )

    with pytest.raises(ForeignError):
        vision.look()

    assert vision.cluster.find(CONFIG_MAP, "digits-plan") == theirs
    assert vision.condition("ClusterReady")["reason"] == "NameTaken"


def test_kuberay_that_vanished_is_said_at_the_next_look(vision: Vision) -> None:
    vision.cluster.missing.add("RayJob")

    with pytest.raises(NotServedError):
        vision.look()
    vision.look()

    assert vision.condition("ClusterReady")["reason"] == "KubeRayNotInstalled"


def test_other_kind_that_is_not_served_says_nothing_about_kuberay(vision: Vision) -> None:
    vision.cluster.failures.append(("apply NetworkPolicy", NotServedError("not served")))

    with pytest.raises(NotServedError):
        vision.look()

    assert vision.view.has_kuberay


@pytest.mark.parametrize("error", [ForbiddenError("no"), ForeignError("taken"), InvalidError("too long")])
def test_refusal_is_told_as_an_event_once(vision: Vision, error: RefusedError) -> None:
    vision.cluster.failures += [("apply ConfigMap vision/digits-plan", error)] * 2
    for _ in range(2):
        with pytest.raises(type(error)):
            vision.look()

    told = [(each["type"], each["reason"], each["message"]) for each in vision.cluster.all(EVENT)]
    assert told == [("Warning", error.reason, str(error))]
    assert len([each for each in vision.asked() if each.startswith("emit")]) == 1


def test_status_that_the_server_does_not_take_is_written_without_the_report(started: Vision) -> None:
    ray_job_is(started, **READY)
    report = json.dumps(
        {"name": "digits", "phase": "Searching", "best": {"trial": 7, "metrics": {"accuracy": 0.9}}}
    )
    segment = started.ray_job()["metadata"]["labels"]["trimtab.io/segment"]
    data = {"report.json": report, "attempt": "1", "segment": segment}
    started.put((started.cluster.find(CONFIG_MAP, "digits-report") or {}) | {"data": data})
    started.cluster.failures.append(("write_status", InvalidError("status.best: Invalid value")))
    started.look()

    status = started.job()["status"]
    assert "best" not in status
    assert (status["phase"], status["message"]) == (
        "Searching",
        "what the driver found cannot be shown: status.best: Invalid value",
    )


def test_status_that_is_never_taken_is_a_failure(started: Vision) -> None:
    ray_job_is(started, **READY)
    started.cluster.failures += [("write_status", InvalidError("no"))] * 2

    with pytest.raises(InvalidError):
        started.look()


def test_nothing_more_is_written_once_the_lease_has_run_out(vision: Vision) -> None:
    vision.cluster.before = lambda request: request.startswith("apply Role ") and vision.lose_lease()

    with pytest.raises(TransientError, match="the Lease has run out"):
        vision.look()

    assert vision.cluster.all(RAY_JOB) == []
    assert vision.statuses == []


def test_deleted_job_is_nothing_to_do(vision: Vision) -> None:
    vision.cluster.remove(vision.job())
    live = vision.look()
    vision.view.lose(JOB, job() | {"metadata": job()["metadata"] | {"resourceVersion": "1000"}})

    assert (live, vision.look()) == (None, None)
    assert vision.cluster.all(RAY_JOB) == []


def test_job_that_is_deleted_before_its_status_is_written(started: Vision) -> None:
    ray_job_is(started, **READY)
    started.cluster.failures.append(("write_status", GoneError("gone")))
    written = len(started.statuses)
    started.look()

    assert len(started.statuses) == written


def test_event_that_cannot_be_told_is_no_failure(vision: Vision) -> None:
    vision.cluster.failures.append(("emit", ForbiddenError("no")))
    vision.look()

    assert vision.cluster.all(EVENT) == []
    assert vision.job()["status"]["phase"] == "Starting"
