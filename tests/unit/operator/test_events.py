"""Events about a job."""

from datetime import UTC, datetime
from typing import Any

from trimtab_operator.events import build_event
from trimtab_operator.world import Emit

NOW = datetime(2026, 11, 24, 9, 30, 1, tzinfo=UTC)
EVENT = Emit("Warning", "ImagePullFailed", "cannot pull registry/worker")


def job(name: str = "digits", generation: int = 1) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "vision", "uid": "uid-1", "generation": generation}
    return {"apiVersion": "trimtab.io/v1alpha1", "kind": "OptimizationJob", "metadata": metadata}


def test_event_says_what_about_which_job() -> None:
    event = build_event(job(), EVENT, NOW)

    assert event["involvedObject"] == {
        "apiVersion": "trimtab.io/v1alpha1",
        "kind": "OptimizationJob",
        "namespace": "vision",
        "name": "digits",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"]) == ("Warning", "ImagePullFailed")
    assert event["message"] == "cannot pull registry/worker"
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-11-24T09:30:01Z"


def test_name_is_of_what_is_told_and_not_of_when() -> None:
    def name(*arguments: Any) -> str:
        return str(build_event(*arguments)["metadata"]["name"])

    later = NOW.replace(hour=10)
    assert name(job(), EVENT, later) == name(job(), EVENT, NOW)
    assert name(job(generation=2), EVENT, NOW) != name(job(), EVENT, NOW)
    assert name(job(), Emit("Normal", "Started", ""), NOW) != name(job(), EVENT, NOW)


def test_long_names_and_messages_are_cut_to_what_fits() -> None:
    event = build_event(job(name="d" * 253), Emit("Normal", "Started", "m" * 5000), NOW)

    assert len(event["metadata"]["name"]) == 253
    assert len(event["message"]) == 1024
