"""Which profile a job runs under, and what keeps it from being planned for a cluster."""

from typing import Any

import pytest

from tests.support.jobs import job
from trimtab_api.errors import Problem, SpecError
from trimtab_api.manifest import parse_profile
from trimtab_operator.profiles import DEFAULT, Chosen, choose, plan_for

Document = dict[str, Any]
SPACE = {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]}


def document(name: str, *, default: bool = False, created: int = 1, **spec: Any) -> Document:
    metadata: Document = {"name": name, "creationTimestamp": f"2026-01-0{created}T00:00:00Z"}
    if default:
        metadata["annotations"] = {DEFAULT: "true"}
    return {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationProfile",
        "metadata": metadata,
        "spec": spec,
    }


def namespace(**labels: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": labels}}


def chosen(profiles: list[Document], labels: dict[str, str] | None = None, **spec: Any) -> tuple[str, str]:
    """Name of the profile and the note about it, or the field and the message of the problem."""
    found = choose(job(**spec), profiles, None if labels is None else namespace(**labels))
    if isinstance(found, Problem):
        return found.field, found.message
    return found.profile.metadata.name, found.note


def test_named_profile_is_chosen_whatever_is_default() -> None:
    assert chosen([document("a", default=True), document("b")], profile="b") == ("b", "")


MISSING = {
    "named": ([document("a")], {"profile": "b"}, 'there is no such profile, got "b"; there are a'),
    "none-at-all": ([], {"profile": "b"}, 'there is no such profile, got "b"; there are none'),
    "no-default": ([document("a")], {}, f"is required: no profile has the annotation {DEFAULT}; there are a"),
    "serves-others": (
        [document("a", default=True, namespaces={"names": ["vision"]})],
        {},
        "is required: the default (a) does not serve namespace default",
    ),
    "unreadable": (
        [document("a", later=1)],
        {"profile": "a"},
        "profile a cannot be used: spec.later: is not a field; fields here are images, pools, store, carbon, "
        "namespaces, allowed, caps, defaults, locked, overlay",
    ),
}


@pytest.mark.parametrize(("profiles", "spec", "message"), MISSING.values(), ids=MISSING)
def test_job_without_a_profile_says_why(profiles: list[Document], spec: Document, message: str) -> None:
    assert chosen(profiles, **spec) == ("spec.profile", message)


def test_newest_of_several_defaults_is_chosen_and_that_is_said() -> None:
    profiles = [document("a", default=True, created=2), document("b", default=True, created=3), document("c")]

    assert chosen(profiles) == ("b", "2 profiles are annotated as default (a, b): b, the newest, is used")


def test_default_for_other_namespaces_does_not_count() -> None:
    gold = {"matchLabels": {"tier": "gold"}}
    profiles = [document("a", default=True), document("b", default=True, created=3, namespaces=gold)]

    assert chosen(profiles, {}) == ("a", "")
    assert chosen(profiles, {"tier": "gold"})[0] == "b"


def test_newest_default_that_cannot_be_read_is_not_passed_over() -> None:
    profiles = [document("a", default=True), document("b", default=True, created=3, later=1)]

    assert chosen(profiles)[1].startswith("profile b cannot be used")


def refusal(profile_spec: Document, labels: dict[str, str] | None = None, **spec: Any) -> list[str]:
    given = None if labels is None else namespace(**labels)
    with pytest.raises(SpecError) as error:
        plan_for(job(**spec), parse_profile(document("small", **profile_spec)), given)
    return [str(each) for each in error.value.problems]


def test_job_that_fits_is_planned_under_its_profile() -> None:
    profile = parse_profile(document("small", namespaces={"matchLabels": {"tier": "gold"}}))

    plan = plan_for(job(output="s3://models"), profile, namespace(tier="gold"))

    assert (plan.profile, plan.spec.output) == ("small", "s3://models")


def test_everything_in_the_way_is_said_at_once() -> None:
    gold = {"namespaces": {"matchLabels": {"tier": "gold"}}}

    assert refusal(gold, {}, compress={"quantize": ["bf16"]}) == [
        "spec.compress.quantize[0]: bf16 is not carried out by this version of Trimtab; remove it",
        'metadata.namespace: must be one that may use profile small: one labelled tier=gold, got "default"',
    ]


def test_what_the_profile_fills_in_must_be_carried_out_too() -> None:
    storage = {"defaults": {"search": {"storage": {"postgres": {"secretRef": "db"}}}}}

    assert refusal(storage, search=SPACE, output="s3://models") == [
        "spec.search.storage: set by profile small: not carried out by this version of Trimtab; remove it"
    ]


def test_choice_is_the_profile_itself() -> None:
    assert choose(job(), [document("a", default=True)], None) == Chosen(
        parse_profile(document("a", default=True))
    )
