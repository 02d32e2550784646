"""A job on a cluster, suspended in its middle, finds what `trimtab run` finds on one machine."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.faults.runs import recorded_pieces, trials_of
from tests.support.counted import counted
from tests.support.operated import Job
from tests.support.platform import Platform, Team
from trimtab_jobs.store import Store, open_store

TRIMTAB = Path(sys.executable).with_name("trimtab")
TRIALS = 6
MANIFEST = counted("parity", trials=TRIALS)
WHOLE = [3]
"""Trials without early stopping are one piece of three epochs."""


def test_a_suspended_job_ends_with_the_same_trials_and_bytes_as_a_local_run(
    platform: Platform, tmp_path: Path
) -> None:
    team = platform.team("parity")

    job = team.apply(MANIFEST)
    job.until("half done", lambda found: found["status"].get("trials", {}).get("completed", 0) >= 2)
    trimtab(team, "suspend", job.name)
    job.until("suspended", lambda found: found["status"]["phase"] == "Suspended")
    team.wait_until("the suspended job's pods are released", team.nothing_runs)
    trimtab(team, "resume", job.name)
    trimtab(team, "wait", job.name)
    local = run_here(tmp_path)

    store = team.store(job)
    assert_same_trials(store, local)
    assert candidates_of(store) == candidates_of(local)
    assert_nothing_repeated(team, job, store)
    assert "training with" in trimtab(team, "logs", job.name, "--trial", "0")  # its pod is gone


def trimtab(team: Team, *arguments: str) -> str:
    """What the command prints."""
    environment = os.environ | {"KUBECONFIG": str(team.platform.nodes.kubeconfig)}
    command = [TRIMTAB, *arguments, "-n", team.namespace]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_here(folder: Path) -> Store:
    """The store of the same manifest, run on this machine."""
    (folder / "job.yaml").write_text(MANIFEST)
    environment = os.environ | {"TRIMTAB_TEST_NOTES": str(folder)}
    output = folder / "output"
    subprocess.run([TRIMTAB, "run", folder / "job.yaml", "--output", output], env=environment, check=True)
    return open_store(str(output))


def assert_same_trials(one: Store, other: Store) -> None:
    """Parameters, seeds and figures of quality are equal; what suspension broke off was run again."""
    found, expected = (
        {
            trial.index: (trial.params, trial.seed, trial.metrics["accuracy"])
            for trial in trials_of(store)
            if trial.state == "completed"
        }
        for store in (one, other)
    )
    assert found == expected
    assert len(found) == TRIALS


def candidates_of(store: Store) -> dict[str, str]:
    """SHA-256 of each candidate's model, by its key."""
    models = [key for key in store.list("candidates") if key.endswith(".onnx")]
    assert models
    return {key: hashlib.sha256(store.get(key)).hexdigest() for key in models}


def assert_nothing_repeated(team: Team, job: Job, store: Store) -> None:
    """No trial ran again after its result was recorded; those that suspension broke off ran twice at most."""
    executed = Counter((team.notes / "executions").read_text().splitlines())
    recorded = set(recorded_pieces(store, WHOLE))
    repeated = sum(executed.values()) - len(recorded)
    assert set(executed) == recorded
    assert repeated <= 2, executed
