"""A status stays small whatever a run has found: the rest is in the store."""

import json

from tests.support.operated import SPEC, Site
from trimtab_api.report import Best, Candidate, Measured

LARGEST_BYTES = 32 * 1024
TRIALS = 10_000
PARAMS: dict[str, bool | int | float | str] = {f"{'p' * 50}{number}": "v" * 60 for number in range(32)}
METRICS = {f"{'m' * 50}{number}": 0.123456789012345 for number in range(16)}


def test_status_of_ten_thousand_trials_is_small(site: Site) -> None:
    job = site.apply(search=SPEC["search"] | {"trials": TRIALS})
    submitted = job.submit()
    best = Best(trial=TRIALS - 1, params=PARAMS, metrics=METRICS)
    with job.driver() as driver:
        driver.searching(TRIALS - 900, running=4, pruned=600, failed=300, retried=200)
        driver.progress.change(
            best=best,
            front=(best,) * 10,
            baseline=Measured(id="baseline", metrics=METRICS),
            candidates=tuple(
                Candidate(id=f"int8-{number}", steps=("int8",) * 8, metrics=METRICS, verdict="v" * 250)
                for number in range(40)
            ),
        )
        report = job.server.get(job.child("ConfigMap", "report"))
        running = job.stands("Searching")["status"]
        driver.succeed(message="字" * 2_000)
    submitted.end("SUCCEEDED")
    ended = job.stands("Completed")["status"]

    assert len(report["data"]["report.json"].encode()) > LARGEST_BYTES
    assert running["trials"] == {
        "total": TRIALS,
        "completed": TRIALS - 900,
        "running": 4,
        "pruned": 600,
        "failed": 300,
        "retried": 200,
    }
    assert running["summary"]["trials"] == f"{TRIALS}/{TRIALS}"
    assert [len(json.dumps(each).encode()) < LARGEST_BYTES for each in (running, ended)] == [True, True]
