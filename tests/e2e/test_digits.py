"""The manifest of `make demo` on a cluster: every phase, the published model, and nothing left but it."""

from typing import Any

from tests.cluster.images import ROOT
from tests.support.operated import Job
from tests.support.platform import Platform
from tests.support.published import assert_published

MANIFEST = ROOT / "examples/digits/job.yaml"


def test_the_demos_own_manifest_becomes_a_published_model_on_real_pods(platform: Platform) -> None:
    team = platform.team("vision")

    job = team.apply(MANIFEST.read_text())
    phases, status = course_of(job)

    phases.pop("Verifying", None)  # may be over before it is told of
    assert list(phases) == ["Starting", "Searching", "Compressing", "Succeeded"]
    assert status["trials"]["completed"] + status["trials"]["pruned"] == 24
    assert {each["type"]: each["status"] for each in status["conditions"]}["GuardrailMet"] == "True"
    assert_published(team.store(job), status)
    team.wait_until("the clusters are gone", team.nothing_runs)


def course_of(job: Job) -> tuple[dict[str, None], dict[str, Any]]:
    """The phases that the job went through, in the order of their first time, and its status at the end."""
    phases: dict[str, None] = {}  # each segment begins with Starting

    def has_ended(found: dict[str, Any]) -> bool:
        phase = found["status"].get("phase", "Pending")
        if phase != "Pending":
            phases[phase] = None
        return phase in ("Succeeded", "Failed")

    ended = job.until("ended", has_ended)
    return phases, ended["status"]
