"""The default optimizer, from the parameters of a trial that name its settings."""

from collections.abc import Mapping
from typing import Any

from torch import nn, optim

from trimtab_jobs.pool.errors import ConfigurationError

OPTIMIZERS: Mapping[str, type[optim.Optimizer]] = {
    "adamw": optim.AdamW,
    "adam": optim.Adam,
    "sgd": optim.SGD,
}
LEARNING_RATES: Mapping[str, float] = {"adamw": 1e-3, "adam": 1e-3, "sgd": 0.05}


def optimizer_of(model: nn.Module, params: Mapping[str, Any]) -> optim.Optimizer:
    """Return the optimizer that `optimizer`, `lr`, `weight_decay` and `momentum` describe; AdamW by default.

    ConfigurationError when `optimizer` names none of OPTIMIZERS.
    """
    name = str(params.get("optimizer", "adamw")).lower()
    if name not in OPTIMIZERS:
        raise ConfigurationError(
            f"parameter optimizer={params['optimizer']!r}: choose among {sorted(OPTIMIZERS)}, "
            "or define optimizer(self, model, params) in the task"
        )
    settings: dict[str, Any] = {"lr": float(params.get("lr", LEARNING_RATES[name]))}
    if "weight_decay" in params:
        settings["weight_decay"] = float(params["weight_decay"])
    if name == "sgd":
        settings["momentum"] = float(params.get("momentum", 0.9))
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    return OPTIMIZERS[name](trained, **settings)
