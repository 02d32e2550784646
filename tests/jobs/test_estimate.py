"""Probes of a real task: what they took, against what the whole job then takes."""

import time
from pathlib import Path

import pytest

from tests.support.jobs import job
from tests.support.tasks import BLOBS
from trimtab_api.plan import Plan, resolve
from trimtab_api.profile import LOCAL_PROFILE
from trimtab_jobs.errors import JobError
from trimtab_jobs.forecast import Facts, stages_of, total
from trimtab_jobs.pool.inline import InlinePool
from trimtab_jobs.probing import Probing, TimedPool, probed
from trimtab_jobs.store import open_store
from trimtab_jobs.worker_setup import setup_of

WIDTH = {"name": "width", "int": {"low": 8, "high": 64}, "default": "16"}
PRUNE = {"structured": {"ratios": [0.5, 0.75], "finetuneEpochs": 2}}


def plan_of(entrypoint: str = "user_task:Blobs", **spec) -> Plan:
    search = {"trials": 6, "parameters": [WIDTH], "pruner": {"asha": {"minEpochs": 1, "reduction": 2}}}
    whole = {"task": {"entrypoint": entrypoint}, "search": search, "compress": {"quantize": ["int8"]}} | spec
    return resolve(job(**whole), LOCAL_PROFILE)


def probe(folder: Path, plan: Plan, count: int, said: list[str]) -> Facts:
    (folder / "user_task.py").write_text(BLOBS)
    begun = time.perf_counter()
    store = open_store(str(folder / "store"))
    pool = TimedPool(InlinePool(setup_of(plan, store.uri, str(folder), {})))
    try:
        return probed(Probing(plan, store, pool, lambda: False, said.append), begun, count)
    finally:
        pool.close()


def test_probes_tell_what_each_part_of_the_job_takes(tmp_path: Path):
    plan = plan_of(compress={"quantize": ["fp16", "int8"], "prune": PRUNE})
    said: list[str] = []

    facts = probe(tmp_path, plan, 2, said)

    assert [dict(trial.params) for trial in facts.trials] == [{"width": 16}, {"width": 64}]
    assert (facts.epochs, facts.workers, facts.test_share, len(facts.export)) == (4, 1, 1.0, 2)
    assert set(facts.made) == {"fp16", "int8", "structured"}
    assert min(facts.start, facts.evaluate, facts.measure, *facts.export, *facts.made.values()) > 0
    assert all(0 < trial.piece(4) < 5 for trial in facts.trials)
    assert said[0] == "looking at the task"
    stages = stages_of(plan, facts, 1, 1)
    assert 0 < total(stages).low < total(stages).likely < total(stages).high


def test_probe_that_fails_is_left_out_and_said(tmp_path: Path):
    choice = {"name": "width", "categorical": [16, "wide"], "default": "16"}
    said: list[str] = []

    facts = probe(tmp_path, plan_of(search={"trials": 4, "parameters": [choice]}), 2, said)

    assert len(facts.trials) == 1
    assert any(line.startswith("left out the probe {'width': 'wide'}: ") for line in said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"entrypoint": "user_task:Rings"}, "no 'Rings'", id="no-such-task"),
        pytest.param(
            {"search": {"trials": 2, "parameters": [{"name": "width", "categorical": ["wide"]}]}},
            "the baseline",
            id="baseline-fails",
        ),
    ],
)
def test_what_would_fail_in_the_run_fails_here(tmp_path: Path, changes, said: str):
    with pytest.raises(JobError, match=said):
        probe(tmp_path, plan_of(**changes), 2, [])
