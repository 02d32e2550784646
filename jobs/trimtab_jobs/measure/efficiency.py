"""Latency, throughput, size and memory of several models, under the same conditions.

A machine drifts: clocks, neighbours, caches. So all models are measured in one worker in interleaved rounds,
and each round's median is kept, from which the guardrail takes how far apart two models must be to differ.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trimtab_jobs.measure.artifacts import fetch_model, model_bytes
from trimtab_jobs.measure.memory import peak_megabytes
from trimtab_jobs.measure.onnx_model import Array, OnnxModel, repeated
from trimtab_jobs.pool.session import Session

THROUGHPUT_BATCH = 64
"""Rows per call for throughput, unless the target's own batch is above 1."""
ROUND_SECONDS = 0.05
"""Time for which one model is called in a round, between MIN_CALLS and MAX_CALLS calls."""
MIN_CALLS, MAX_CALLS = 5, 200
WARM_UP_CALLS = 10


def measure(
    session: Session, *, candidates: Sequence[str], threads: int, batch: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """Return by candidate sizeMB, latencyMs (p50), latencyP95Ms, throughput (rows/s), memoryMB and `rounds`.

    `rounds` are the medians of latency in ms, round by round, the same rounds for every candidate.
    """
    paths = {candidate: fetch_model(session, candidate) for candidate in candidates}
    inputs = session.task().inputs(max(batch, THROUGHPUT_BATCH))
    return measure_files(paths, inputs, threads=threads, batch=batch, rounds=rounds)


def measure_files(
    paths: Mapping[str, Path], inputs: tuple[Array, ...], *, threads: int, batch: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """Return the same for files; `inputs` are repeated where they are fewer rows than a batch."""
    models = {name: OnnxModel(path, threads) for name, path in paths.items()}
    wide = batch if batch > 1 else THROUGHPUT_BATCH
    latencies = _interleaved(models, inputs, batch, rounds)
    throughputs = latencies if wide == batch else _interleaved(models, inputs, wide, rounds)
    return {
        name: {
            "sizeMB": model_bytes(path) / 1e6,
            "latencyMs": float(np.median(np.concatenate(latencies[name]))) * 1e3,
            "latencyP95Ms": float(np.percentile(np.concatenate(latencies[name]), 95)) * 1e3,
            "throughput": _rows(models[name], wide) / float(np.median(np.concatenate(throughputs[name]))),
            "memoryMB": peak_megabytes(path, _repeated(inputs, _rows(models[name], batch)), threads),
            "rounds": [float(np.median(calls)) * 1e3 for calls in latencies[name]],
        }
        for name, path in paths.items()
    }


def _interleaved(
    models: Mapping[str, OnnxModel], inputs: tuple[Array, ...], batch: int, rounds: int
) -> dict[str, list[Array]]:
    """Seconds of each call, by model and round; the models' order turns from round to round."""
    feeds = {name: _feed(model, inputs, batch) for name, model in models.items()}
    calls = {name: _calls_per_round(model, feeds[name]) for name, model in models.items()}
    taken: dict[str, list[Array]] = {name: [] for name in models}
    order = list(models)
    for _ in range(rounds):
        for name in order:
            _timed(models[name], feeds[name], 2)  # its weights back into the caches
            taken[name].append(_timed(models[name], feeds[name], calls[name]))
        order = order[1:] + order[:1]
    return taken


def _calls_per_round(model: OnnxModel, feed: Mapping[str, Array]) -> int:
    warm = float(np.median(_timed(model, feed, WARM_UP_CALLS)))
    return int(np.clip(ROUND_SECONDS / warm, MIN_CALLS, MAX_CALLS))


def _timed(model: OnnxModel, feed: Mapping[str, Array], calls: int) -> Array:
    seconds = np.empty(calls)
    for call in range(calls):
        start = time.perf_counter()
        model.runtime.run(None, feed)
        seconds[call] = time.perf_counter() - start
    return seconds


def _feed(model: OnnxModel, inputs: tuple[Array, ...], batch: int) -> dict[str, Array]:
    return dict(zip(model.names, _repeated(inputs, _rows(model, batch)), strict=True))


def _rows(model: OnnxModel, batch: int) -> int:
    return model.batch or batch


def _repeated(inputs: tuple[Array, ...], rows: int) -> tuple[Array, ...]:
    return tuple(repeated(part, rows) for part in inputs)
