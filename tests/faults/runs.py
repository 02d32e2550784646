"""Runs of `trimtab run` as a person starts them, to be killed, and what their stores say afterwards."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from optuna.storages import JournalStorage

from trimtab_jobs.search import Trial, replay
from trimtab_jobs.search.journal import Journal
from trimtab_jobs.store import Store, open_store
from trimtab_jobs.store.chain import Chain, Commit, Entry, decoded, manifest_key, seq_of

TRIMTAB = Path(sys.executable).with_name("trimtab")
HERE = Path(__file__).parent
WAIT_SECONDS = 300
SEED = 3
MARK = "TRIMTAB_TEST_RUN"
"""Environment variable by which a run's processes are known, its workers included."""

MANIFEST = """
apiVersion: trimtab.io/v1alpha1
kind: OptimizationJob
metadata: {{name: counting}}
spec:
  task:
    entrypoint: "counting:Counting"
    args: {{executions: "{executions}", pause: "{pause}"}}
  objectives:
  - {{metric: accuracy, direction: maximize}}
  search:
    seed: 3
    trials: {trials}
    parallelism: {parallelism}
    parameters:
    - {{name: lr, float: {{low: 0.001, high: 0.03, log: true}}}}
    - {{name: width, int: {{low: 64, high: 128, step: 8}}}}
    - {{name: weight_decay, float: {{low: 0.0, high: 0.01}}}}
    sampler: {{random: {{}}}}
    pruner: {pruner}
  compress: {compress}
  guardrail:
  - {{metric: accuracy, maxDrop: 0.05}}
"""
INT8 = "{quantize: [int8]}"
PRUNERS = {"none": "{none: {}}", "asha": "{asha: {minEpochs: 1, reduction: 2}}"}

Process = subprocess.Popen[str]
Piece = str
"""A piece of a trial as the task counts it: JSON of its parameters and of the epochs behind it."""


@dataclass(frozen=True)
class Job:
    """One job in a folder of its own, run from there again and again."""

    folder: Path
    output: str
    parallelism: int = 2

    @classmethod
    def make(cls, folder: Path, output: str, **fields: Any) -> "Job":
        folder.mkdir(parents=True)
        values = {"trials": 8, "parallelism": 2, "pause": 0.2, "pruner": "none", "compress": INT8} | fields
        values["pruner"] = PRUNERS[values["pruner"]]
        (folder / "counting.py").write_text((HERE / "counting.py").read_text())
        (folder / "job.yaml").write_text(MANIFEST.format(executions=folder / "executions", **values))
        return cls(folder, output, values["parallelism"])

    @property
    def mark(self) -> str:
        return str(self.folder)

    def start(self) -> Process:
        command = [TRIMTAB, "run", self.folder / "job.yaml", "--output", self.output]
        with open(self.folder / "printed", "a") as printed:
            environment = os.environ | {MARK: self.mark}
            return subprocess.Popen(command, stdout=printed, stderr=printed, env=environment, text=True)

    def finish(self) -> int:
        return self.start().wait(WAIT_SECONDS)

    @property
    def store(self) -> Store:
        return open_store(self.output)

    @property
    def printed(self) -> str:
        return (self.folder / "printed").read_text()

    @property
    def result(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.store.get("result.json"))
        return report

    def executions(self) -> list[Piece]:
        file = self.folder / "executions"
        return file.read_text().splitlines() if file.exists() else []


def commits_of(store: Store) -> int:
    return len(store.list("manifest"))


def wait_until(condition: Callable[[], bool], process: Process, poll: float = 0.02) -> bool:
    """Whether the condition came true before the process ended."""
    while not condition():
        try:
            process.wait(poll)
        except subprocess.TimeoutExpired:
            continue
        return False
    return True


def let_run(process: Process, seconds: float) -> None:
    """Return after so many seconds, or when the process has ended."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def kill(process: Process) -> None:
    """End the driver as a power cut would; its workers are left to find out by themselves."""
    process.kill()
    process.wait()


def processes_of(job: Job) -> list[str]:
    """Command lines of all processes that a run of the job has left: drivers, Ray's, workers."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        if (
            process.info["status"] != psutil.STATUS_ZOMBIE
            and (process.info["environ"] or {}).get(MARK) == job.mark
        ):
            found.append(" ".join(process.info["cmdline"] or ["(ending)"]))
    return found


def wait_until_gone(job: Job) -> None:
    """Return once nothing of the job runs any more; AssertionError names what stays."""
    end = time.monotonic() + WAIT_SECONDS
    while left := processes_of(job):
        assert time.monotonic() < end, left
        psutil.wait_procs([], timeout=0.1)


def trials_of(store: Store) -> list[Trial]:
    """The trials of the record, read without taking it over."""
    storage = JournalStorage(Journal(ReadRecord(batches_of(store))))
    studies = storage.get_all_studies()
    return list(replay.trials_of(storage.get_all_trials(studies[0]._study_id), SEED)) if studies else []


def recorded_pieces(store: Store, rungs: Sequence[int]) -> list[Piece]:
    """The pieces of trials whose results are in the record."""
    behind = [0, *rungs[:-1]]
    return [
        json.dumps([dict(trial.params), done])
        for trial in trials_of(store)
        for done, rung in zip(behind, rungs, strict=True)
        if trial.epoch >= rung and trial.state != "duplicate"
    ]


@dataclass(frozen=True)
class ReadRecord:
    """A record that is only read."""

    batches: tuple[bytes, ...]

    def commit(self, batch: bytes) -> None:
        raise AssertionError("a reader commits nothing")


def batches_of(store: Store) -> tuple[bytes, ...]:
    chain = Chain()
    for seq, entry in entries_of(store):
        chain.add(seq, entry, store.get(entry.object) if isinstance(entry, Commit) else None)
    return chain.batches


def entries_of(store: Store) -> list[tuple[int, Entry | None]]:
    seqs = [seq for key in store.list("manifest") if (seq := seq_of(key)) is not None]
    return [(seq, decoded(seq, store.get(manifest_key(seq)))) for seq in seqs]


def last_journal_object(store: Store) -> str:
    """The key of the last object that the record has acknowledged."""
    return [entry.object for _, entry in entries_of(store) if isinstance(entry, Commit) and entry.size][-1]
