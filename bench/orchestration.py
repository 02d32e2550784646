"""How many trials a second the search gets through when the trials themselves cost nothing.

200 trials of 5 parameters on 2 workers, everything recorded. Each contender runs in a process of its own, all
of them in turn, three rounds; contenders are compared within a round, and the median of the rounds counts.
Ray is up before any clock starts, and so are our two workers. Tune cannot start its workers beforehand, so
its figure is the better of two: over the whole of `fit()`, and from its first result to its last. What we
stand on is Optuna alone, in one process, with its own journal file.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

TRIALS = 200
WORKERS = 2
ROUNDS = 3
SEED = 1
TRIALS_OF_NEW_PROCESSES = TRIALS // 20
"""Tune without reuse_actors starts a process for each trial, which takes a second or two."""
GOAL = 2.3
LEAST = {"tune reuse_actors": 4.0, "optuna tpe": 0.8, "optuna random": 0.6}
"""What our rate must be at least, as a multiple of each one's, besides the goal."""
PARAMETERS = [
    {"name": "lr", "float": {"low": 1e-5, "high": 1e-1, "log": True}},
    {"name": "decay", "float": {"low": 0.0, "high": 0.1}},
    {"name": "dropout", "float": {"low": 0.0, "high": 0.5}},
    {"name": "width", "int": {"low": 8, "high": 256, "log": True}},
    {"name": "activation", "categorical": ["relu", "gelu", "silu"]},
]


def loss_of(params: Mapping[str, Any]) -> float:
    """A smooth loss with one minimum, in microseconds."""
    activations = {"relu": 0.1, "gelu": 0.0, "silu": 0.05}
    smooth = (math.log10(params["lr"]) + 3) ** 2 + 10 * params["decay"] + (params["dropout"] - 0.2) ** 2
    return float(smooth + (math.log2(params["width"]) - 6) ** 2 / 4 + activations[params["activation"]])


def run_nothing(session: Any, *, params: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """A trial of ours; without parameters only to warm a worker up."""
    return {"metrics": {"loss": loss_of(params)} if params else {}}


def ours(sampler: str, folder: str) -> dict[str, float]:
    from trimtab_api.job import Objective, SearchSpec
    from trimtab_jobs.pool import Work, WorkerSetup
    from trimtab_jobs.pool.ray import RayPool
    from trimtab_jobs.search import SearchRequest, search
    from trimtab_jobs.store import Record, open_store

    function = "orchestration:run_nothing"
    spec = {"trials": TRIALS, "seed": SEED, "parameters": PARAMETERS, "sampler": {sampler: {}}}
    objectives = [Objective(metric="loss", direction="minimize")]
    request = SearchRequest("bench", objectives, 1, SearchSpec.model_validate(spec), function=function)
    started = time.perf_counter()
    pool = RayPool(WorkerSetup(folder, "none:None", {}, code=str(Path(__file__).parent)), WORKERS)
    for worker in range(WORKERS):
        pool.submit(Work(f"warm-up {worker}", function, {"params": {}}))
    warm = 0
    while warm < WORKERS:
        warm += len(pool.poll(60))
    store = open_store(folder)
    record = Record.open(store)
    up = time.perf_counter()
    outcome = search(request, pool, record, store, lambda state: None)
    seconds = time.perf_counter() - up
    pool.close()
    assert outcome.best is not None
    assert outcome.counts.completed == TRIALS
    return {"rate": TRIALS / seconds, "start": up - started, "best": outcome.best.metrics["loss"]}


def optuna_alone(sampler: str, folder: str) -> dict[str, float]:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    def objective(trial: optuna.Trial) -> float:
        return loss_of(suggest(trial))

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    started = time.perf_counter()
    storage = JournalStorage(JournalFileBackend(f"{folder}/journal.log"))
    study = optuna.create_study(sampler=sampler_of(sampler), storage=storage)
    study.optimize(objective, n_trials=TRIALS)
    return {"rate": TRIALS / (time.perf_counter() - started), "start": 0.0, "best": study.best_value}


def tune(settings: str, folder: str) -> dict[str, float]:
    import ray
    from ray.tune import Callback, RunConfig, TuneConfig, Tuner
    from ray.tune.search.optuna import OptunaSearch

    class Results(Callback):
        def __init__(self) -> None:
            self.times: list[float] = []

        def on_trial_complete(self, *_: Any, **__: Any) -> None:
            self.times.append(time.perf_counter())

    trials = TRIALS if "reuse_actors" in settings else TRIALS_OF_NEW_PROCESSES
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1" if "no loggers" in settings else "0"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    started = time.perf_counter()
    ray.init(address="local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False)
    up = time.perf_counter()
    results = Results()
    grid = Tuner(
        trainable_of(reused="reuse_actors" in settings),
        tune_config=TuneConfig(
            search_alg=OptunaSearch(suggest, metric="loss", mode="min", sampler=sampler_of("tpe")),
            num_samples=trials,
            max_concurrent_trials=WORKERS,
            reuse_actors="reuse_actors" in settings,
        ),
        run_config=RunConfig(storage_path=folder, name="bench", verbose=0, callbacks=[results]),
    ).fit()
    seconds = time.perf_counter() - up
    best = min(float((grid[index].metrics or {})["loss"]) for index in range(len(grid)))
    ray.shutdown()
    assert len(results.times) == trials
    steady = (trials - 1) / (results.times[-1] - results.times[0])
    return {
        "rate": max(trials / seconds, steady),
        "whole": trials / seconds,
        "start": up - started,
        "best": best,
    }


def trainable_of(reused: bool) -> Any:
    """What Tune runs: a class that takes a new configuration where actors are reused, else a function."""
    from ray import tune as ray_tune

    class Nothing(ray_tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            self.params = config

        def step(self) -> dict[str, Any]:
            return {"loss": loss_of(self.params), "done": True}

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.params = new_config
            return True

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            return None

    return Nothing if reused else lambda params: ray_tune.report({"loss": loss_of(params)})


def suggest(trial: Any) -> dict[str, Any]:
    return {
        "lr": trial.suggest_float("lr", 1e-5, 1e-1, log=True),
        "decay": trial.suggest_float("decay", 0.0, 0.1),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "width": trial.suggest_int("width", 8, 256, log=True),
        "activation": trial.suggest_categorical("activation", ["relu", "gelu", "silu"]),
    }


def sampler_of(name: str) -> Any:
    from optuna.samplers import RandomSampler, TPESampler

    return {"tpe": TPESampler, "random": RandomSampler}[name](seed=SEED)


CONTENDERS: Mapping[str, tuple[Callable[[str, str], dict[str, float]], str]] = {
    "ours tpe": (ours, "tpe"),
    "optuna tpe": (optuna_alone, "tpe"),
    "tune reuse_actors, no loggers": (tune, "reuse_actors, no loggers"),
    "tune reuse_actors": (tune, "reuse_actors"),
    "tune": (tune, ""),
    "ours random": (ours, "random"),
    "optuna random": (optuna_alone, "random"),
}


def measure(name: str) -> dict[str, float]:
    """One contender's figures, from a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, "-P", __file__, "--contender", name, "--folder", folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{name}: {ended.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def main() -> None:
    print(__doc__)
    print(f"{TRIALS} trials ({TRIALS_OF_NEW_PROCESSES} for Tune without reuse_actors), {WORKERS} workers.")
    print(
        "Tune: OptunaSearch with TPE, max_concurrent_trials=2, verbose=0; with reuse_actors a Trainable that"
    )
    print("has reset_config, else a function; `no loggers` is TUNE_DISABLE_AUTO_CALLBACK_LOGGERS=1.\n")
    rounds = []
    for number in range(1, ROUNDS + 1):
        rates = {}
        for name in CONTENDERS:
            figures = measure(name)
            rates[name] = figures["rate"]
            whole = f"   over fit() {figures['whole']:5.1f}" if "whole" in figures else ""
            line = f"round {number}   {name:<30} {figures['rate']:6.1f} trials/s{whole}"
            print(f"{line}   start {figures['start']:4.1f} s   best {figures['best']:.3f}", flush=True)
        rounds.append(rates)
    print()
    print(json.dumps(verdict(rounds)))


def verdict(rounds: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    rates = {name: round(statistics.median(each[name] for each in rounds), 1) for name in CONTENDERS}
    multiples = {
        name: round(statistics.median(each[f"ours {name.split()[-1]}"] / each[name] for each in rounds), 2)
        for name in ("optuna tpe", "optuna random")
    } | {
        name: round(statistics.median(each["ours tpe"] / each[name] for each in rounds), 2)
        for name in CONTENDERS
        if name.startswith("tune")
    }
    ratio = min(multiple for name, multiple in multiples.items() if name.startswith("tune"))
    return {
        "claim": "trials per second on no-op trials, TPE, 2 workers, journal on",
        "ours": {name: rate for name, rate in rates.items() if name.startswith("ours")},
        "peers": {name: rate for name, rate in rates.items() if name.startswith("tune")},
        "limits": {name: rate for name, rate in rates.items() if name.startswith("optuna")},
        "multiples": multiples,
        "ratio": ratio,
        "goal": GOAL,
        "met": ratio >= GOAL and all(multiples[name] >= least for name, least in LEAST.items()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        run, variant = CONTENDERS[arguments.contender]
        print(json.dumps(run(variant, arguments.folder)))
    else:
        main()
