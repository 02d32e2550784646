"""A job as it changes, through restarts of the API server and expired watches."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cluster_jobs import cluster_job
from trimtab_cli.cluster.errors import ExpiredError, MissingError, UnavailableError
from trimtab_cli.cluster.following import PATIENCE_SECONDS, Clock, DeletedError, TimeUpError, states

Document = dict[str, Any]
AWAY = UnavailableError("the API server is away")
GONE = MissingError("no such job")


def version(number: int, uid: str = "uid-1") -> Document:
    job = cluster_job()
    return {**job, "metadata": {**job["metadata"], "resourceVersion": str(number), "uid": uid}}


class Script:
    """A server that gives what is written: of reads a job or an error, of watches what they tell."""

    def __init__(self, reads: list[Any], watches: list[list[Any]] | None = None) -> None:
        self.reads, self.watches = reads, watches or []
        self.time = 0.0
        self.said: list[str] = []
        self.clock = Clock(self.said.append, lambda: self.time, self.pass_time)

    def get(self, name: str) -> Document:
        found = self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
        if isinstance(found, Exception):
            raise found
        return dict(found)

    def watch(self, job: Document, seconds: float) -> Iterator[tuple[str, Document]]:
        for each in self.watches.pop(0) if self.watches else []:
            if isinstance(each, Exception):
                raise each
            yield each

    def pass_time(self, seconds: float) -> None:
        self.time += seconds

    def versions(self, count: int, deadline: float | None = None) -> list[str]:
        found = states(self, "digits", self.clock, deadline)
        return [next(found)["metadata"]["resourceVersion"] for _ in range(count)]


def test_every_change_is_told_and_marks_are_not():
    script = Script([version(1)], [[("BOOKMARK", {}), ("MODIFIED", version(2)), ("MODIFIED", version(3))]])
    assert script.versions(3) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param([], id="it-ends"),
        pytest.param([ExpiredError("too old")], id="it-has-expired"),
        pytest.param([AWAY], id="it-breaks-off"),
    ],
)
def test_after_a_watch_the_job_is_read_again(end: list[Any]):
    script = Script([version(1), version(5)], [[("MODIFIED", version(2)), *end]])
    assert script.versions(3) == ["1", "2", "5"]


def test_server_that_is_away_is_asked_again_and_that_is_said_once():
    script = Script([version(1), *[AWAY] * 8, version(2)])
    assert script.versions(2) == ["1", "2"]
    assert script.said == ["the API server is away; asking again", "the API server answers again"]


def test_server_that_is_away_for_a_moment_is_not_spoken_of():
    script = Script([version(1), AWAY, AWAY, version(2)])
    assert script.versions(2) == ["1", "2"]
    assert script.said == []


def test_server_that_is_away_for_long_ends_it():
    script = Script([version(1), AWAY])
    with pytest.raises(UnavailableError, match="away"):
        script.versions(2)
    assert PATIENCE_SECONDS <= script.time < PATIENCE_SECONDS + 20


@pytest.mark.parametrize("error", [AWAY, GONE], ids=["away", "no-such-job"])
def test_what_is_wrong_at_first_ends_it_at_once(error: Exception):
    script = Script([error])
    with pytest.raises(type(error)):
        script.versions(1)
    assert script.time == 0


@pytest.mark.parametrize(
    ("reads", "watch"),
    [
        pytest.param([version(1)], [("DELETED", version(2))], id="in-a-watch"),
        pytest.param([version(1), GONE], [], id="between-two"),
        pytest.param([version(1), version(2, uid="uid-2")], [], id="and-made-anew"),
        pytest.param([version(1)], [("ADDED", version(2, uid="uid-2"))], id="and-made-anew-in-a-watch"),
    ],
)
def test_deleted_job_ends_it(reads: list[Any], watch: list[Any]):
    with pytest.raises(DeletedError, match="digits was deleted"):
        Script(reads, [watch]).versions(2)


@pytest.mark.parametrize("later", [version(1), AWAY], ids=["watching", "away"])
def test_deadline_ends_it(later: Any):
    script = Script([version(1), later])
    with pytest.raises(TimeUpError):
        script.versions(1000, deadline=30.0)
    assert script.time == pytest.approx(30.0, abs=1.0)
