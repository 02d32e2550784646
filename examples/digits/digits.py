"""Handwritten digits of 8 by 8 pixels (1,797 in scikit-learn's package) and a small convolutional network."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import Subset, TensorDataset

from trimtab_jobs import SupervisedTask

TEST, VALIDATION = 540, 300


def block(channels_in: int, channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


class Digits(SupervisedTask):
    """Parameters: width, dropout, and what every SupervisedTask reads (lr, optimizer, momentum, …)."""

    epochs = 9
    batch_size = 32

    def splits(self):
        images, labels = load_digits(return_X_y=True)
        images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
        digits = TensorDataset(images, torch.tensor(labels))
        order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0)).tolist()
        return {
            "test": Subset(digits, order[:TEST]),
            "validation": Subset(digits, order[TEST : TEST + VALIDATION]),
            "train": Subset(digits, order[TEST + VALIDATION :]),
        }

    def build(self, params):
        width = params["width"]
        return nn.Sequential(
            block(1, width),
            block(width, width),
            block(width, 2 * width, stride=2),
            block(2 * width, 2 * width),
            block(2 * width, 4 * width, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(params.get("dropout", 0.0)),
            nn.Linear(4 * width, 10),
        )
