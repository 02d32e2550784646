"""Segments run on the nodes of their pools, and give back what the next one does not need."""

from typing import Any

from tests.support.counted import counted
from tests.support.platform import Platform, Team

RESOURCES = {
    "search": {"pool": "gpu", "perTrial": {"gpu": 1}},
    "compress": {"pool": "cpu"},
}


def test_the_search_runs_on_the_gpu_pool_and_compression_on_the_cpu_pool(platform: Platform) -> None:
    team = platform.team("pools")

    job = team.apply(counted("pools", trials=2, pause=0.0, resources=RESOURCES))
    job.runs(1, "search")
    searching = nodes_of_workers(team, "search")
    job.runs(1, "export")
    compressing = nodes_of_workers(team, "export")
    left = team.pods(**{"trimtab.io/segment": "search", "ray.io/node-type": "worker"})
    status = job.until("done", lambda found: found["status"]["phase"] == "Succeeded")["status"]

    assert searching == {"gpu-1"}
    assert "gpu-1" not in compressing
    assert left == []
    assert status["cost"]["gpuHours"] > 0


def nodes_of_workers(team: Team, segment: str) -> set[str]:
    """The nodes of a segment's workers, once they are all placed."""
    pods: list[dict[str, Any]] = []

    def are_placed() -> bool:
        pods[:] = team.pods(**{"trimtab.io/segment": segment, "ray.io/node-type": "worker"})
        return bool(pods) and all("nodeName" in pod["spec"] for pod in pods)

    team.wait_until(f"the workers of {segment} have nodes", are_placed)
    return {pod["spec"]["nodeName"] for pod in pods}
