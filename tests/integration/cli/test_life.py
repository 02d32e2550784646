"""A job's life by the command alone, on a real API server with the operator: from submit to its end."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import NAMESPACE, Person
from tests.support.api_faults import Fault
from tests.support.api_proxy import ApiProxy
from tests.support.operated import Job, Site
from tests.support.s3 import S3Server
from trimtab_cli.formats import to_yaml
from trimtab_jobs.store import open_store

Document = dict[str, Any]
IN = ("-n", NAMESPACE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a task, as `trimtab run` takes it."""
    folder = tmp_path / "digits"
    folder.mkdir()
    (folder / "digits.py").write_text("class Digits: ...\n")
    return folder


def write(folder: Path, job: Job) -> Path:
    """The manifest of a job, without a namespace."""
    metadata = {"name": job.name}
    (folder / "job.yaml").write_text(to_yaml({**job.document, "metadata": metadata}))
    return folder / "job.yaml"


@dataclass(frozen=True)
class Watched:
    """What a watch of a job told, and what was said to `stop` meanwhile."""

    start: Document
    searched: Document
    stopped: list[tuple[int, str, str]]
    final: Document
    code: int


def watched_through_outages(job: Job, person: Person) -> Watched:
    """A job that searches, is stopped and succeeds, watched through an API server that fails on the way."""
    with ApiProxy(job.server.plane) as proxy:
        way = proxy.write_kubeconfig(job.site.folder / "through-the-proxy")
        with Person(way, person.capture).starts("watch", "digits", *IN, "--progress", "json") as watch:
            assert watch.stdout
            told = map(json.loads, watch.stdout)
            start = next(told)
            entry = job.submit()
            with job.driver() as driver:
                proxy.order(Fault("expire", resource="optimizationjobs"))
                proxy.order(Fault("refuse", resource="optimizationjobs", status=503, times=3))
                proxy.cut_watches("optimizationjobs")
                driver.searching(3)
                searched = next(each for each in told if each.get("trials", {}).get("completed") == 3)
                stopped = [person.says("stop", "digits", *IN) for _ in range(2)]
                driver.succeed()
            entry.end("SUCCEEDED")
            *_, final = told
    return Watched(start, searched, stopped, final, watch.returncode)


def test_job_is_submitted_watched_and_stopped_through_outages(site: Site, person: Person, folder: Path):
    job = site.job("digits")
    submitted = person.says("submit", write(folder, job), *IN)
    job.document = job.now()
    seen = watched_through_outages(job, person)

    assert submitted[:2] == (0, "digits: created in namespace cli\n")
    assert (seen.start["event"], seen.start["name"]) == ("start", "digits")
    assert seen.searched["trials"]["total"] == 40
    assert seen.stopped == [
        (0, "digits: its search stops after 3 trials, and goes on with the best of them\n", ""),
        (0, "digits: its search ends already, after 3 trials\n", ""),
    ]
    assert job.now()["spec"]["search"]["trials"] == 3
    assert (seen.code, seen.final["event"], seen.final["exitCode"]) == (0, "final", 0)


def test_job_that_has_ended_is_read_from_its_store(
    site: Site, person: Person, folder: Path, s3_server: S3Server, s3_bucket: str
):
    site.server.patch(site.profile, {"spec": {"store": {"uri": s3_bucket, "endpoint": s3_server.endpoint}}})
    job = site.job("digits")
    manifest = write(folder, job)
    person.says("submit", manifest, *IN)
    job.document = job.now()
    job.succeed()
    store = job.status["result"].removesuffix("/result.json")
    open_store(store).put("logs/3.log", b"epoch 1\nepoch 2\n")

    assert person.says("wait", "digits", *IN) == (0, "digits: Guardrail met, int8 published\n", "")
    assert person.says("list", *IN)[1].splitlines()[1].split()[:2] == ["digits", "Succeeded"]
    shown = person.says("get", "digits", *IN)[1]
    assert "digits in namespace cli: Guardrail met, int8 published" in shown
    assert f"Store  {store}" in shown
    assert person.says("logs", "digits", "--trial", 3, "--tail", 1, *IN) == (0, "epoch 2\n", "")
    again = person.says("submit", manifest, *IN, "--wait", "-o", "json")
    assert (again[0], json.loads(again[1])["status"]["phase"]) == (0, "Succeeded")
    assert [person.says(verb, "digits", *IN)[0] for verb in ("stop", "suspend", "retry")] == [2, 2, 2]
    config_map = site.server.get(job.child("ConfigMap", "code"))
    assert config_map["data"] == {"digits.py": "class Digits: ...\n"}
    assert config_map["metadata"]["ownerReferences"][0]["uid"] == job.document["metadata"]["uid"]


def test_job_is_suspended_resumed_and_run_again(site: Site, person: Person):
    job = site.apply("rings")
    job.submit()
    suspended = person.says("suspend", "rings", *IN)
    waited = person.says("wait", "rings", *IN, "--for", "condition=Suspended", "--timeout", "60s")
    twice = person.says("suspend", "rings", *IN)
    late = person.says("wait", "rings", *IN, "--timeout", "1s")
    resumed = person.says("resume", "rings", *IN)
    running = person.says("retry", "rings", *IN)
    job.runs(2)
    job.fail("GuardrailNotMet")
    failed = person.says("wait", "rings", *IN)
    retried = person.says("retry", "--all", *IN)
    job.runs(3)

    assert (suspended[0], waited[:2]) == (0, (0, "rings: Suspended is True\n"))
    assert twice == (0, "rings: is suspended already\n", "")
    assert late == (5, "", "Error: rings: the time is up, and it is Suspended\n")
    assert resumed == (0, "rings: resumed; it goes on from what is recorded\n", "")
    assert (running[0], running[2].startswith("Error: rings: has not failed")) == (2, True)
    assert failed[0] == 3
    assert "no candidate holds the guardrail" in failed[2]
    assert retried == (0, "rings: runs again from what it has (spec.retry is 1)\n", "")


def test_job_that_is_deleted_ends_the_waiting(site: Site, person: Person):
    job = site.apply("short", profile="not-there")
    job.stands("ProfileNotFound")
    watch = person.starts("watch", "short", *IN, "--progress", "plain")
    assert watch.stdout
    shown = [next(watch.stdout) for _ in range(2)]
    job.delete()
    _, error = watch.communicate(timeout=30)

    assert shown[1].startswith("Pending: spec.profile")
    assert (watch.returncode, error) == (5, "Error: short was deleted\n")
