"""What is kept of objects in memory: what decisions are made by, however much somebody has put into them."""

from typing import Any

import pytest

from trimtab_operator.kinds import CONFIG_MAP, RAY_JOB
from trimtab_operator.reading import LARGEST_REPORT, heard_of
from trimtab_operator.slim import slim


def config_map(name: str, **data: str) -> dict[str, Any]:
    labels = {"trimtab.io/job": "digits", "trimtab.io/job-uid": "u1", "theirs": "x" * 1000}
    metadata = {"name": name, "namespace": "vision", "uid": "u2", "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def kept(manifest: dict[str, Any]) -> dict[str, Any]:
    return slim(CONFIG_MAP, manifest)


def test_plan_and_report_are_kept() -> None:
    plan = {"plan.json": "{}", "profile.json": "{}", "control.json": "{}"}
    report = {"report.json": "{}", "attempt": "1", "segment": "search"}

    assert kept(config_map("digits-plan", **plan))["data"] == plan
    assert kept(config_map("digits-report", **report))["data"] == report


@pytest.mark.parametrize("name", ["digits-notes", "other-plan", "plan"])
def test_data_of_any_other_config_map_are_not_kept(name: str) -> None:
    found = kept(config_map(name, notes="x" * 100_000))

    assert "data" not in found
    assert found["metadata"]["name"] == name


def test_only_known_keys_and_own_labels_are_kept() -> None:
    found = kept(
        config_map("digits-plan", **{"plan.json": "{}", "notes": "x" * 100_000}) | {"binaryData": {}}
    )

    assert found["data"] == {"plan.json": "{}"}
    assert found["metadata"]["labels"] == {"trimtab.io/job": "digits", "trimtab.io/job-uid": "u1"}
    assert "binaryData" not in found


@pytest.mark.parametrize("key", ["report.json", "notes"])
def test_report_that_is_too_large_is_not_kept_but_known_to_be_so(key: str) -> None:
    report = {"report.json": "{}", "attempt": "1", "segment": "search"} | {key: "x" * LARGEST_REPORT}
    whole = config_map("digits-report", **report)

    assert len(str(kept(whole))) < 1000
    assert heard_of(kept(whole), 1, "search") == heard_of(whole, 1, "search")
    assert heard_of(whole, 1, "search").problem


def test_of_a_cluster_its_state_and_since_when_it_is_ready_are_kept() -> None:
    times = {"ready": "2026-11-24T08:00:00Z", "suspended": "2026-11-24T07:00:00Z"}
    cluster = {"state": "ready", "stateTransitionTimes": times, "endpoints": {"client": "10001"}}

    found = slim(RAY_JOB, {"metadata": {"name": "a"}, "status": {"rayClusterStatus": cluster}})

    told = {"state": "ready", "stateTransitionTimes": {"ready": "2026-11-24T08:00:00Z"}}
    assert found["status"] == {"rayClusterStatus": told}
