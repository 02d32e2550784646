"""Structured pruning: whole channels go, so that the network is smaller and faster on any hardware.

They go in rounds, and after each the network is trained again, so that what is left takes over what went.
With distillation it learns from the uncompressed network's answers as well as from the labels.
"""

import json
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
import safetensors.torch
import torch
from torch import nn

from trimtab_jobs.measure.artifacts import fetch_model, local_folder
from trimtab_jobs.measure.onnx_model import repeated
from trimtab_jobs.measure.parity import parity_of
from trimtab_jobs.pool.session import Session
from trimtab_jobs.stages.channels import Channels, Cost, cost_of
from trimtab_jobs.stages.export_onnx import EXAMPLE_ROWS, load_trained, publish_module
from trimtab_jobs.stages.widths import widths_of
from trimtab_jobs.tasks.base import Task
from trimtab_jobs.tasks.context import Teacher, TrainContext
from trimtab_jobs.tasks.predict import device_of
from trimtab_jobs.tasks.seeds import make_deterministic
from trimtab_jobs.tasks.trial import build_model

UNTAUGHT = "fine-tuned without the teacher: train() does not call context.distilled"


class PruneConfig(TypedDict):
    """What of the manifest's compress.prune.structured and compress.distill makes one candidate."""

    ratio: float
    steps: int
    finetuneEpochs: int
    distill: dict[str, float] | None
    """`temperature` and `weight`; None: it learns from the labels alone."""


class PruneWork(TypedDict):
    """The payload of `prune`."""

    candidate: str
    parent: str
    params: dict[str, Any]
    checkpoint: str
    """Key of the state that the parent was exported from."""
    seed: int
    opset: int
    batch: str | int
    """As in `export`."""
    config: PruneConfig


def prune(session: Session, **work: Unpack[PruneWork]) -> dict[str, Any]:
    """Return key, sha256, bytes, opset, ops, `parity` and `changed` of the parent with fewer channels.

    `weights.safetensors` and `widths.json` are left beside the model: with the task's code they rebuild the
    network (`trimtab_jobs.stages.widths:rebuild`). ConfigurationError when it cannot be pruned or exported.
    """
    make_deterministic(session.setup.threads)
    weights = load_trained(session, work["checkpoint"])["model"]
    task: Task = session.task()
    model, teacher = (build_model(task, work["params"], work["seed"], weights) for _ in range(2))
    inputs = (torch.from_numpy(repeated(part, EXAMPLE_ROWS)) for part in task.inputs(EXAMPLE_ROWS))
    example = tuple(part.to(device_of(model)) for part in inputs)
    before = cost_of(model, example)
    tuning = FineTuning(session, work, _teacher(teacher, work["config"]))
    taught = _in_rounds(model, example, tuning)
    after = cost_of(model, example)
    published = publish_module(session, work["candidate"], model, work["opset"], work["batch"])
    _put_network(session, work, model)
    path = local_folder(session, work["candidate"]) / "model.onnx"
    return {
        **published,
        "parity": parity_of(session, fetch_model(session, work["parent"]), path),
        "changed": _changed(before, after, taught),
    }


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How a network is trained again after a round."""

    session: Session
    work: PruneWork
    teacher: Teacher | None

    def train(self, model: nn.Module, step: int) -> bool:
        """Train after the round `step`; return whether the task let the teacher, if there is one, teach."""
        epochs = self.work["config"]["finetuneEpochs"]
        if not epochs:
            return True
        context = TrainContext(
            params=self.work["params"],
            seed=int(np.random.SeedSequence([self.work["seed"], step]).generate_state(1)[0]),
            last=epochs,
            data=self.session.data,
            folder=self.session.scratch,
            teacher=self.teacher,
        )
        self.session.task().train(model, self.work["params"], context)
        return context.distils or self.teacher is None


def _in_rounds(model: nn.Module, example: tuple[torch.Tensor, ...], tuning: FineTuning) -> bool:
    """Prune and train again, round by round; return whether every training heeded the teacher."""
    ratio, steps = tuning.work["config"]["ratio"], tuning.work["config"]["steps"]
    channels = Channels(model, example, ratio)
    rounds = [
        tuning.train(model, step) for step in range(1, steps + 1) if channels.remove(ratio * step / steps)
    ]
    return all(rounds)


def _teacher(model: nn.Module, config: PruneConfig) -> Teacher | None:
    return Teacher(model.eval().requires_grad_(False), **config["distill"]) if config["distill"] else None


def _put_network(session: Session, work: PruneWork, model: nn.Module) -> None:
    folder = f"candidates/{work['candidate']}"
    # copies, since a weight with two names must not share its memory in the file
    state = {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    manifest = widths_of(model) | {"params": work["params"]}
    session.store.put(f"{folder}/weights.safetensors", safetensors.torch.save(state))
    session.store.put(f"{folder}/widths.json", json.dumps(manifest, indent=1).encode())


def _changed(before: Cost, after: Cost, taught: bool) -> dict[str, Any]:
    """What pruning did, by channels, parameters, and the work for one row."""
    remark = "" if taught else UNTAUGHT
    figures = (
        f"{before.channels} → {after.channels} channels",
        f"{before.params / 1e6:.3g} → {after.params / 1e6:.3g} M parameters",
        f"{before.macs / 1e6:.3g} → {after.macs / 1e6:.3g} M multiplications and additions",
    )
    return {
        "nothing": before.channels == after.channels,
        "what": "; ".join(filter(None, [", ".join(figures), remark])),
        "remark": remark,
        "channels": [before.channels, after.channels],
        "params": [before.params, after.params],
        "macs": [before.macs, after.macs],
    }
