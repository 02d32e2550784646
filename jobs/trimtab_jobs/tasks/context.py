"""TrainContext: a training's window on its trial: which epochs to run, where to report, what to keep."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.tasks.seeds import seed_everything


class Stateful(Protocol):
    """Optimizers, schedulers, scalers, modules: whatever keeps its state in a dict of tensors and numbers."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Take the state over."""
        ...


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained model whose answers a smaller one learns from, and how much."""

    model: Callable[..., Any]
    """In evaluation mode, on the device of the model that is trained."""
    temperature: float = 2.0
    weight: float = 0.5
    """Share of the teacher in the loss, 0..1."""


@dataclass(slots=True)
class TrainContext:
    """What `Task.train` gets.

    Epochs count from 1. A trial may run in pieces (rungs of early stopping): `done` epochs lie behind, and
    this piece goes up to and including `last`.
    """

    params: Mapping[str, Any]
    seed: int
    last: int
    total: int = 0
    """Epochs of the whole training, over which a schedule runs: the task's, or those of a fine-tuning."""
    done: int = 0
    data: Mapping[str, str] = field(default_factory=dict)
    """Local path of each entry of the manifest's `task.data`."""
    folder: Path = Path()
    """Where files may be written; it is the worker's own and goes with it."""
    saved: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """States that the piece before left, by the name given to `keep`."""
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    kept: dict[str, Stateful] = field(default_factory=dict)
    teacher: Teacher | None = None
    """Where the model learns from another one as well; see `distilled`."""
    distils: bool = False
    """Whether the training has asked for `distilled`."""

    def __post_init__(self) -> None:
        self.total = self.total or self.last

    def epochs(self) -> Iterator[int]:
        """Yield the epochs of this piece, each with all generators seeded for it."""
        for epoch in range(self.done + 1, self.last + 1):
            seed_everything(self.seed, epoch)
            yield epoch

    def report(self, epoch: int, **metrics: float) -> None:
        """Record the epoch's figures; one that is not finite ends the trial as a ConfigurationError."""
        self.history.append((int(epoch), self.finite(epoch, metrics)))

    def finite(self, epoch: int, metrics: Mapping[str, float]) -> dict[str, float]:
        """Return the figures as floats; ConfigurationError names the first that is NaN or infinite."""
        figures = {name: float(value) for name, value in metrics.items()}
        for name, value in figures.items():
            if not math.isfinite(value):
                raise ConfigurationError(
                    f"{name} is {value} in epoch {epoch} with parameters {dict(self.params)}: "
                    "the training diverged; lower the learning rate's upper end"
                )
        return figures

    def keep(self, **parts: Stateful) -> None:
        """Let these objects' states travel with the checkpoint; takes over what the piece before left."""
        for name, part in parts.items():
            if name in self.saved:
                part.load_state_dict(self.saved[name])
            self.kept[name] = part

    def distilled(
        self, loss: Tensor, outputs: Any, inputs: Any, *, classes: bool = True, unit: float = 1.0
    ) -> Tensor:
        """Return the loss with the teacher's share: (1 - weight)·loss + weight·distance from the teacher.

        `outputs` are the model's for `inputs`, a tensor or a tuple of them; class scores (logits) are on axis
        1. With `classes=False`, and for a single column, the distance is the mean squared error to the
        teacher's outputs, both divided by `unit`, as the loss may do; else the KL divergence of the softened
        classes times temperature², so that its gradient does not shrink with the temperature (Hinton, Vinyals
        and Dean, 2015, "Distilling the Knowledge in a Neural Network"). Without a teacher the loss comes back
        as it is.
        """
        self.distils = True
        if self.teacher is None:
            return loss
        with torch.no_grad():
            taught = self.teacher.model(*_tuple(inputs))
        temperature = self.teacher.temperature if classes else None
        pairs = zip(_tuple(outputs), _tuple(taught), strict=True)
        distances = torch.stack([_distance(own / unit, other / unit, temperature) for own, other in pairs])
        return (1 - self.teacher.weight) * loss + self.teacher.weight * distances.mean()


def _distance(own: Tensor, taught: Tensor, temperature: float | None) -> Tensor:
    """The mean over examples; of real values without a temperature."""
    own, taught = own.float(), taught.float()
    if temperature is None or own.ndim < 2 or own.shape[1] < 2:
        return functional.mse_loss(own, taught)
    softened = functional.log_softmax(own / temperature, 1)
    target = functional.log_softmax(taught / temperature, 1)
    divergence = functional.kl_div(softened, target, reduction="none", log_target=True).sum(1)
    return divergence.mean() * temperature**2


def _tuple(values: Any) -> tuple[Tensor, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)
