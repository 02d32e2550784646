"""One trial in a worker: build → restore → train → metrics → checkpoint, or what stands for it.

A function is called instead, and a model that is given is evaluated as it is.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

import numpy as np
import torch

from trimtab_api.metrics import MEASURED
from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.pool.memory import limited_memory
from trimtab_jobs.pool.session import Session, resolve
from trimtab_jobs.tasks.base import Predict, Task
from trimtab_jobs.tasks.checkpoints import load_checkpoint, save_checkpoint
from trimtab_jobs.tasks.context import TrainContext
from trimtab_jobs.tasks.functions import Objective
from trimtab_jobs.tasks.objective import call_objective
from trimtab_jobs.tasks.predict import predict_with
from trimtab_jobs.tasks.seeds import make_deterministic, seed_everything
from trimtab_jobs.tasks.splits import check_splits

MEASURE_MODULE = "trimtab_jobs.stages.trial_figures:measure_module"
MEASURE_FILE = "trimtab_jobs.stages.trial_figures:measure_file"
ONNX_MODEL = "trimtab_jobs.measure.onnx_model:OnnxModel"
GIVEN_ONNX = "trimtab_jobs.given.onnx_model:given_onnx"
GIVEN_WEIGHTS = "trimtab_jobs.given.weights:given_weights"
LOAD_GIVEN = "trimtab_jobs.given.weights:load_given"
"""By name, as every stage: stages stand above tasks, and a task without a given model needs none of it."""


class FigureWork(TypedDict):
    """How objectives are measured that a task does not report: on the trial's fp32 ONNX model."""

    opset: int
    batch: str | int
    """As in the manifest's export: `dynamic`, or the number of rows that every call will have."""
    calls: dict[str, tuple[int | None, int]]
    """By objective the threads (None: the worker's own) and the rows of a call: its target's."""


class TrialWork(TypedDict):
    """The payload of `run_trial`."""

    trial: int
    params: dict[str, Any]
    seed: int
    last_epoch: int | None
    """Last epoch of this piece; None: the task's own number of epochs."""
    resume: str | None
    """Key of the checkpoint to go on from."""
    checkpoint: str
    """Key to leave a checkpoint under."""
    objectives: list[str]
    baseline: NotRequired[bool]
    """Whether it is what the user has today: pretrained weights are left as they are."""
    figures: NotRequired[FigureWork]
    """Where objectives are to be measured."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a piece of a trial came to."""

    metrics: dict[str, float]
    state: dict[str, Any] = field(default_factory=dict)
    """Of its checkpoint: the network's weights, or an ONNX file."""


def kind_of(session: Session) -> str:
    """Return what a trial gives: a `module`, what an `objective` returned, or the model that was `given`."""
    model = session.setup.model
    return "given" if model is not None and model.is_onnx else session.task().kind


def describe(session: Session) -> dict[str, Any]:
    """Return what the driver asks of a task before all else.

    `kind` (see `kind_of`), `epochs`, `metrics`, those of them that are `proportions`, the `primary` one, and
    the sizes of `splits`. An objective by which nothing but a search is possible has neither metrics nor a
    primary one; `lacking` says what its module would need. CodeError when the task cannot be loaded or could
    not be trained with any parameters.
    """
    task: Task = session.task()
    if kind_of(session) == "objective" and session.setup.model is not None:
        raise CodeError(
            "spec.model.pretrained: an objective is given no weights; remove it, or give the network to "
            "train as def build(params) and def train(model, params, context)"
        )
    told = {"kind": kind_of(session), "epochs": int(task.epochs), "lacking": lacking_of(task)}
    if told["lacking"]:
        return told | {"metrics": [], "proportions": [], "splits": {}, "primary": None}
    task.check()
    check_splits(task)
    functions = task.metric_functions()
    metrics = list(functions)
    return told | {
        "metrics": metrics,
        "proportions": [name for name in metrics if getattr(functions[name], "proportion", False)],
        "splits": dict(task.sizes()),
        "primary": metrics[0],
    }


def lacking_of(task: Task) -> str:
    """Return what a model of the task could not be judged without, in words; "" where nothing lacks."""
    return task.lacking if isinstance(task, Objective) else ""


def run_trial(session: Session, **work: Unpack[TrialWork]) -> dict[str, Any]:
    """Return metrics on validation, history by epoch, the epoch reached, the checkpoint's key and seconds.

    ConfigurationError when training diverges or takes too much memory, CodeError when an objective is no
    metric of the task.
    """
    started = time.perf_counter()
    task: Task = session.task()
    if not lacking_of(task):
        _check_objectives(task, work["objectives"])
    make_deterministic(session.setup.threads)
    saved = load_checkpoint(session.store, work["resume"], session.scratch) if work["resume"] else {}
    context = TrainContext(
        params=work["params"],
        seed=work["seed"],
        done=saved.get("epoch", 0),
        last=work["last_epoch"] or task.epochs,
        total=task.epochs,
        data=session.data,
        folder=session.scratch,
        saved=saved.get("parts", {}),
    )
    with limited_memory(session):
        piece = PIECES[kind_of(session)](session, context, work, saved)
    state = piece.state | {
        "parts": {name: part.state_dict() for name, part in context.kept.items()},
        "epoch": max(context.done, context.last),
    }
    save_checkpoint(session.store, work["checkpoint"], state, session.scratch)
    return {
        "metrics": piece.metrics,
        "history": [[epoch, figures] for epoch, figures in context.history],
        "epoch": state["epoch"],
        "checkpoint": work["checkpoint"],
        "seconds": time.perf_counter() - started,
    }


def _train(session: Session, context: TrainContext, work: TrialWork, saved: Mapping[str, Any]) -> Piece:
    task: Task = session.task()
    if saved:
        model, given = build_model(task, work["params"], work["seed"], saved["model"]), False
    else:
        model, given = first_model(session, work["params"], work["seed"])
    if not (given and work.get("baseline")):
        task.train(model, work["params"], context)
    metrics = _metrics(task, context, _last_report(context), lambda: predict_with(model))
    if "figures" in work:
        metrics |= resolve(MEASURE_MODULE)(session, model, work["figures"])
    return Piece(metrics, {"model": model.state_dict()})


def _call(session: Session, context: TrainContext, work: TrialWork, saved: Mapping[str, Any]) -> Piece:
    task: Objective = session.task()
    if not context.saved:
        context.done = 0  # it kept nothing to go on from, not even a model
    seed_everything(work["seed"])
    returned = call_objective(task, context)
    if returned.onnx is None:
        _check_returned(returned.figures, work["objectives"])
        return Piece(dict(returned.figures))
    path = session.scratch / "objective.onnx"
    path.write_bytes(returned.onnx)
    metrics = _metrics_of_file(session, context, work, path, returned.figures)
    return Piece(metrics, {"onnx": torch.from_numpy(np.frombuffer(returned.onnx, np.uint8).copy())})


def _evaluate(session: Session, context: TrainContext, work: TrialWork, saved: Mapping[str, Any]) -> Piece:
    path: Path = resolve(GIVEN_ONNX)(session)
    return Piece(_metrics_of_file(session, context, work, path, {}))


PIECES: Mapping[str, Callable[[Session, TrainContext, TrialWork, Mapping[str, Any]], Piece]] = {
    "module": _train,
    "objective": _call,
    "given": _evaluate,
}
"""By kind of task, how a piece of a trial is done."""


def first_model(session: Session, params: Mapping[str, Any], seed: int) -> tuple[torch.nn.Module, bool]:
    """Return a network as a training begins with it, and whether its weights were given by the manifest."""
    model = build_model(session.task(), params, seed, weights=None)
    weights = resolve(GIVEN_WEIGHTS)(session) if session.setup.model is not None else None
    if weights is not None:
        resolve(LOAD_GIVEN)(model, weights)
    return model, weights is not None


def build_model(
    task: Task, params: Mapping[str, Any], seed: int, weights: Mapping[str, Any] | None
) -> torch.nn.Module:
    """Return the task's module on the GPU, if there is one, with `weights` or else drawn from the seed."""
    seed_everything(seed)
    model = task.build(params)
    if not isinstance(model, torch.nn.Module):
        raise CodeError(f"build() returned a {type(model).__name__}; return a torch.nn.Module")
    if weights is not None:
        model.load_state_dict(weights)
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def _check_objectives(task: Task, objectives: list[str]) -> None:
    known = [*task.metric_functions(), *MEASURED]
    for name in objectives:
        if name not in known:
            raise CodeError(
                f"spec.objectives: the task has no metric {name!r}; it has {', '.join(known)}; add "
                f"metrics = {{{name!r}: lambda rows: ...}} to it, or name one of these"
            )


def _check_returned(figures: Mapping[str, float], objectives: list[str]) -> None:
    for name in objectives:
        if name not in figures:
            raise CodeError(
                f"spec.objectives: the objective returned no {name!r}, only {list(figures)}; "
                f"add {name!r} to it, or name one of these"
            )


def _metrics_of_file(
    session: Session, context: TrainContext, work: TrialWork, path: Path, told: Mapping[str, float]
) -> dict[str, float]:
    """What was told of an ONNX file, if it is all metrics, else its evaluation; and its objectives."""
    metrics = _metrics(session.task(), context, told, lambda: resolve(ONNX_MODEL)(path).predict)
    if "figures" in work:
        metrics |= resolve(MEASURE_FILE)(session, path, work["figures"])
    return metrics


def _last_report(context: TrainContext) -> Mapping[str, float]:
    """The report of the piece's last epoch, if there is one."""
    epoch, figures = context.history[-1] if context.history else (0, {})
    return figures if epoch == context.last else {}


def _metrics(
    task: Task, context: TrainContext, told: Mapping[str, float], predict: Callable[[], Predict]
) -> dict[str, float]:
    """What the training told, if it is all metrics; else the task's evaluation."""
    names = task.metric_functions()
    if all(name in told for name in names):
        return {name: told[name] for name in names}
    return context.finite(context.last, task.quality(predict(), "validation"))
