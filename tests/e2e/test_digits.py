"""The manifest of `make demo` on a cluster: every phase, the published model, and nothing left but it."""

import hashlib
from typing import Any

from tests.cluster.images import ROOT
from tests.support.operated import Job
from tests.support.platform import Platform, Team

MANIFEST = ROOT / "examples/digits/job.yaml"


def test_the_demos_own_manifest_becomes_a_published_model_on_real_pods(platform: Platform) -> None:
    team = platform.team("vision")

    job = team.apply(MANIFEST.read_text())
    phases, status = course_of(job)

    assert phases == ["Starting", "Searching", "Compressing", "Verifying", "Succeeded"]
    assert status["trials"]["completed"] + status["trials"]["pruned"] == 24
    assert {each["type"]: each["status"] for each in status["conditions"]}["GuardrailMet"] == "True"
    assert_published(team, job, status)
    team.wait_until("the clusters are gone", team.nothing_runs)


def course_of(job: Job) -> tuple[list[str], dict[str, Any]]:
    """The phases that the job went through, each once, and its status at the end."""
    phases: list[str] = []

    def has_ended(found: dict[str, Any]) -> bool:
        phase = found["status"].get("phase", "Pending")
        if phase not in ("Pending", *phases[-1:]):
            phases.append(phase)
        return phase in ("Succeeded", "Failed")

    ended = job.until("ended", has_ended)
    return phases, ended["status"]


def assert_published(team: Team, job: Job, status: dict[str, Any]) -> None:
    """The model in the store is the one that the status names."""
    (artifact,) = (each for each in status["artifacts"] if each["name"] == "model.onnx")
    store = team.store(job)
    published = store.get(artifact["uri"].removeprefix(f"{store.uri}/"))
    assert hashlib.sha256(published).hexdigest() == artifact["sha256"]
    assert len(published) == artifact["bytes"]
