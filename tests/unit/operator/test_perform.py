"""Deletions: what was observed goes, what was not only if it is the job's."""

from typing import Any

import pytest

from tests.support.operators import Vision
from tests.support.virtual_time import run
from tests.support.worlds import job
from trimtab_operator.kinds import KINDS
from trimtab_operator.perform import perform
from trimtab_operator.world import Delete, Observed

ROLE = KINDS["Role"]


@pytest.fixture
def started() -> Vision:
    """A job whose children are there."""
    vision = Vision()
    vision.put(job())
    vision.look()
    return vision


def delete(vision: Vision, manifest: dict[str, Any]) -> None:
    run(perform(vision.cluster, vision.view, Observed(vision.now, vision.job()), Delete(manifest)))


def test_observed_child_goes(started: Vision) -> None:
    delete(started, started.ray_job())

    assert started.cluster.all(KINDS["RayJob"]) == []


def test_child_that_was_not_observed_goes_if_it_is_the_jobs(started: Vision) -> None:
    role = started.only(ROLE)
    del role["metadata"]["uid"]
    delete(started, role)
    delete(started, role)

    assert started.cluster.all(ROLE) == []


def test_strangers_object_of_a_childs_name_stays(started: Vision) -> None:
    role = started.only(ROLE)
    started.cluster.remove(role)
    theirs = started.put(role | {"metadata": {"name": "digits-driver", "namespace": "vision"}})
    del role["metadata"]["uid"]
    delete(started, role)

    assert started.only(ROLE) == theirs
