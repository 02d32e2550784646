"""An operator that is upgraded, and put back, while a job runs whose driver is of either version."""

import json
from pathlib import Path
from typing import Any

from tests.support.cluster import ApiServer
from tests.support.driver_stand_in import DriverStandIn
from tests.support.operated import TWO_SEGMENTS, Job, Site, uid_of
from tests.support.operator_process import OperatorProcess
from tests.support.rays import Rays
from tests.support.versions import another_version
from trimtab_api.versions import SCHEMA_VERSION

NAMESPACE = "versions"
OLD, NEW = SCHEMA_VERSION - 1, SCHEMA_VERSION


def plan_version(job: Job) -> Any:
    """The schema version of the plan as it is written now."""
    return json.loads(job.server.get(job.child("ConfigMap", "plan"))["data"]["plan.json"])["schemaVersion"]


def report(driver: DriverStandIn, schema_version: int, trials: int) -> None:
    """Have a driver of some version report so many trials, with fields that no other version knows."""
    counts = {"total": 40, "completed": trials, "ofThatVersion": 1}
    content = {"schemaVersion": schema_version, "name": driver.settings.job, "phase": "Searching"}
    content |= {"trials": counts, "ofThatVersion": {"a": 1}}
    driver.write({"report.json": json.dumps(content), "attempt": "1", "segment": driver.settings.segment})


def test_job_goes_on_through_an_upgrade_and_back(
    control_plane: ApiServer, rays: Rays, sites: dict[str, Site], tmp_path: Path
) -> None:
    site = Site(control_plane, rays, NAMESPACE, tmp_path)
    sources = another_version(tmp_path / "older", "0.0.9", OLD)
    settings = {"NAMESPACES": NAMESPACE, "IDENTITY": NAMESPACE}  # the Lease stays its own
    operator = OperatorProcess(
        control_plane, tmp_path / "operator", NAMESPACE, settings=settings, sources=sources
    )
    with operator:
        job = site.apply(**TWO_SEGMENTS)
        search = job.submit()
        first, made_by = uid_of(job.ray_job()), plan_version(job)

        for version, trials in ((NEW, 1), (OLD, 2), (NEW, 3)):  # upgraded, put back, upgraded again
            operator.kill()
            operator.sources = None if version == NEW else sources
            operator.start()
            with job.driver() as driver:
                report(driver, OLD, trials)
                job.until(f"{trials} trials", lambda found, trials=trials: is_told(found, trials))
            job.wait(
                f"the plan is of version {version}", lambda version=version: plan_version(job) == version
            )
        went_on = uid_of(job.ray_job())

        with job.driver() as driver:
            driver.searching(40)
        search.end("SUCCEEDED")
        job.runs(1, "export")
        ended = job.succeed()

    assert made_by == OLD
    assert went_on == first
    runs = [(run["attempt"], run["segment"], run["outcome"]) for run in ended["status"]["runs"]]
    assert runs == [(1, "search", "Succeeded"), (1, "export", "Succeeded")]
    site.clear()


def is_told(found: dict[str, Any], trials: int) -> bool:
    """Whether the status has so many trials, and nothing of it was started anew."""
    status = found["status"]
    return bool(status["attempt"] == 1 and status["trials"]["completed"] == trials)
