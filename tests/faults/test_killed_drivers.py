"""Drivers killed with -9 at random moments, each followed by the same command: nothing recorded is repeated.

With TRIMTAB_FAULTS=full ten kills per run and every store with every pruner, else two kills and half of them.
The seed of the moments is printed; TRIMTAB_FAULTS_SEED sets it.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults import runs
from tests.faults.runs import Job

FULL = os.environ.get("TRIMTAB_FAULTS") == "full"
KILLS = 10 if FULL else 2
TRIALS = 24 if FULL else 6
RUNGS = {"none": (3,), "asha": (1, 2, 3)}
CASES = [("folder", "none"), ("s3", "asha")] + ([("folder", "asha"), ("s3", "none")] if FULL else [])


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("TRIMTAB_FAULTS_SEED", time.time_ns() % 10_000))
    print(f"TRIMTAB_FAULTS_SEED={seed}")
    return random.Random(seed)


class Kill(NamedTuple):
    """What the record and the task's own count said when a driver had been killed."""

    recorded: set[str]
    executions: int


def kill_some_commits_later(job: Job, pruner: str, chance: random.Random) -> Kill:
    process = job.start()
    aim = runs.commits_of(job.store) + 1 + chance.randint(1, 3)  # after this driver's takeover
    runs.wait_until(lambda: runs.commits_of(job.store) >= aim, process)
    runs.let_run(process, chance.uniform(0, 0.6))
    return killed(job, process, pruner)


def kill_after_the_search(job: Job, pruner: str, chance: random.Random) -> Kill:
    process = job.start()
    runs.wait_until(lambda: "Compressing" in job.printed, process)
    runs.let_run(process, chance.uniform(0, 6))
    return killed(job, process, pruner)


def killed(job: Job, process: "runs.Process", pruner: str) -> Kill:
    runs.kill(process)
    runs.wait_until_gone(job)
    return Kill(set(runs.recorded_pieces(job.store, RUNGS[pruner])), len(job.executions()))


@pytest.mark.parametrize(("output", "pruner"), CASES, indirect=["output"], ids=map("-".join, CASES))
def test_a_killed_driver_loses_and_repeats_nothing_recorded(
    output: str, pruner: str, tmp_path: Path, chance: random.Random
):
    job = Job.make(tmp_path / "job", output, pruner=pruner, trials=TRIALS)

    kills = [kill_some_commits_later(job, pruner, chance) for _ in range(KILLS - 1)]
    kills.append(kill_after_the_search(job, pruner, chance))
    assert job.finish() == 0, job.printed

    executions, recorded = job.executions(), runs.recorded_pieces(job.store, RUNGS[pruner])
    print(f"{len(kills)} kills, {len(executions)} executions of {len(recorded)} recorded pieces")
    for kill in kills:
        assert kill.recorded.isdisjoint(executions[kill.executions :])
        assert kill.recorded <= set(recorded)
    assert len(executions) <= len(recorded) + KILLS * job.parallelism
    assert job.result["phase"] == "Succeeded"
    assert job.result["trials"]["total"] == TRIALS


def test_a_killed_run_tries_the_configurations_of_an_undisturbed_one(tmp_path: Path, chance: random.Random):
    calm = Job.make(tmp_path / "calm", str(tmp_path / "calm-output"), trials=TRIALS)
    killed_once = Job.make(tmp_path / "killed", str(tmp_path / "killed-output"), trials=TRIALS)

    kill_some_commits_later(killed_once, "none", chance)

    assert (calm.finish(), killed_once.finish()) == (0, 0)
    assert set(runs.recorded_pieces(killed_once.store, (3,))) == set(runs.recorded_pieces(calm.store, (3,)))


def test_a_cut_journal_object_costs_its_own_trials_only_and_is_said(
    output: str, tmp_path: Path, chance: random.Random
):
    job = Job.make(tmp_path / "job", output, trials=TRIALS)
    process = job.start()
    assert runs.wait_until(lambda: len(runs.recorded_pieces(job.store, (3,))) >= 3, process, poll=0.2)
    runs.kill(process)
    runs.wait_until_gone(job)
    cut = runs.last_journal_object(job.store)
    body = job.store.get(cut)
    job.store.put(cut, body[: chance.randrange(len(body))])
    kept, before = set(runs.recorded_pieces(job.store, (3,))), len(job.executions())

    assert job.finish() == 0, job.printed

    assert f"{cut}: digest differs" in job.printed
    assert "the record ends before it" in job.printed
    assert kept.isdisjoint(job.executions()[before:])
    assert kept <= set(runs.recorded_pieces(job.store, (3,)))


def test_of_two_drivers_started_at_once_one_gives_way_and_nothing_is_lost(output: str, tmp_path: Path):
    job = Job.make(tmp_path / "job", output, trials=TRIALS)

    drivers = [job.start(), job.start()]
    codes = sorted(driver.wait(runs.WAIT_SECONDS) for driver in drivers)

    assert codes == [0, 1], job.printed
    assert "another driver has taken over" in job.printed
    recorded = runs.recorded_pieces(job.store, (3,))
    assert len(set(recorded)) == TRIALS
    assert len(job.executions()) <= len(recorded) + job.parallelism
    assert json.loads(job.store.get("result.json"))["phase"] == "Succeeded"
