"""SupervisedTask: give the data and the module; training, evaluation and checkpoints are provided."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.base import Arrays, Metric, Predict, Rows, Task
from trimtab_jobs.tasks.context import TrainContext
from trimtab_jobs.tasks.datasets import (
    batches_in,
    check_labels,
    check_numbers,
    checked_splits,
    first_inputs,
    first_target,
    has_one_class,
    loader_of,
    size_of,
)
from trimtab_jobs.tasks.metrics import Mean, micro_f1
from trimtab_jobs.tasks.optimizers import optimizer_of
from trimtab_jobs.tasks.predict import device_of, predict_with

WARM_UP = 0.05
"""Share of the training in which the learning rate rises."""


class SupervisedTask(Task):
    """Give `splits` and `build`; override any other part.

    Integer targets make it a classification (cross-entropy, accuracy), real ones a regression (squared error,
    mean absolute error). With `multilabel` targets are rows of 0 and 1 (binary cross-entropy, F1).
    Parameters called lr, weight_decay, optimizer, momentum and batch_size reach the default training.
    """

    batch_size: int = 64
    """Examples per step, unless a parameter of that name is searched."""
    multilabel: bool = False
    """Whether an example may have several labels: the network gives one logit for each, above 0 if there."""

    @abstractmethod
    def splits(self) -> Mapping[str, Any]:
        """Return torch Datasets of pairs (input, target) under `train`, `validation` and `test`."""

    def loss(self, outputs: Any, targets: Tensor) -> Tensor:
        """Return the loss, best one per example; a mean over the batch is taken as it is."""
        if self.multilabel:
            there = _shaped(targets.float(), outputs)
            losses = functional.binary_cross_entropy_with_logits(outputs, there, reduction="none")
        elif targets.is_floating_point():
            losses = functional.mse_loss(outputs, _shaped(targets, outputs), reduction="none")
        else:
            losses = _cross_entropy(outputs, targets)
        return losses.flatten(1).mean(1) if losses.ndim > 1 else losses

    def error_unit(self) -> float:
        """Return the error of a real target that `loss` counts as 1, as a teacher's share of it does."""
        return 1.0

    def optimizer(self, model: nn.Module, params: Mapping[str, Any]) -> Optimizer:
        """Return the optimizer; its learning rates are the peak that `schedule` scales."""
        return optimizer_of(model, params)

    def schedule(self, progress: float) -> float:
        """Return the factor on the learning rate at `progress` in 0..1: a short rise, then half a cosine."""
        if progress < WARM_UP:
            return 0.1 + 0.9 * progress / WARM_UP
        return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))

    def train(self, model: nn.Module, params: Mapping[str, Any], context: TrainContext) -> None:
        """Train, in mixed precision on a GPU; report loss and validation metrics after each epoch."""
        device = device_of(model)
        loader = loader_of(self.datasets["train"], int(params.get("batch_size", self.batch_size)), train=True)
        steps = size_of(loader)
        optimizer = self.optimizer(model, params)
        half = _half_precision(device)
        scaler = torch.amp.GradScaler(device, enabled=half is torch.float16)
        context.keep(optimizer=optimizer, scaler=scaler)
        for epoch in context.epochs():
            model.train()
            losses = []
            for step, (inputs, targets) in enumerate(batches_in(loader, device)):
                within = step / steps if steps else 0.0  # of unknown length: one rate per epoch
                _scale_rates(optimizer, self.schedule((epoch - 1 + within) / context.total))
                with torch.autocast(device, dtype=half, enabled=half is not None):
                    outputs = model(*inputs)
                    loss = self.loss(outputs, targets).mean()
                    loss = context.distilled(
                        loss, outputs, inputs, classes=self._classifies, unit=self.error_unit()
                    )
                optimizer.zero_grad()
                scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
                scaler.step(optimizer)
                scaler.update()
                losses.append(loss.detach())
            if not losses:
                raise CodeError(f"splits()['train'] gave no batch of {loader.batch_size} examples")
            figures = {"trainLoss": float(torch.stack(losses).mean())}
            figures |= self.quality(predict_with(model), "validation")
            if not all(map(math.isfinite, figures.values())):
                self.check_examples()  # the training may not be what is wrong
            context.report(epoch, **figures)

    def evaluate(self, predict: Predict, split: str) -> Rows:
        """Return the rows of the split, from batches of its examples in order."""
        parts = list(self._scored(predict, split))
        if not parts:
            raise CodeError(f"splits()[{split!r}] is empty; give it at least one example")
        return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}

    def rows(self, outputs: Any, targets: Tensor) -> Rows:
        """Return the columns that metrics are made of.

        Always `loss`. For classes `label`, `prediction`, `score` (probabilities) and `correct` (0 or 1; the
        share of right places where an example has several labels). With `multilabel` the same, by label, and
        `correct` where all labels are right. For real targets `target`, `prediction` and `absolute`, the mean
        absolute error of the example.
        """
        columns = {"loss": self._loss_per_example(outputs, targets)}
        if self.multilabel:
            columns |= _label_columns(outputs, targets)
        elif targets.is_floating_point():
            columns |= _real_columns(outputs, targets)
        else:
            columns |= _class_columns(outputs, targets)
        return {name: column.numpy() for name, column in columns.items()}

    def rehearse(self, predict: Predict) -> None:
        """Score the first batch of validation."""
        next(self._scored(predict, "validation"), None)

    def _scored(self, predict: Predict, split: str) -> Iterator[Rows]:
        for inputs, targets in batches_in(loader_of(self.datasets[split], self.batch_size, train=False)):
            outputs = predict(*(part.numpy() for part in inputs))
            yield self.rows(_tensors(outputs), targets)

    def inputs(self, count: int) -> Arrays:
        """Return up to `count` training inputs, drawn with a fixed seed (the first ones of an iterable)."""
        return first_inputs(self.datasets["train"], count)

    def sizes(self) -> Mapping[str, int | None]:
        """Return the examples of each split."""
        return {name: size_of(dataset) for name, dataset in self.datasets.items()}

    def metric_functions(self) -> Mapping[str, Metric]:
        """Return the user's metrics, then those of the kind of task that have no namesake among them."""
        provided: dict[str, Metric] = {"mae": Mean("absolute")}
        if self.multilabel:
            provided = {"f1": micro_f1, "accuracy": Mean("correct", proportion=True)}
        elif self._classifies:
            # of several places `correct` is the share that is right, which is no 0 or 1 of an example
            provided = {"accuracy": Mean("correct", proportion=self._target.ndim == 1)}
        provided["loss"] = Mean("loss")
        return {**self.metrics, **{name: m for name, m in provided.items() if name not in self.metrics}}

    def check(self) -> None:
        """Refuse labels that are none, and a classification whose training examples are all of one class."""
        if self.multilabel:
            check_labels(self._target)
        if (self._classifies or self.multilabel) and has_one_class(self.datasets["train"]):
            label = self._target.tolist()[0]
            raise CodeError(
                f"splits()['train'] holds one class only ({label}): nothing to learn; check how labels are "
                "read and how the data are split"
            )

    def check_examples(self) -> None:
        """Refuse examples that no training can take: asked once one has diverged."""
        check_numbers(self.datasets, self.batch_size)

    @cached_property
    def datasets(self) -> Mapping[str, Any]:
        """The user's splits, asked for once per worker."""
        return checked_splits(self.splits())

    @cached_property
    def _classifies(self) -> bool:
        return not self.multilabel and not self._target.is_floating_point()

    @cached_property
    def _target(self) -> Tensor:
        """The target of one example, with a first axis of one."""
        return first_target(self.datasets["train"])

    def _loss_per_example(self, outputs: Any, targets: Tensor) -> Tensor:
        losses = self.loss(outputs, targets)
        if losses.ndim:
            return losses
        rows = range(len(targets))  # a mean hides its terms: take them one by one
        return torch.stack([self.loss(_row(outputs, row), targets[row : row + 1]) for row in rows])


def _real_columns(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    apart = (outputs - _shaped(targets, outputs)).abs()
    return {
        "target": targets,
        "prediction": outputs,
        "absolute": apart.flatten(1).mean(1) if apart.ndim > 1 else apart,
    }


def _class_columns(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    prediction = outputs.argmax(1)
    right = (prediction == targets).double()
    return {
        "label": targets,
        "prediction": prediction,
        "score": outputs.softmax(1),
        "correct": right.flatten(1).mean(1) if right.ndim > 1 else right,
    }


def _label_columns(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    label, prediction = _shaped(targets.long(), outputs), (outputs > 0).long()
    right = (prediction == label).flatten(1).all(1)
    return {
        "label": label,
        "prediction": prediction,
        "score": outputs.sigmoid(),
        "correct": right.double(),
    }


def _shaped(targets: Tensor, outputs: Tensor) -> Tensor:
    """The targets in the shape of the outputs: (n, 1) against (n,) would silently broadcast to n by n."""
    if outputs.numel() != targets.numel():
        raise CodeError(
            f"the network of build() gives the shape {tuple(outputs.shape)} for targets of the shape "
            f"{tuple(targets.shape)}; give its last layer as many outputs as an example has targets"
        )
    return targets.reshape(outputs.shape)


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each example; CodeError where a label has no output."""
    try:
        return functional.cross_entropy(outputs, targets, reduction="none")
    except IndexError:
        first, last, classes = int(targets.min()), int(targets.max()), outputs.shape[1]
        raise CodeError(
            f"labels go from {first} to {last}, but the network of build() has {classes} "
            f"output{'s'[: classes - 1]}; it needs one for each class, and classes are counted from 0"
        ) from None


def _scale_rates(optimizer: Optimizer, factor: float) -> None:
    for group in optimizer.param_groups:
        # kept in the optimizer's state, so that a resumed training scales the same peak
        group["lr"] = group.setdefault("peak_lr", group["lr"]) * factor


def _half_precision(device: str) -> torch.dtype | None:
    if device != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _tensors(outputs: Any) -> Any:
    return tuple(map(torch.from_numpy, outputs)) if isinstance(outputs, tuple) else torch.from_numpy(outputs)


def _row(outputs: Any, row: int) -> Any:
    return (
        tuple(part[row : row + 1] for part in outputs)
        if isinstance(outputs, tuple)
        else outputs[row : row + 1]
    )
