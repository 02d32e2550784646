"""One trial in a worker: build → restore → train → metrics → checkpoint."""

import time
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, Unpack

import torch

from trimtab_api.metrics import MEASURED
from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.pool.session import Session, resolve
from trimtab_jobs.tasks.base import Task
from trimtab_jobs.tasks.checkpoints import load_checkpoint, save_checkpoint
from trimtab_jobs.tasks.context import TrainContext
from trimtab_jobs.tasks.predict import predict_with
from trimtab_jobs.tasks.seeds import make_deterministic, seed_everything
from trimtab_jobs.tasks.splits import check_splits

MEASURE_MODULE = "trimtab_jobs.stages.trial_figures:measure_module"
"""By name, as every stage: stages stand above tasks."""


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
    figures: NotRequired[FigureWork]
    """Where objectives are to be measured."""


def describe(session: Session) -> dict[str, Any]:
    """Return what the driver asks of a task before all else.

    `epochs`, `metrics`, those of them that are `proportions`, the `primary` one, and the sizes of `splits`.
    CodeError when the task cannot be loaded or could not be trained with any parameters.
    """
    task: Task = session.task()
    task.check()
    check_splits(task)
    functions = task.metric_functions()
    metrics = list(functions)
    return {
        "epochs": int(task.epochs),
        "metrics": metrics,
        "proportions": [name for name in metrics if getattr(functions[name], "proportion", False)],
        "splits": dict(task.sizes()),
        "primary": metrics[0],
    }


def run_trial(session: Session, **work: Unpack[TrialWork]) -> dict[str, Any]:
    """Return metrics on validation, history by epoch, the epoch reached, the checkpoint's key and seconds.

    ConfigurationError when training diverges, CodeError when an objective is no metric of the task.
    """
    started = time.perf_counter()
    task: Task = session.task()
    _check_objectives(task, work["objectives"])
    make_deterministic(session.setup.threads)
    saved = load_checkpoint(session.store, work["resume"], session.scratch) if work["resume"] else {}
    model = build_model(task, work["params"], work["seed"], saved.get("model"))
    context = TrainContext(
        params=work["params"],
        seed=work["seed"],
        done=saved.get("epoch", 0),
        last=work["last_epoch"] or task.epochs,
        total=task.epochs,
        data=session.setup.data,
        saved=saved.get("parts", {}),
    )
    task.train(model, work["params"], context)
    metrics = _metrics(task, model, context)
    if "figures" in work:
        metrics |= resolve(MEASURE_MODULE)(session, model, work["figures"])
    state = {
        "model": model.state_dict(),
        "parts": {name: part.state_dict() for name, part in context.kept.items()},
        "epoch": max(context.done, context.last),
    }
    save_checkpoint(session.store, work["checkpoint"], state, session.scratch)
    return {
        "metrics": metrics,
        "history": [[epoch, figures] for epoch, figures in context.history],
        "epoch": state["epoch"],
        "checkpoint": work["checkpoint"],
        "seconds": time.perf_counter() - started,
    }


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


def _metrics(task: Task, model: torch.nn.Module, context: TrainContext) -> dict[str, float]:
    """The last report, if it is of the last epoch and whole; else the task's evaluation."""
    epoch, reported = context.history[-1] if context.history else (0, {})
    names = task.metric_functions()
    metrics = {name: reported[name] for name in names if name in reported and epoch == context.last}
    if len(metrics) < len(names):
        metrics = context.finite(context.last, task.quality(predict_with(model), "validation"))
    return metrics
