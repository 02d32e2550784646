"""The view: what watches tell, late or never, and full lists that put it right."""

from typing import Any

import pytest

from trimtab_operator.kinds import CONFIG_MAP, JOB, POD, PROFILE, RAY_JOB, Kind
from trimtab_operator.view import View, version_of
from trimtab_operator.world import Key

DIGITS = Key("vision", "digits")


def an(kind: Kind, name: str, version: int, job: str = "digits", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "vision", "uid": name, "resourceVersion": str(version)}
    labels = {} if kind in (JOB, PROFILE) else {"labels": {"trimtab.io/job": job}}
    kinds = {"apiVersion": kind.api_version, "kind": kind.name}
    return {**kinds, "metadata": metadata | labels, "spec": {}, **fields}


def phase(view: View) -> Any:
    job = view.job(DIGITS)
    return job and job["status"]["phase"]


def in_phase(name: str, version: int) -> dict[str, Any]:
    return an(JOB, "digits", version, status={"phase": name})


def test_object_is_as_it_was_told() -> None:
    view = View()

    view.hear(JOB, in_phase("Queued", 7))

    assert view.job(DIGITS) == in_phase("Queued", 7)
    assert view.jobs() == [DIGITS]


@pytest.mark.parametrize(
    ("then", "is_news"),
    [
        pytest.param(in_phase("Searching", 8), True, id="newer"),
        pytest.param(in_phase("Queued", 8), False, id="newer and the same"),
        pytest.param(in_phase("Searching", 7), False, id="told twice"),
        pytest.param(in_phase("Searching", 6), False, id="older"),
    ],
)
def test_only_what_is_newer_and_different_is_news(then: dict[str, Any], is_news: bool) -> None:
    view = View()
    view.hear(JOB, in_phase("Queued", 7))

    assert view.hear(JOB, then) == is_news
    assert phase(view) == ("Searching" if is_news else "Queued")


def test_own_write_is_no_news_when_a_watch_tells_of_it() -> None:
    view = View()
    view.take(JOB, in_phase("Queued", 7))

    assert not view.hear(JOB, in_phase("Queued", 7))


def test_version_is_known_also_of_what_has_not_changed() -> None:
    view = View()
    view.hear(JOB, in_phase("Queued", 7))
    view.hear(JOB, in_phase("Queued", 9))

    job = view.job(DIGITS)
    assert job is not None
    assert version_of(job) == 9


def test_children_are_found_by_job() -> None:
    view = View()
    for name, job in (("b", "digits"), ("a", "digits"), ("c", "other")):
        view.hear(RAY_JOB, an(RAY_JOB, name, 1, job))
    view.hear(POD, an(POD, "head", 1))

    assert [each["metadata"]["name"] for each in view.children(RAY_JOB, DIGITS)] == ["a", "b"]
    assert [each["metadata"]["name"] for each in view.children(POD, DIGITS)] == ["head"]
    assert view.children(CONFIG_MAP, DIGITS) == ()


def test_child_that_is_labelled_anew_is_the_other_jobs() -> None:
    view = View()
    view.hear(RAY_JOB, an(RAY_JOB, "a", 1, "digits"))
    view.hear(RAY_JOB, an(RAY_JOB, "a", 2, "other"))

    assert view.children(RAY_JOB, DIGITS) == ()
    assert len(view.children(RAY_JOB, Key("vision", "other"))) == 1


def test_deleted_object_is_gone_and_stays_so_for_those_who_come_late() -> None:
    view = View()
    view.hear(RAY_JOB, an(RAY_JOB, "a", 5))

    assert view.lose(RAY_JOB, an(RAY_JOB, "a", 6))
    assert not view.lose(RAY_JOB, an(RAY_JOB, "a", 6))
    assert not view.take(RAY_JOB, an(RAY_JOB, "a", 5))
    assert view.children(RAY_JOB, DIGITS) == ()


def test_deletion_of_an_earlier_object_does_not_take_away_its_successor() -> None:
    view = View()
    view.hear(RAY_JOB, an(RAY_JOB, "a", 5))
    view.take(RAY_JOB, an(RAY_JOB, "a", 9))

    assert not view.lose(RAY_JOB, an(RAY_JOB, "a", 6))
    assert len(view.children(RAY_JOB, DIGITS)) == 1


def test_full_list_brings_what_was_missed_and_drops_what_is_gone() -> None:
    view = View()
    view.hear(RAY_JOB, an(RAY_JOB, "old", 5))
    view.hear(RAY_JOB, an(RAY_JOB, "gone", 5))

    refresh = view.refresh(RAY_JOB)
    refresh.add(an(RAY_JOB, "old", 6))
    refresh.add(an(RAY_JOB, "new", 7))
    refresh.finish("8")

    names = [(each["metadata"]["name"], version_of(each)) for each in view.children(RAY_JOB, DIGITS)]
    assert names == [("new", 7), ("old", 6)]


def test_full_list_does_not_undo_what_came_after_it() -> None:
    view = View()
    view.hear(RAY_JOB, an(RAY_JOB, "changed", 5))
    view.hear(RAY_JOB, an(RAY_JOB, "deleted", 5))

    refresh = view.refresh(RAY_JOB)
    view.hear(RAY_JOB, an(RAY_JOB, "changed", 9, status={"jobStatus": "RUNNING"}))
    view.hear(RAY_JOB, an(RAY_JOB, "created", 10))
    view.lose(RAY_JOB, an(RAY_JOB, "deleted", 11))
    refresh.add(an(RAY_JOB, "changed", 5))
    refresh.add(an(RAY_JOB, "deleted", 5))
    refresh.finish("8")

    names = [(each["metadata"]["name"], version_of(each)) for each in view.children(RAY_JOB, DIGITS)]
    assert names == [("changed", 9), ("created", 10)]


def rounds(view: View, *versions: int) -> int:
    """Changes that the last of some rounds finds missed; these are the versions that they hold."""
    missed = 0
    for version in versions:
        refresh = view.refresh(JOB, is_round=True)
        refresh.add(in_phase(f"at {version}", version))
        refresh.finish(str(version))
        missed = refresh.missed
    return missed


def test_watch_that_tells_of_everything_misses_nothing() -> None:
    view = View()
    view.hear(JOB, in_phase("at 5", 5))
    rounds(view, 5, 7)
    view.hear(JOB, in_phase("at 7", 7))

    assert rounds(view, 7) == 0


def test_watch_that_has_not_told_of_a_change_by_the_next_round_has_missed_it() -> None:
    view = View()
    view.hear(JOB, in_phase("at 5", 5))

    assert rounds(view, 7) == 0
    assert rounds(view, 7) == 1


def test_list_that_is_no_round_judges_nothing() -> None:
    view = View()
    rounds(view, 5)

    refresh = view.refresh(JOB)
    refresh.add(in_phase("at 6", 6))

    assert refresh.missed == 0


def test_jobs_are_counted_by_phase() -> None:
    view = View()
    for number, name in enumerate(["Queued", "Searching", "Searching", ""]):
        view.hear(JOB, an(JOB, f"job-{number}", 1, status={"phase": name} if name else {}))
    view.hear(JOB, an(JOB, "job-1", 2, status={"phase": "Succeeded"}))

    assert view.phases() == {"Queued": 1, "Searching": 1, "Succeeded": 1, "Pending": 1}


def test_bookkeeping_and_strangers_annotations_are_not_kept() -> None:
    view = View()
    profile = an(PROFILE, "cpu", 1)
    own = {"trimtab.io/is-default-profile": "true"}
    extra = {
        "managedFields": [{"manager": "kubectl"}],
        "annotations": own | {"kubectl.kubernetes.io/x": "{}"},
    }

    view.hear(PROFILE, {**profile, "metadata": profile["metadata"] | extra})

    assert view.profiles() == ({**profile, "metadata": profile["metadata"] | {"annotations": own}},)


def test_of_ray_jobs_and_pods_only_what_tells_how_far_they_are_is_kept() -> None:
    view = View()
    groups = [{"groupName": "search", "replicas": 2, "template": {"spec": {"containers": []}}}]
    cluster = {"rayClusterSpec": {"headGroupSpec": {}, "workerGroupSpecs": groups}}
    status = {"jobStatus": "RUNNING", "rayClusterStatus": {"state": "ready", "head": {"podIP": "10.0.0.1"}}}
    view.hear(
        RAY_JOB, an(RAY_JOB, "a", 1, spec={"entrypoint": "x", "suspend": True, **cluster}, status=status)
    )
    view.hear(
        POD,
        an(
            POD,
            "head",
            1,
            spec={"containers": [], "nodeName": "cpu-1"},
            status={"phase": "Running", "podIP": "10.0.0.1"},
        ),
    )

    (ray_job,), (pod,) = view.children(RAY_JOB, DIGITS), view.children(POD, DIGITS)
    sizes = [{"groupName": "search", "replicas": 2}]
    assert ray_job["spec"] == {"suspend": True, "rayClusterSpec": {"workerGroupSpecs": sizes}}
    assert ray_job["status"] == {"jobStatus": "RUNNING", "rayClusterStatus": {"state": "ready"}}
    assert (pod["spec"], pod["status"]) == ({"nodeName": "cpu-1"}, {"phase": "Running"})
