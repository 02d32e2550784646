"""What the search costs beside real training: the same trainings by the search and by a plain process pool.

40 trainings of the digits example's network on 2 workers, the same configurations and seeds in the same order
on both sides. Ours is the product's whole way: asked, run, checkpointed, logged and recorded durably. The
other is written by hand: a multiprocessing pool and a plain torch loop that evaluates after each epoch, and
each result appended to a file. Clocks run from the start of the first training to the last result on disk,
with all workers up, torch and data loaded; start-ups are printed apart. Order: ours, pool, pool, ours; the
sums are compared.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRIALS = 40
WORKERS = 2
SEED = 3
EPOCHS = 30
BATCH = 32
GOAL = 0.91
ORDER = ("ours", "pool", "pool", "ours")
DATA: dict[str, Any] = {}
"""What a worker of the hand-written pool has loaded."""
DIGITS = Path(__file__).parent.parent / "examples" / "digits"
PARAMETERS = [
    {"name": "lr", "float": {"low": 3e-4, "high": 3e-2, "log": True}, "default": "0.003"},
    {"name": "width", "int": {"low": 24, "high": 48, "step": 8}},
    {"name": "dropout", "float": {"low": 0.0, "high": 0.5}},
]


def request_of(function: str) -> Any:
    from trimtab_api.job import Objective, SearchSpec
    from trimtab_jobs.search import SearchRequest

    spec = {"trials": TRIALS, "seed": SEED, "parameters": PARAMETERS, "sampler": {"random": {}}}
    objectives = [Objective(metric="accuracy", direction="maximize")]
    return SearchRequest("bench", objectives, EPOCHS, SearchSpec.model_validate(spec), function=function)


def draw_nothing(session: Any, **_: Any) -> dict[str, Any]:
    """A trial that trains nothing: the random sampler's configurations do not depend on results."""
    return {"metrics": {"accuracy": 0.0}}


def configurations(folder: str) -> list[tuple[Mapping[str, Any], int]]:
    """Parameters and seeds of the trials, in the order in which the search asks for them."""
    from trimtab_jobs.pool import InlinePool, WorkerSetup
    from trimtab_jobs.search import search
    from trimtab_jobs.store import Record, open_store

    store = open_store(f"{folder}/configurations")
    pool = InlinePool(WorkerSetup(store.uri, "none:None", {}))
    request = request_of("__main__:draw_nothing")
    outcome = search(request, pool, Record.open(store), store, lambda state: None)
    return [(trial.params, trial.seed) for trial in outcome.trials]


def ours(folder: str) -> dict[str, Any]:
    from trimtab_jobs.pool import Work, WorkerSetup
    from trimtab_jobs.pool.ray import RayPool
    from trimtab_jobs.search import search
    from trimtab_jobs.search.request import RUN_TRIAL
    from trimtab_jobs.store import Record, open_store

    started = time.perf_counter()
    store = open_store(folder)
    args = {"epochs": EPOCHS, "batch_size": BATCH}
    pool = RayPool(WorkerSetup(folder, "digits:Digits", args, code=str(DIGITS)), WORKERS)
    for worker in range(WORKERS):
        pool.submit(Work(f"start {worker}", "trimtab_jobs.tasks.trial:describe", {}))
    up = 0
    while up < WORKERS:
        up += len(pool.poll(60))
    record = Record.open(store)
    begun = time.perf_counter()
    outcome = search(request_of(RUN_TRIAL), pool, record, store, lambda state: None)
    ended = time.perf_counter()
    pool.close()
    return {
        "seconds": ended - begun,
        "start": begun - started,
        "trials": [trial.seconds for trial in outcome.trials],
        "accuracy": [trial.metrics["accuracy"] for trial in outcome.trials],
    }


def by_hand(folder: str) -> dict[str, Any]:
    work = configurations(folder)
    started = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(WORKERS + 1)
    with context.Pool(WORKERS, initializer=load, initargs=(ready,)) as pool:
        ready.wait()
        begun = time.perf_counter()
        results = []
        with open(f"{folder}/results.jsonl", "a") as file:
            for result in pool.imap_unordered(train, work, chunksize=1):
                results.append(result)
                file.write(json.dumps(result) + "\n")
                file.flush()
                os.fsync(file.fileno())
        ended = time.perf_counter()
    return {
        "seconds": ended - begun,
        "start": begun - started,
        "trials": [result["seconds"] for result in results],
        "accuracy": [result["accuracy"] for result in results],
    }


def load(ready: Any) -> None:
    """Import torch and read the data, once per worker."""
    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, str(DIGITS))
    from digits import Digits

    DATA.update(Digits().splits())
    ready.wait()


def train(work: tuple[Mapping[str, Any], int]) -> dict[str, float]:
    """One training as anyone would write it."""
    import torch
    from digits import Digits
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader

    params, seed = work
    started = time.perf_counter()
    torch.manual_seed(seed)
    model = Digits().build(params)
    batches = DataLoader(DATA["train"], batch_size=BATCH, shuffle=True, drop_last=True)
    held_out = DataLoader(DATA["validation"], batch_size=BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=params["lr"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, params["lr"], total_steps=EPOCHS * len(batches))
    accuracy = 0.0
    for _ in range(EPOCHS):
        model.train()
        for inputs, labels in batches:
            loss = cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            right = sum(int((model(inputs).argmax(1) == labels).sum()) for inputs, labels in held_out)
        accuracy = right / len(DATA["validation"])
    return {"accuracy": accuracy, "seconds": time.perf_counter() - started}


SIDES = {"ours": ours, "pool": by_hand}


def measure(side: str) -> dict[str, Any]:
    """One side's figures, from a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, "-P", __file__, "--side", side, "--folder", folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{side}: {ended.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def main() -> None:
    print(__doc__)
    print(f"{TRIALS} trainings, {WORKERS} workers, {EPOCHS} epochs, batches of {BATCH}, one thread each.\n")
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for side in ORDER:
        figures = measure(side)
        seconds[side].append(figures["seconds"])
        trials = sorted(figures["trials"])
        print(
            f"{side:<5} {figures['seconds']:6.1f} s   start {figures['start']:4.1f} s   "
            f"trainings {trials[0]:.1f} / {statistics.median(trials):.1f} / {trials[-1]:.1f} s   "
            f"workers busy {sum(trials) / figures['seconds'] / WORKERS:.3f}   "
            f"median accuracy {statistics.median(figures['accuracy']):.3f}",
            flush=True,
        )
    ratio = sum(seconds["pool"]) / sum(seconds["ours"])
    verdict = {
        "claim": f"wall time of {TRIALS} real trainings, 2 workers, first start to last record",
        "ours": {"seconds": [round(each, 1) for each in seconds["ours"]]},
        "peers": {},
        "limits": {"hand-written pool, seconds": [round(each, 1) for each in seconds["pool"]]},
        "ratio": round(ratio, 3),
        "goal": GOAL,
        "met": ratio >= GOAL,
    }
    print(f"\n{json.dumps(verdict)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(SIDES[arguments.side](arguments.folder)))
    else:
        main()
