"""Which channels of a network can go, and taking them out. The only module that knows torch-pruning.

A channel never goes alone: what reads it and what is added to it has to go with it. torch-pruning finds these
groups by following a forward pass (Fang et al., 2023, "DepGraph: Towards Any Structural Pruning", CVPR), and
scores them; which groups may shrink, to what width, and whether the network still runs is decided here.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch_pruning  # type: ignore[import-untyped]  # ships no types
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torch_pruning import ops

from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.stages.quiet import quiet

ALIGNED = 8
"""Kernels work on so many channels at once: a width that is a multiple of it stays one."""
PRUNABLE = (ops.TORCH_CONV, ops.TORCH_LINEAR)


@dataclass(frozen=True, slots=True)
class Cost:
    """How large a network is: output channels of its convolutions and linear layers, and what they take."""

    channels: int
    params: int
    macs: int
    """Multiplications and additions for one row."""


class Channels:
    """The groups of channels that can leave a network, round by round."""

    def __init__(self, model: nn.Module, inputs: tuple[Tensor, ...], share: float) -> None:
        """Follow the network on `inputs`; `share` is the largest that will be asked for.

        Groups that the outputs depend on stay, and those without which the network no longer runs.
        ConfigurationError when it cannot be followed at all.
        """
        roots = _roots_of(model, inputs)
        if not _runs_without(model, inputs, roots, share):
            # one at a time: an attention's heads, say, may be counted on by number in the user's own forward
            roots = [root for root in roots if _runs_without(model, inputs, [root], share)]
            if not _runs_without(model, inputs, roots, share):
                raise ConfigurationError(
                    "compress.prune.structured: the network no longer runs once channels are removed; its "
                    "forward pass may count on fixed widths: leave structured pruning out"
                )
        self._graph = _Graph(model, inputs)
        self._initial = self._graph.widths(roots)

    def remove(self, share: float) -> int:
        """Take out the channels of least importance until `share` of the first widths is gone.

        Return how many went. Each group is ranked on its own by the norm of all weights that would go with a
        channel, so that every layer keeps its share of the network.
        """
        targets = {root: kept(width, parts, share) for root, (width, parts) in self._initial.items()}
        return self._graph.shrink(targets)


def cost_of(model: nn.Module, inputs: tuple[Tensor, ...]) -> Cost:
    """Return the network's cost in evaluation mode, on the device of `inputs`."""
    model.eval()
    # with gradients, since the fused kernels of inference are not counted
    with quiet(), torch.enable_grad(), FlopCounterMode(display=False) as counter:
        model(*inputs)
    return Cost(
        channels=sum(_width(layer) for layer in model.modules() if isinstance(layer, PRUNABLE)),
        params=sum(weights.numel() for weights in model.parameters()),
        macs=counter.get_total_flops() // 2 // len(inputs[0]),
    )


def kept(width: int, parts: int, share: float) -> int:
    """Return the width that is left when `share` of it goes: each of its `parts` keeps the same number.

    A multiple of ALIGNED where the width was one, the nearest; never nothing.
    """
    size = width // parts
    unit = ALIGNED // math.gcd(ALIGNED, parts) if width % ALIGNED == 0 else 1
    units = max(1, math.ceil(size * (1 - share) / unit - 0.5))
    return min(size, units * unit) * parts


class _Graph:
    """torch-pruning's view of a network: roots are the layers by whose names groups go."""

    def __init__(self, model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        trained = {name: weights.requires_grad for name, weights in model.named_parameters()}
        self._importance = torch_pruning.importance.GroupMagnitudeImportance(p=2)
        self._model = model
        self._frozen = [name for name, learns in trained.items() if not learns]
        model.requires_grad_(True)  # a weight that needs no gradient leaves no trace
        try:
            with quiet(), torch.enable_grad():
                self._dependencies = torch_pruning.DependencyGraph().build_dependency(
                    model, inputs, output_transform=_marked
                )
        except Exception as error:  # whatever the library, or the user's forward under it, raises
            first_line = str(error).strip().partition("\n")[0]
            raise ConfigurationError(
                "compress.prune.structured: the network cannot be followed from its outputs to its weights "
                f"({type(error).__name__}: {first_line[:200]}): leave structured pruning out"
            ) from error
        finally:
            self._freeze()
        self._names = {layer: name for name, layer in model.named_modules()}

    def widths(self, roots: Sequence[str] | None = None) -> dict[str, tuple[int, int]]:
        """Return by root how many channels there are, and in how many parts that have to stay alike."""
        return {
            name: (len(group[0].idxs), _parts(group))
            for name, group in self._groups()
            if roots is None or name in roots
        }

    def shrink(self, targets: dict[str, int]) -> int:
        """Bring the groups of these roots to their target widths; return how many channels went."""
        removed = 0
        with quiet(), torch.no_grad():
            # all are ranked before any shrinks: a group's weights are shared with its neighbours
            ranked = [
                (group, _least(self._importance(group), _parts(group), targets[name]))
                for name, group in self._groups()
                if name in targets
            ]
            for group, indices in ranked:
                if indices:
                    root = group[0].dep
                    fresh = self._dependencies.get_pruning_group(root.target.module, root.handler, indices)
                    fresh.prune(record_history=False)
                    removed += len(indices)
        self._freeze()
        return removed

    def _groups(self) -> Iterator[tuple[str, Any]]:
        """Yield root and group, but for those that an output is made of, or weights that layers share."""
        with quiet():
            found = list(self._dependencies.get_all_groups(root_module_types=PRUNABLE))
        shared = _shared(self._model)
        for group in found:
            members = [dependency.target.module for dependency, _ in group]
            if not any(isinstance(member, ops._OutputOp) or member in shared for member in members):
                yield self._names[group[0].dep.target.module], group

    def _freeze(self) -> None:
        for name, weights in self._model.named_parameters():
            weights.requires_grad_(name not in self._frozen)


def _roots_of(model: nn.Module, inputs: tuple[Tensor, ...]) -> list[str]:
    return list(_Graph(model, inputs).widths())


def _runs_without(model: nn.Module, inputs: tuple[Tensor, ...], roots: Sequence[str], share: float) -> bool:
    """Whether a copy of the network gives outputs of the same shapes without that share of these groups."""
    twin = copy.deepcopy(model)
    channels = _Graph(twin, inputs)
    before = _shapes(model, inputs)
    try:
        channels.shrink({root: kept(*each, share) for root, each in channels.widths(roots).items()})
        return _shapes(twin, inputs) == before
    except Exception:  # shapes that do not fit are raised as anything
        return False


def _shared(model: nn.Module) -> set[nn.Module]:
    """The layers with a weight that another layer has, too, which torch-pruning would cut apart."""
    holders: dict[nn.Parameter, list[nn.Module]] = {}
    for name, weights in model.named_parameters(remove_duplicate=False):
        holders.setdefault(weights, []).append(model.get_submodule(name.rpartition(".")[0]))
    return {layer for layers in holders.values() if len(layers) > 1 for layer in layers}


def _shapes(model: nn.Module, inputs: tuple[Tensor, ...]) -> list[torch.Size]:
    model.eval()
    with quiet(), torch.no_grad():
        return [output.shape for output in _tensors(model(*inputs))]


def _marked(outputs: Any) -> list[Tensor]:
    """The outputs behind one more operation each, which makes torch-pruning mark them as outputs."""
    return [output * 1 for output in _tensors(outputs) if output.requires_grad]


def _tensors(outputs: Any) -> list[Tensor]:
    return list(outputs) if isinstance(outputs, tuple | list) else [outputs]


def _parts(group: Any) -> int:
    """Parts of a group's channels that must stay equally wide: grouped convolutions, norms, and heads."""
    return math.lcm(*(_parts_of(dependency.target.module) for dependency, _ in group))


def _parts_of(layer: Any) -> int:
    if isinstance(layer, ops.TORCH_CONV):
        return 1 if layer.groups == layer.out_channels else layer.groups
    if isinstance(layer, nn.GroupNorm):
        return layer.num_groups
    return layer.num_heads if isinstance(layer, nn.MultiheadAttention) else 1


def _least(importance: Tensor | None, parts: int, target: int) -> list[int]:
    """The channels to remove, the same ones in each part; none where nothing is known of them."""
    if importance is None or len(importance) <= target:
        return []
    by_place = importance.view(parts, -1).mean(0).cpu()
    places = by_place.argsort(stable=True)[: len(by_place) - target // parts]
    return sorted(int(place) + part * len(by_place) for part in range(parts) for place in places)


def _width(layer: Any) -> int:
    width: int = layer.out_channels if isinstance(layer, ops.TORCH_CONV) else layer.out_features
    return width
