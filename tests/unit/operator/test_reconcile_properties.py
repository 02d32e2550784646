"""What holds whatever happens: random worlds, reconciled again and again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.kstatus_rules import kstatus
from tests.support.world_strategies import Happening, anything, histories, specs
from tests.support.worlds import (
    DEFAULTS,
    READY,
    SPEC,
    SUCCEEDED,
    Document,
    applied,
    as_stored,
    edited,
    job,
    performed,
    ray_job,
    searching,
    status_of,
    tick,
)
from trimtab_api.status import JobStatus
from trimtab_operator.conditions import REASONS, has_ended
from trimtab_operator.ray_jobs import is_over
from trimtab_operator.reconcile import reconcile
from trimtab_operator.trim import LARGEST_STATUS, size_of
from trimtab_operator.world import Apply, Create, Decision, Delete, Observed

quietly = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SETTLING_TICKS = 5
"""A job ends, its RayJob is deleted, the next one begins: a world that stands still needs no more."""


@quietly
@given(specs, histories)
def test_whatever_happens(spec: Document, history: list[Happening]) -> None:
    for world, decision in decisions(spec, history):
        assert_status_is_valid_small_and_in_known_words(decision)
        assert_nothing_more_is_to_be_done(world, decision)
        assert_an_ended_job_stays_as_it_is(world, decision)
        assert_no_segment_has_two_ray_jobs(world, decision)
        assert_kstatus_says_what_the_table_says(world, decision, spec)
        assert_attempts_and_cost_never_shrink(world, decision)
        assert_times_move_with_a_status_only(world, decision)


def decisions(spec: Document, history: list[Happening]) -> Iterator[tuple[Observed, Decision]]:
    """Each world of a history, with what was decided in it, as often as it takes to settle."""
    world = applied(job(**spec))
    for happening in (lambda world: world, *history):
        world = happening(world)
        for _ in range(SETTLING_TICKS):
            decision = reconcile(world, DEFAULTS)
            yield world, decision
            world = performed(world, decision)
            if not decision.actions:
                break
        assert reconcile(world, DEFAULTS).actions == ()


def assert_status_is_valid_small_and_in_known_words(decision: Decision) -> None:
    status = JobStatus.model_validate(decision.status)
    json.dumps(decision.status, allow_nan=False, ensure_ascii=False).encode()
    assert size_of(status) <= LARGEST_STATUS
    assert all(each.reason in REASONS[each.type] for each in status.conditions)


def assert_nothing_more_is_to_be_done(world: Observed, decision: Decision) -> None:
    if any(isinstance(action, Delete) for action in decision.actions):
        return  # what is gone makes room for what comes next
    if decision.status_first:
        return  # it has ended: what follows, at once where spec.retry was raised before, is for the next look
    again = reconcile(performed(world, decision), DEFAULTS)
    assert (as_stored(again.status), again.actions) == (as_stored(decision.status), ())


def assert_an_ended_job_stays_as_it_is(world: Observed, decision: Decision) -> None:
    before, after = status_of(world), JobStatus.model_validate(decision.status)
    if has_ended(before.conditions) and world.job["spec"].get("retry", 0) <= before.retry:
        assert of_any_generation(after) == of_any_generation(before)
        assert not any(isinstance(action, Create | Apply) for action in decision.actions)


def of_any_generation(status: JobStatus) -> JobStatus:
    """All but what follows the spec of an ended job, too: its generation, and whether an edit was refused."""
    conditions = tuple(
        each.model_copy(update={"observed_generation": 0})
        for each in status.conditions
        if each.type != "Accepted"
    )
    return status.model_copy(update={"observed_generation": 0, "conditions": conditions, "cleared": None})


def assert_no_segment_has_two_ray_jobs(world: Observed, decision: Decision) -> None:
    left = performed(world, decision).ray_jobs
    segments = [each["metadata"]["labels"]["trimtab.io/segment"] for each in left]
    assert len(segments) == len(set(segments))
    assert sum(not is_over(each) for each in left) <= 1


def assert_kstatus_says_what_the_table_says(world: Observed, decision: Decision, spec: Document) -> None:
    status = JobStatus.model_validate(decision.status)
    found = {each.type: each.status for each in status.conditions}
    is_early = found["Ready"] == "True" and found["Succeeded"] == "Unknown"
    assert not is_early or (found["Accepted"] == "True" and spec.get("readyPolicy") == "Accepted")
    expected = {"Succeeded": "Current", "Failed": "Failed"}.get(status.phase, "InProgress")
    assert kstatus({**world.job, "status": decision.status}) == ("Current" if is_early else expected)


def assert_attempts_and_cost_never_shrink(world: Observed, decision: Decision) -> None:
    before, after = status_of(world), JobStatus.model_validate(decision.status)
    assert after.attempt >= before.attempt
    assert (after.cost.seconds or 0) >= (before.cost.seconds or 0) - 0.01


def assert_times_move_with_a_status_only(world: Observed, decision: Decision) -> None:
    before = {each.type: each for each in status_of(world).conditions}
    for each in JobStatus.model_validate(decision.status).conditions:
        old = before.get(each.type)
        stays = old is not None and old.status == each.status
        expected = old.last_transition_time if old and stays else world.now.replace(microsecond=0)
        assert each.last_transition_time == expected


edits = st.one_of(
    st.builds(
        lambda parallelism, trials: {
            "search": {**SPEC["search"], "parallelism": parallelism, "trials": trials}
        },
        st.integers(1, 6),
        st.integers(1, 50),
    ),
    st.sampled_from(({"budget": {"duration": "1h"}}, {"novelty": 1}, {"novelty": None}, {"retry": 1})),
)


@quietly
@given(st.integers(1, 6), st.booleans(), st.lists(st.tuples(edits, st.booleans()), max_size=6))
def test_no_edit_takes_a_run_away(
    parallelism: int, is_later: bool, edits: list[tuple[Document, bool]]
) -> None:
    world = searching({"search": {**SPEC["search"], "parallelism": parallelism}})
    if is_later and parallelism > 1:  # else the search shares its workers with what follows
        world = tick(ray_job(tick(ray_job(world, SUCCEEDED)), READY))
    for edit, is_status_lost in edits:
        world = edited(world, **edit)
        decision = reconcile(world, DEFAULTS)
        after = performed(world, decision)
        assert not any(isinstance(each, Create | Delete) for each in decision.actions)
        world = replace(after, job=world.job) if is_status_lost else after
    assert status_of(tick(world)).runs[-1].outcome == "Running"


@quietly
@given(anything, anything, st.lists(anything, max_size=2), st.dictionaries(st.text(max_size=9), anything))
def test_no_world_is_beyond_it(content: Any, data: Any, objects: list[Any], metadata: Document) -> None:
    world = applied(job())
    for broken in (
        {"job": {**world.job, "status": content}},
        {"job": {**world.job, "spec": content}},
        {"job": {**world.job, "metadata": {**world.job["metadata"], **metadata}}},
        {"plan": {"data": data}, "report": {"data": data}},
        {"pods": tuple(objects), "events": tuple(objects), "ray_jobs": tuple(objects)},
    ):
        reconcile(replace(world, **broken), DEFAULTS)
