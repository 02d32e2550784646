"""Conditions by the kstatus rules, in words that the documentation explains."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.kstatus_rules import kstatus
from tests.support.worlds import START
from trimtab_api.conditions import Condition
from trimtab_operator.conditions import (
    FAILED,
    NOT_STARTED,
    PROGRESSING,
    REASONS,
    SUCCEEDED,
    Standing,
    conditions_of,
)
from trimtab_operator.errors import ForbiddenError, ForeignError, InvalidError, RefusedError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "conditions.md"
STANDINGS = {
    "progressing": (("progressing", "Searching", False), "False True False Unknown False", "InProgress"),
    "accepted is enough": (("progressing", "Searching", True), "True False False Unknown False", "Current"),
    "suspended": (("suspended", "Suspended", True), "False False False Unknown True", "InProgress"),
    "succeeded": (("succeeded", "Completed", True), "True False False True False", "Current"),
    "failed": (("failed", "Code", True), "False False True False False", "Failed"),
}
TYPES = ("Ready", "Reconciling", "Stalled", "Succeeded", "Suspended")


def standing(kind: Any, reason: str, is_early: bool, message: str = "") -> Standing:
    return Standing(kind, "Searching", reason, message, NOT_STARTED, NOT_STARTED, is_early)


@pytest.mark.parametrize(("stands", "statuses", "verdict"), STANDINGS.values(), ids=STANDINGS)
def test_standing_is_told_by_the_kstatus_rules(
    stands: tuple[str, str, bool], statuses: str, verdict: str
) -> None:
    found = conditions_of(standing(*stands), (), 1, START)

    by_type = {each.type: each for each in found}
    assert " ".join(by_type[kind].status for kind in TYPES) == statuses
    status = {"observedGeneration": 1, "conditions": [each.model_dump(by_alias=True) for each in found]}
    assert kstatus({"metadata": {"generation": 1}, "status": status}) == verdict


def test_failure_is_said_where_people_and_gitops_tools_look() -> None:
    found = conditions_of(standing("failed", "Code", False, "no column 'label'"), (), 1, START)

    said = {each.type for each in found if each.message == "no column 'label'"}
    assert said == {"Ready", "Stalled", "Succeeded"}


def test_conditions_that_this_version_does_not_know_are_dropped() -> None:
    old = (Condition(type="Finished", status="True", reason="Done"),)

    assert "Finished" not in {
        each.type for each in conditions_of(standing("failed", "Code", False), old, 1, START)
    }


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below a heading of the page."""
    text = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_reason_of_the_standing_is_explained() -> None:
    explained = [cells[0].strip("`") for cells in rows("Reasons of the standing") if cells[0] != "reason"]

    assert sorted(explained) == sorted(("Accepted", *PROGRESSING, "Suspended", *SUCCEEDED, *FAILED))


def test_every_condition_is_explained_with_its_reasons() -> None:
    explained: dict[str, set[str]] = {}
    kind = ""
    for cells in rows("Steps")[1:]:
        kind = cells[0].strip("`") or kind
        explained.setdefault(kind, set()).update(re.findall(r"`([A-Za-z]+)`", cells[1]))

    steps = {kind: set(reasons) - {"Reported"} for kind, reasons in REASONS.items() if kind not in TYPES[:4]}
    assert explained == steps


def test_every_reason_says_what_to_do() -> None:
    for cells in [*rows("Reasons of the standing"), *rows("Steps")]:
        assert all(len(cell) > 2 for cell in cells[-2:]), cells


@pytest.mark.parametrize("error", [RefusedError, ForbiddenError, InvalidError, ForeignError])
def test_whatever_the_api_server_refuses_has_a_reason_that_is_explained(error: type[RefusedError]) -> None:
    assert error.reason in REASONS["ClusterReady"]
