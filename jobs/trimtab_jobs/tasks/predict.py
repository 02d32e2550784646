"""A torch module seen as a function of arrays, as `Task.evaluate` takes it."""

from typing import Any

import torch
from torch import nn

from trimtab_jobs.tasks.base import Predict


def predict_with(model: nn.Module) -> Predict:
    """Return `predict` over the module in evaluation mode, on the device its weights are on."""
    device = device_of(model)

    def predict(*inputs: Any) -> Any:
        with torch.no_grad():
            outputs = model(*(torch.as_tensor(part).to(device) for part in inputs))
        if isinstance(outputs, tuple | list):
            return tuple(part.float().cpu().numpy() for part in outputs)
        return outputs.float().cpu().numpy()

    model.eval()
    return predict


def device_of(model: nn.Module) -> str:
    """Return the type of the device that holds the module's weights; the CPU when it has none."""
    weights = next(model.parameters(), None)
    return "cpu" if weights is None else weights.device.type
