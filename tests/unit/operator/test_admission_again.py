"""Admission once more: when a job that could not run, or failed, takes its profile as it is then."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.worlds import (
    INITIALIZING,
    PROFILE,
    Document,
    applied,
    conditions,
    edited,
    job,
    ray_job,
    ray_jobs,
    searching,
    status_of,
    tick,
)
from trimtab_operator.world import Observed

IMAGE = f"registry.example.org/mended@sha256:{'a' * 64}"
MENDED: Document = {**PROFILE, "spec": {**PROFILE["spec"], "images": {"worker": IMAGE}}}


def resumed(world: Observed, **spec: Any) -> Observed:
    """The world after the profile was mended, and the job suspended and resumed."""
    world = tick(tick(edited(replace(world, profiles=(MENDED,)), suspend=True)))
    return tick(edited(world, suspend=False, **spec))


def waiting() -> Observed:
    """A job whose cluster was never ready, as its image is wrong."""
    return tick(ray_job(tick(applied(job())), INITIALIZING))


MENDING: dict[str, tuple[Any, bool]] = {
    "a job that never ran": (lambda: resumed(waiting()), True),
    "the same, for the second time": (lambda: resumed(resumed(waiting())), True),
    "a job that ran": (lambda: resumed(searching()), False),
    "a job that ran and is to be tried again": (lambda: resumed(searching(), retry=1), True),
}


@pytest.mark.parametrize(("change", "is_mended"), MENDING.values(), ids=MENDING)
def test_resumed_job_takes_its_profile_as_it_is_if_it_never_ran_or_is_tried_again(
    change: Any, is_mended: bool
) -> None:
    world = change()

    assert (IMAGE in json.dumps(world.ray_jobs)) == is_mended
    assert conditions(world)["Accepted"] == "True/Admitted"
    assert status_of(world).attempt == status_of(world).runs[-1].attempt == len(status_of(world).runs)


def test_resumed_job_that_never_ran_waits_for_a_profile_that_is_gone() -> None:
    world = tick(tick(edited(replace(waiting(), profiles=()), suspend=True)))
    world = tick(edited(world, suspend=False))
    assert conditions(world)["Succeeded"] == "Unknown/ProfileNotFound"

    assert ray_jobs(tick(replace(world, profiles=(MENDED,)))) == ["search-2"]


def test_resumed_job_whose_edit_is_not_understood_keeps_its_profile() -> None:
    world = resumed(waiting(), novelty=1)

    assert conditions(world)["Accepted"] == "True/EditRefused"
    assert IMAGE not in json.dumps(world.ray_jobs)
