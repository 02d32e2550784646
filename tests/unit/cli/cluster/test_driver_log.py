"""What the driver prints, from the pods that follow it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cluster_jobs import cluster_job
from trimtab_cli.cluster.driver_log import followed, submitter_of
from trimtab_cli.cluster.errors import MissingError, UnavailableError
from trimtab_cli.cluster.store import elsewhere, endpoint_of, head_of

Document = dict[str, Any]
RUNNING = cluster_job("Searching", "Searching")
ENDED = cluster_job("Completed", "Succeeded")
BROKEN = UnavailableError("broken off")


def pod(name: str, container: str = "ray-job-submitter", phase: str = "Running") -> Document:
    return {
        "metadata": {"name": name, "namespace": "vision"},
        "spec": {"containers": [{"name": container}]},
        "status": {"phase": phase},
    }


class World:
    """A job, its pods and their logs, one look after the other."""

    def __init__(
        self, looks: list[tuple[Document, list[Document]]], logs: dict[str, list[list[Any]]]
    ) -> None:
        self.looks, self.logs = looks, logs
        self.asked: list[dict[str, str]] = []

    def get(self, name: str) -> Document:
        return self.looks[0][0]

    def pods(self, job: str) -> list[Document]:
        return self.looks[0][1]

    def log(self, pod: str, container: str, **query: str) -> Iterator[bytes]:
        self.asked.append(query)
        for each in self.logs[pod].pop(0):
            if isinstance(each, Exception):
                raise each
            yield each

    def pause(self) -> None:
        self.looks.pop(0)

    def told(self, tail: int | None = None) -> list[str]:
        return list(followed(self, "digits", tail, self.pause))


def test_newest_submitter_that_has_begun_has_the_log():
    pods = [pod("one", phase="Succeeded"), pod("head", "ray-head"), pod("two"), pod("three", phase="Pending")]
    assert submitter_of(pods) == "two"
    assert submitter_of([pod("head", "ray-head")]) is None


def test_log_is_followed_from_run_to_run_until_the_job_has_ended():
    looks = [(RUNNING, []), (RUNNING, [pod("one")]), (ENDED, [pod("one"), pod("two", phase="Succeeded")])]
    world = World(looks, {"one": [[b"t1 a\n", b"t2 b\n"]], "two": [[b"t3 c\n"]]})
    assert world.told() == ["a\n", "b\n", "c\n"]


def test_log_that_breaks_off_goes_on_after_its_last_line():
    looks = [(RUNNING, [pod("one")]), (ENDED, [pod("one", phase="Succeeded")])]
    world = World(looks, {"one": [[b"t1 a\n", b"t2 b\n", BROKEN], [b"t1 a\n", b"t2 b\n", b"t3 c\n"]]})
    assert world.told(tail=5) == ["a\n", "b\n", "c\n"]
    assert [each.get("tailLines") for each in world.asked] == ["5", None]
    assert world.asked[1]["sinceTime"] == "t2"


def test_ended_job_without_its_pod_has_no_log():
    with pytest.raises(MissingError, match="trimtab logs digits --trial N"):
        World([(ENDED, [])], {}).told()


READING = "trimtab logs s3://models/digits 3"


@pytest.mark.parametrize(
    ("place", "head", "endpoint", "told"),
    [
        pytest.param(
            "s3://models",
            pod("head-1", "ray-head"),
            "",
            f"in the job's head this reads it: kubectl exec -n vision head-1 -c ray-head -- {READING}",
            id="head-runs",
        ),
        pytest.param(
            "file:///trimtab/store/a", None, "", "mount its claim in a pod at /trimtab/store;", id="claim"
        ),
        pytest.param(
            "s3://models", None, "http://s3:9000", f"AWS_ENDPOINT_URL=http://s3:9000 {READING}", id="s3"
        ),
        pytest.param("gs://models", None, "", f"where it is reached, this reads it: {READING}", id="gs"),
    ],
)
def test_store_that_is_not_reached_has_a_command_that_reads_it(
    place: str, head: Document | None, endpoint: str, told: str
):
    assert told in elsewhere(place, READING, head, endpoint)


def test_head_that_runs_is_found():
    assert head_of([pod("a", "ray-head", "Succeeded"), pod("b", "ray-head"), pod("c")]) == pod(
        "b", "ray-head"
    )
    assert head_of([pod("c")]) is None


@pytest.mark.parametrize(
    ("plan", "endpoint"),
    [
        (None, ""),
        ({"data": {"profile.json": "{"}}, ""),
        ({"data": {"profile.json": '{"spec": {"store": {"endpoint": "http://s3:9000"}}}'}}, "http://s3:9000"),
    ],
)
def test_endpoint_of_the_store_is_in_the_pinned_profile(plan: Document | None, endpoint: str):
    assert endpoint_of(plan) == endpoint
