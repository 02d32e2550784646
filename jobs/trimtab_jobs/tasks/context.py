"""TrainContext: a training's window on its trial: which epochs to run, where to report, what to keep."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

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


@dataclass(slots=True)
class TrainContext:
    """What `Task.train` gets.

    Epochs count from 1. A trial may run in pieces (rungs of early stopping): `done` epochs lie behind, and
    this piece goes up to and including `last`.
    """

    params: Mapping[str, Any]
    seed: int
    last: int
    done: int = 0
    data: Mapping[str, str] = field(default_factory=dict)
    """Local path of each entry of the manifest's `task.data`."""
    saved: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """States that the piece before left, by the name given to `keep`."""
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    kept: dict[str, Stateful] = field(default_factory=dict)

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
