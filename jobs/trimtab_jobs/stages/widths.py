"""The widths manifest, from which the network of a pruned candidate is rebuilt: no pickled object."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.tasks.base import Task

SCHEMA_VERSION = 1
ATTRIBUTES = (
    "in_channels",
    "out_channels",
    "groups",
    "in_features",
    "out_features",
    "num_features",
    "num_channels",
    "num_groups",
    "num_parameters",
    "normalized_shape",
    "embedding_dim",
    "embed_dim",
    "head_dim",
    "num_heads",
    "kdim",
    "vdim",
    "input_size",
    "hidden_size",
)
"""By which torch's layers know how wide they are."""
Widths = Mapping[str, Any]


def widths_of(model: nn.Module) -> dict[str, Any]:
    """Return the manifest: `schemaVersion`, and in `modules` the widths of each named module that has any."""
    found = {name: _widths(module) for name, module in model.named_modules()}
    return {"schemaVersion": SCHEMA_VERSION, "modules": {name: each for name, each in found.items() if each}}


def rebuild(
    task: Task, params: Mapping[str, Any], widths: Widths, weights: Mapping[str, Tensor]
) -> nn.Module:
    """Return the network that `task` builds for `params`, brought to `widths`, with `weights` in it.

    `weights` are those of `weights.safetensors` beside `widths.json`. ConfigurationError when they are not of
    the network that the task builds now.
    """
    model = task.build(params)
    resize(model, widths, weights)
    return model


def resize(model: nn.Module, widths: Widths, weights: Mapping[str, Tensor]) -> None:
    """Bring a network to the widths of the manifest, in place, and load the weights."""
    if widths.get("schemaVersion") != SCHEMA_VERSION:
        raise ConfigurationError(f"widths.json: schemaVersion {widths.get('schemaVersion')} is not known")
    modules = dict(model.named_modules())
    for name, attributes in widths["modules"].items():
        if name not in modules or not set(attributes) <= set(_widths(modules[name])):
            raise ConfigurationError(f"widths.json: {name!r} is no such layer of what build() returns")
        for attribute, value in attributes.items():
            setattr(modules[name], attribute, tuple(value) if isinstance(value, list) else value)
    _resize_tensors(modules, weights)
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigurationError(f"weights.safetensors: not of what build() returns: {reason}") from error


def _resize_tensors(modules: Mapping[str, nn.Module], weights: Mapping[str, Tensor]) -> None:
    """Replace every parameter and buffer that has another shape."""
    for name, module in modules.items():
        for key, tensor in [*module.named_parameters(name, False), *module.named_buffers(name, False)]:
            if key not in weights or weights[key].shape == tensor.shape:
                continue
            empty = torch.empty(weights[key].shape, dtype=tensor.dtype, device=tensor.device)
            if isinstance(tensor, nn.Parameter):
                empty = nn.Parameter(empty, requires_grad=tensor.requires_grad)
            setattr(module, key.rpartition(".")[2], empty)


def _widths(module: nn.Module) -> dict[str, int | list[int]]:
    """The widths that a module knows of itself, in the order of ATTRIBUTES."""
    known = {name: getattr(module, name, None) for name in ATTRIBUTES}
    found: dict[str, int | list[int]] = {}
    for name, value in known.items():
        if isinstance(value, int):
            found[name] = value
        elif isinstance(value, tuple):
            found[name] = list(value)
    return found
