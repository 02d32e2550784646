"""Admission: once, under a pinned profile; what is edited, deleted or tampered with afterwards."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.worlds import (
    DEFAULTS,
    PROFILE,
    READY,
    SPEC,
    SUCCEEDED,
    TWO_SEGMENTS,
    Document,
    applied,
    conditions,
    edited,
    failed,
    job,
    message,
    ray_job,
    ray_jobs,
    searching,
    status_of,
    tick,
)
from trimtab_api.digests import digest_of
from trimtab_api.plan import Plan
from trimtab_api.running import BudgetSpec
from trimtab_operator.reading import plan_digest
from trimtab_operator.reconcile import reconcile
from trimtab_operator.world import Apply, Decision, Observed


def profile(name: str = "cpu-small", **spec: Any) -> Document:
    return {
        **PROFILE,
        "metadata": {**PROFILE["metadata"], "name": name},
        "spec": {**PROFILE["spec"], **spec},
    }


def search(**fields: Any) -> Document:
    return {"search": {**SPEC["search"], **fields}}


def plan_of(world: Observed) -> Plan:
    assert world.plan is not None
    return Plan.model_validate_json(world.plan["data"]["plan.json"])


def tampered(world: Observed, key: str, text: str) -> Observed:
    assert world.plan is not None
    return replace(world, plan={**world.plan, "data": {**world.plan["data"], key: text}})


def forged(world: Observed) -> str:
    """A plan that is valid, and not the one that the job was admitted with."""
    plan = plan_of(world)
    spec = plan.spec.model_copy(update={"output": "s3://other/place"})
    return plan.model_copy(update={"spec": spec}).model_dump_json(by_alias=True, exclude_none=True)


def applies(decision: Decision) -> list[str]:
    return [action.manifest["metadata"]["name"] for action in decision.actions if isinstance(action, Apply)]


REFUSALS = {
    "a pool there is not": (
        {"resources": {"search": {"pool": "tpu"}}},
        'spec.resources.search.pool: must be a pool of profile cpu-small: cpu, gpu, got "tpu"',
    ),
    "not carried out yet": (
        {"guardrail": [{"metric": "accuracy", "min": 0.9, "slice": {"column": "class", "value": "7"}}]},
        "spec.guardrail[0].slice: not carried out by this version of Trimtab; remove it",
    ),
    "somebody else's place": (
        {"output": "s3://other/place"},
        'spec.output: must begin with s3://models/vision/ under profile cpu-small, got "s3://other/place"',
    ),
}


@pytest.mark.parametrize(("spec", "says"), REFUSALS.values(), ids=REFUSALS)
def test_refused_job_says_which_field_and_what_to_do(spec: Document, says: str) -> None:
    world = tick(applied(job(**spec)))

    assert (message(world, "Accepted"), message(world, "Stalled")) == (says, says)
    assert (conditions(world)["Accepted"], conditions(world)["Succeeded"]) == (
        "False/Refused",
        "False/Refused",
    )
    assert (world.plan, world.ray_jobs) == (None, ())


def test_refused_job_is_looked_at_again_when_its_profile_changes() -> None:
    world = tick(replace(applied(job(**search(parallelism=3))), profiles=(profile(pools=[]),)))
    world = tick(
        replace(
            applied(job(resources={"search": {"pool": "gpu"}})),
            profiles=(profile(pools=[PROFILE["spec"]["pools"][0]]),),
        )
    )
    assert conditions(world)["Succeeded"] == "False/Refused"

    world = tick(replace(world, profiles=(PROFILE,)))

    assert (conditions(world)["Succeeded"], ray_jobs(world)) == ("Unknown/Starting", ["search-1"])


def test_profile_that_does_not_exist_is_waited_for_by_name() -> None:
    world = tick(applied(job(profile="big")))

    assert (
        message(world, "Accepted") == 'spec.profile: there is no such profile, got "big"; there are cpu-small'
    )


def test_newest_of_two_default_profiles_is_used_and_said() -> None:
    newer = profile("newer")
    newer["metadata"]["creationTimestamp"] = "2026-11-20T00:00:00Z"

    world = tick(replace(applied(job()), profiles=(PROFILE, newer)))

    assert plan_of(world).profile == "newer"
    assert message(world, "Accepted") == (
        "2 profiles are annotated as default (cpu-small, newer): newer, the newest, is used"
    )


def test_choice_of_a_profile_is_still_said_later() -> None:
    newer = profile("newer")
    newer["metadata"]["creationTimestamp"] = "2026-11-20T00:00:00Z"
    world = tick(replace(applied(job()), profiles=(PROFILE, newer)))

    assert message(tick(ray_job(world, READY)), "Accepted") == message(world, "Accepted")


def test_spec_that_cannot_be_read_is_stalled_until_it_can() -> None:
    world = tick(edited(applied(job()), novelty=1))
    assert conditions(world)["Stalled"] == "True/Invalid"
    assert message(world, "Accepted").startswith("spec.novelty: is not a field")

    assert ray_jobs(tick(edited(world, novelty=None))) == ["search-1"]


PROFILE_CHANGES = {
    "edited": (profile(pools=[{"name": "cpu", "resources": {"cpu": "64", "memory": "1Ti"}}]),),
    "deleted": (),
    "forbidden": (profile(namespaces={"names": ["elsewhere"]}),),
}


@pytest.mark.parametrize("profiles", PROFILE_CHANGES.values(), ids=PROFILE_CHANGES)
def test_profile_changed_in_the_middle_changes_nothing(profiles: tuple[Document, ...]) -> None:
    world = searching(TWO_SEGMENTS)
    undisturbed = tick(ray_job(world, SUCCEEDED))

    disturbed = tick(ray_job(replace(world, profiles=profiles), SUCCEEDED))

    assert disturbed.ray_jobs == undisturbed.ray_jobs
    assert disturbed.job == undisturbed.job


def test_retry_is_admitted_under_the_profile_as_it_is_then() -> None:
    world = failed(searching(), "Configuration")
    image = f"registry.example.org/other@sha256:{'a' * 64}"
    changed = profile(images={"worker": image})

    world = tick(tick(edited(replace(world, profiles=(changed,)), retry=1)))

    assert ray_jobs(world) == ["search-2"]
    assert image in json.dumps(world.ray_jobs[0])


EDITS = {
    "trials": (search(trials=5), lambda plan: plan.spec.search.trials == 5),
    "parallelism": (search(parallelism=3), lambda plan: plan.spec.search.parallelism == 3),
    "budget": ({"budget": {"duration": "1h"}}, lambda plan: plan.spec.budget.duration == "1h"),
}


@pytest.mark.parametrize(("spec", "holds"), EDITS.values(), ids=EDITS)
def test_live_edit_reaches_the_driver_and_no_other_child(spec: Document, holds: Any) -> None:
    world = edited(searching(), **spec)

    decision = reconcile(world, DEFAULTS)

    world = tick(world)
    assert applies(decision) == ["digits-plan"]
    assert holds(plan_of(world))
    assert status_of(world).plan_digest == plan_of(world).digest
    assert conditions(world)["Accepted"] == "True/Admitted"


REFUSED_EDITS = {
    "above a cap": ({"budget": {"cost": 1e6}}, "spec.budget.cost: must be at most 100"),
    "not understood": ({"novelty": 1}, "spec.novelty: is not a field"),
    "not editable": ({"guardrail": []}, "spec: a field has changed that cannot be edited"),
}


@pytest.mark.parametrize(("spec", "says"), REFUSED_EDITS.values(), ids=REFUSED_EDITS)
def test_refused_edit_leaves_the_plan_as_it_was(spec: Document, says: str) -> None:
    world = replace(applied(job()), profiles=(profile(caps={"cost": 100}),))
    world = tick(world)
    before = plan_of(world)

    world = tick(edited(world, **spec))

    assert plan_of(world) == before
    assert conditions(world)["Accepted"] == "True/EditRefused"
    assert says in message(world, "Accepted")
    assert conditions(world)["Stalled"] == "False/Starting"


@pytest.mark.parametrize("spec", [{"suspend": True}, {"retry": 1}], ids=["suspend", "retry"])
def test_switches_are_no_part_of_the_plan(spec: Document) -> None:
    world = searching()

    assert status_of(tick(edited(world, **spec))).plan_digest == status_of(world).plan_digest


LOSSES = {
    "plan deleted": lambda world: replace(world, plan=None),
    "plan emptied": lambda world: replace(world, plan={**world.plan, "data": {}}),
    "plan.json changed": lambda world: tampered(world, "plan.json", "{}"),
    "profile.json changed": lambda world: tampered(world, "profile.json", json.dumps(profile(pools=[]))),
    "control.json changed": lambda world: tampered(
        world, "control.json", '{"attempt": 9, "stopSearch": "cost"}'
    ),
    "a key added": lambda world: tampered(world, "more", "x"),
}


@pytest.mark.parametrize("change", LOSSES.values(), ids=LOSSES)
def test_plan_that_was_deleted_or_changed_is_made_again_as_it_was(change: Any) -> None:
    world = searching()

    healed = tick(change(world))

    assert healed.plan is not None
    assert world.plan is not None
    assert healed.plan["data"] == world.plan["data"]
    assert (healed.job, healed.ray_jobs) == (world.job, world.ray_jobs)


def test_all_children_are_made_again_with_a_plan_that_was_deleted() -> None:
    decision = reconcile(replace(searching(), plan=None), DEFAULTS)

    account, role, binding = ["digits-driver"] * 3
    assert applies(decision) == ["digits-report", account, role, "digits-ray", binding, "digits-plan"]


def test_report_that_was_deleted_is_made_again() -> None:
    decision = reconcile(replace(searching(), report=None), DEFAULTS)

    assert applies(decision) == ["digits-report"]


def test_pinned_profile_of_another_version_keeps_its_text() -> None:
    world = searching()
    assert world.plan is not None
    spelled = json.dumps(json.loads(world.plan["data"]["profile.json"]), indent=1)

    world = tampered(world, "profile.json", spelled)

    assert reconcile(world, DEFAULTS).actions == ()


PLAN_LOSSES = {
    "the profile is gone as well": lambda world: replace(world, plan=None, profiles=()),
    "the profile has changed as well": lambda world: replace(world, plan=None, profiles=(profile(pools=[]),)),
    "an edit is refused as well": lambda world: edited(replace(world, plan=None), novelty=1),
    "a forged plan, and an edit that is refused": lambda world: edited(
        tampered(world, "plan.json", forged(world)), novelty=1
    ),
}


@pytest.mark.parametrize("change", PLAN_LOSSES.values(), ids=PLAN_LOSSES)
def test_plan_that_cannot_be_made_again_fails_the_job_with_the_way_out(change: Any) -> None:
    world = tick(change(searching()))

    assert conditions(world)["Succeeded"] == "False/PlanLost"
    assert "raise spec.retry to go on from what is recorded" in message(world, "Succeeded")
    assert world.ray_jobs == ()


def test_retry_after_a_lost_plan_goes_on_in_the_next_attempt() -> None:
    world = tick(replace(searching(), plan=None, profiles=(profile(carbon=None),)))

    world = tick(edited(world, retry=1))

    assert ray_jobs(world) == ["search-2"]
    assert conditions(world)["Succeeded"] == "Unknown/Starting"


def test_plan_too_large_for_a_config_map_is_refused() -> None:
    choices = [f"{number:02}" + "\U0001d538" * 61 for number in range(64)]
    parameters = [{"name": f"p{number}", "categorical": choices} for number in range(64)]

    task = {"entrypoint": "digits:Digits", "args": {f"a{number}": "x" * 1_000 for number in range(40)}}

    world = tick(applied(job(task=task, search={"parameters": parameters, "trials": 10})))

    assert conditions(world)["Accepted"] == "False/Refused"
    assert "is too large: plan and profile take" in message(world, "Accepted")


def test_edit_of_parallelism_changes_the_workers_and_not_the_segments() -> None:
    world = tick(edited(searching(), **search(parallelism=3)))

    told = [(each.name, each.groups[0].workers) for each in plan_of(world).segments]
    assert told == [("search", 3)]


def exporting(parallelism: int) -> Observed:
    """The world of a job whose search of so many workers has ended, and what came after it runs."""
    world = tick(ray_job(searching(search(parallelism=parallelism)), SUCCEEDED))
    return tick(ray_job(world, READY))


def unwritten(world: Observed, **spec: Any) -> Observed:
    """The world after an edit reached the plan, and not the status."""
    world = edited(world, **spec)
    return replace(world, plan=tick(world).plan)


SECOND_EDITS = {
    "another edit": lambda world: edited(world, **search(parallelism=1, trials=20)),
    "an edit that is not understood": lambda world: edited(world, novelty=1),
    "an edit that is not allowed": lambda world: edited(world, **search(parallelism=1, trials=10**6)),
    "a plan changed by hand": lambda world: tampered(world, "plan.json", "{}"),
    "a plan that was deleted": lambda world: replace(world, plan=None),
}


@pytest.mark.parametrize("change", SECOND_EDITS.values(), ids=SECOND_EDITS)
def test_what_follows_an_edit_that_was_not_written_down_leaves_the_run_alone(change: Any) -> None:
    world = change(unwritten(exporting(4), **search(parallelism=1)))

    healed = tick(world)

    assert (ray_jobs(healed), conditions(healed)["ClusterReady"]) == (["search-1", "export-1"], "True/Ready")
    assert [each.name for each in plan_of(healed).segments] == ["search", "export"]


@pytest.mark.parametrize("key", ["plan.json", "more"])
def test_more_workers_part_no_segment_that_runs(key: str) -> None:
    world = tampered(edited(searching(), **search(parallelism=4)), key, "{}")

    assert [each.name for each in plan_of(tick(world)).segments] == ["search"]


def test_plan_with_more_than_the_profile_allows_is_not_believed() -> None:
    world = tick(replace(applied(job()), profiles=(profile(caps={"cost": 100}),)))
    plan = plan_of(world)
    spec = plan.spec.model_copy(update={"budget": BudgetSpec(cost=1e6)})
    text = with_digest(plan.model_copy(update={"spec": spec}))

    world = tick(edited(tampered(world, "plan.json", text), novelty=1))

    assert conditions(world)["Succeeded"] == "False/PlanLost"


def with_digest(plan: Plan) -> str:
    digest = plan_digest(plan)
    return plan.model_copy(update={"digest": digest}).model_dump_json(by_alias=True, exclude_none=True)


def test_plan_whose_identity_was_changed_is_made_again() -> None:
    world = searching()
    other = plan_of(world).model_copy(update={"identity": "0" * 64})

    healed = tick(tampered(world, "plan.json", other.model_dump_json(by_alias=True, exclude_none=True)))

    assert plan_of(healed) == plan_of(world)


def test_plan_of_an_older_operator_is_known_by_its_text() -> None:
    world = searching()
    content = json.loads(world.plan["data"]["plan.json"]) if world.plan else {}
    del content["spec"]["readyPolicy"]
    older = {**content, "digest": digest_of({key: content[key] for key in content if key not in OWN})}
    status = {**world.job["status"], "planDigest": older["digest"]}
    world = replace(tampered(world, "plan.json", json.dumps(older)), job={**world.job, "status": status})

    assert conditions(tick(edited(world, novelty=1)))["Accepted"] == "True/EditRefused"


OWN = ("digest", "identity")
