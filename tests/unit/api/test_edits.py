"""What may change in a stored job; the API server is asked the same in the integration tier."""

from operator import attrgetter

import pytest

from tests.support.manifests import Edit, edits
from trimtab_api.edits import EDITABLE, forbidden_edits, held_fields
from trimtab_api.errors import Problem
from trimtab_api.job import JobSpec, SearchSpec
from trimtab_api.manifest import parse_job


@pytest.mark.parametrize("edit", edits(), ids=attrgetter("id"))
def test_edit_is_judged_by_the_field_it_changes(edit: Edit) -> None:
    found = forbidden_edits(parse_job(edit.old).spec, parse_job(edit.new).spec)

    assert found == (() if edit.allowed else (Problem(edit.field, edit.message),))


def test_every_field_is_held_or_editable_and_has_an_edit() -> None:
    held = {f"spec.{field.name}" for field in held_fields(JobSpec)}
    held |= {f"spec.search.{field.name}" for field in held_fields(SearchSpec)}

    assert held == {edit.field for edit in edits() if not edit.allowed}
    tried = " ".join(edit.id for edit in edits() if edit.allowed)
    assert [field for field in EDITABLE if f"spec.{field}" not in tried] == []


def test_every_forbidden_edit_of_one_change_is_named() -> None:
    old = parse_job({**MANIFEST, "spec": {**TASK, "search": {"seed": 1, **SPACE}}}).spec
    new = parse_job(
        {**MANIFEST, "spec": {**TASK, "search": {"seed": 2, **SPACE}, "retry": 1, "profile": "x"}}
    )

    assert [problem.field for problem in forbidden_edits(old, new.spec)] == [
        "spec.profile",
        "spec.search.seed",
    ]


MANIFEST = {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationJob", "metadata": {"name": "digits"}}
TASK = {"task": {"entrypoint": "digits:Digits"}}
SPACE = {"parameters": [{"name": "lr", "float": {"low": 0.1, "high": 1}}]}
