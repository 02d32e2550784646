"""Small networks of the kinds that people bring, each with inputs of a few rows."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """A convolutional network whose blocks add what they were given."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.first = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.second = nn.Conv2d(32, 16, 3, padding=1)
        self.head = nn.Linear(16, 3)

    def forward(self, images: Tensor) -> Tensor:
        images = self.stem(images)
        images = images + self.second(torch.relu(self.norm(self.first(images))))
        return self.head(torch.relu(images).mean((2, 3)))


class Depthwise(nn.Module):
    """Convolutions by channel and by group, with a norm by group, flattened for the head."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.Conv2d(32, 32, 3, padding=1, groups=32),
            nn.Conv2d(32, 32, 1),
            nn.GroupNorm(4, 32),
            nn.PReLU(32),
            nn.Conv2d(32, 64, 3, padding=1, groups=4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 16, 3),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class Dense(nn.Module):
    """Two branches that are put side by side, and two outputs, one of them from the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(6, 16), nn.Linear(6, 24)
        self.middle = nn.Linear(40, 24)
        self.score = nn.Linear(24, 3)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        both = torch.cat([self.left(features), self.right(features)], 1)
        middle = self.middle(torch.relu(both))
        return self.score(torch.relu(middle)), middle


class Normed(nn.Module):
    """Linear layers with layer norms, a learnt scale, and weights that two layers share."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Linear(6, 32), nn.LayerNorm(32)
        self.scale = nn.Parameter(torch.ones(32))
        self.narrow = nn.Linear(32, 12)
        self.once, self.again = nn.Linear(12, 12), nn.Linear(12, 12)
        self.again.weight = self.once.weight
        self.last = nn.Linear(12, 3)

    def forward(self, features: Tensor) -> Tensor:
        features = functional.gelu(self.norm(self.first(features)) * self.scale)
        return self.last(self.again(self.once(self.narrow(features))))


class Transformer(nn.Module):
    """torch's own encoder layers over embedded words, with learnt positions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 32)
        self.places = nn.Parameter(torch.randn(1, 5, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 3)

    def forward(self, words: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(words) + self.places).mean(1))


class OwnAttention(nn.Module):
    """Attention written out, whose forward counts on the width of its heads, and a block after it."""

    def __init__(self) -> None:
        super().__init__()
        self.queries_keys_values = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16)
        self.block = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16))
        self.head = nn.Linear(16, 3)

    def forward(self, places: Tensor) -> Tensor:
        rows, length, _ = places.shape
        parts = self.queries_keys_values(places).reshape(rows, length, 3, 4, 4).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        places = places + self.out(attended.transpose(1, 2).reshape(rows, length, 16))
        return self.head((places + self.block(places)).mean(1))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[int], tuple[Tensor, ...]]]] = {
    "residual": (Residual, lambda rows: (torch.randn(rows, 1, 4, 4),)),
    "depthwise": (Depthwise, lambda rows: (torch.randn(rows, 1, 4, 4),)),
    "dense": (Dense, lambda rows: (torch.randn(rows, 6),)),
    "normed": (Normed, lambda rows: (torch.randn(rows, 6),)),
    "transformer": (Transformer, lambda rows: (torch.randint(0, 20, (rows, 5)),)),
    "own attention": (OwnAttention, lambda rows: (torch.randn(rows, 5, 16),)),
}
"""By kind how one is built, and inputs of so many rows."""
