"""Writes data/digits.onnx, which stands for the model you already have: an fp32 network, made with torch."""

from pathlib import Path

import torch
from held_digits import datasets
from torch import nn
from torch.utils.data import DataLoader

EPOCHS = 5


def block(channels_in: int, channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


def train() -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(
        block(1, 32),
        block(32, 64, stride=2),
        block(64, 128, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(128, 10),
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.003)
    for _ in range(EPOCHS):
        for images, labels in DataLoader(datasets()["train"], batch_size=32, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images), labels).backward()
            optimizer.step()
    return network.eval()


def write(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    batch = torch.export.Dim("batch", min=1)
    program = torch.onnx.export(
        train(),
        (torch.rand(2, 1, 8, 8),),
        dynamo=True,
        dynamic_shapes=({0: batch},),
        input_names=["image"],
        output_names=["scores"],
        verbose=False,
    )
    program.save(path)
    print(f"Wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")


if __name__ == "__main__":
    write(Path(__file__).parent / "data/digits.onnx")
