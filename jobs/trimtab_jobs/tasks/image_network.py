"""A compact residual network over raw pixels, of plain convolutions, batch norms, ReLUs and one linear layer.

He et al., "Deep residual learning for image recognition" (2016), the small variant for small images.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class RawPixels(nn.Module):
    """Pixels of 0..255 to mean 0 and deviation 1 per channel, the same shape (images, channels, size, size).

    A difference and a quotient, which ONNX Runtime's quantizer leaves in float.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).reshape(-1, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the standardized pixels."""
        return (pixels - self.mean) / self.deviation


class Residual(nn.Module):
    """Two convolutions beside a way past them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(before, after, stride)
        self.relu = nn.ReLU()
        self.second = convolution(after, after)
        same = before == after and stride == 1
        self.past = nn.Identity() if same else convolution(before, after, stride, kernel=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return (images, after, size / stride, size / stride)."""
        out: Tensor = self.relu(self.second(self.relu(self.first(images))) + self.past(images))
        return out


def convolution(before: int, after: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Return a convolution with its batch norm, which the export folds into one."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(after)
    )


def network_of(
    pixels: RawPixels, size: int, channels: int, classes: int, params: Mapping[str, Any]
) -> nn.Sequential:
    """Return the network: `depth` residual blocks per resolution, `width` channels at the first.

    Each further resolution has half the size and twice the channels. Images of 64 pixels or more are halved
    at once, of 128 or more twice.
    """
    width, depth = int(params.get("width", 32)), int(params.get("depth", 1))
    stem, size = stem_of(size, channels, width)
    blocks: list[nn.Module] = []
    before = width
    for level in range(3 if size >= 16 else 2):
        after = width * 2**level
        for block in range(depth):
            blocks.append(Residual(before, after, stride=2 if level and not block else 1))
            before = after
    head = [
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(float(params.get("dropout", 0.0))),
        nn.Linear(before, classes),
    ]
    return nn.Sequential(pixels, *stem, *blocks, *head)


def stem_of(size: int, channels: int, width: int) -> tuple[list[nn.Module], int]:
    """Return the layers before the residual blocks, and the size they leave."""
    halved = size >= 64
    stem: list[nn.Module] = [convolution(channels, width, stride=2 if halved else 1), nn.ReLU()]
    if size < 128:
        return stem, size // 2 if halved else size
    return [*stem, nn.MaxPool2d(2)], size // 4
