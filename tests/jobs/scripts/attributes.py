"""Tells which attributes a handwritten digit has: any number of them at once."""

import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

ATTRIBUTES = {"even": {0, 2, 4, 6, 8}, "prime": {2, 3, 5, 7}, "round": {0, 6, 8, 9}, "large": {5, 6, 7, 8, 9}}

images, digits = load_digits(return_X_y=True)
images = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
labels = torch.tensor([[float(digit in group) for group in ATTRIBUTES.values()] for digit in digits])
dataset = TensorDataset(images, labels)
train_set, val_set, test_set = random_split(dataset, [1000, 300, 497], torch.Generator().manual_seed(0))


class Net(nn.Module):
    def __init__(self, channels=32):
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(2 * channels * 4, len(ATTRIBUTES))

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.head(x.flatten(1))


def train_epoch(model, loader, optimizer):
    model.train()
    criterion = nn.BCEWithLogitsLoss()
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()


@torch.no_grad()
def score(model, loader):
    model.eval()
    predicted = np.concatenate([(model(x) > 0).numpy() for x, _ in loader])
    actual = np.concatenate([y.numpy() for _, y in loader])
    return f1_score(actual, predicted, average="micro")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--channels", type=int, default=32)
    args = parser.parse_args()

    torch.manual_seed(0)
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=100)
    test_loader = DataLoader(test_set, batch_size=100)
    model = Net(args.channels)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        train_epoch(model, train_loader, optimizer)
        print(f"epoch {epoch + 1}: F1 on validation {score(model, val_loader):.4f}")
    print(f"F1 on test {score(model, test_loader):.4f}")
    torch.save(model.state_dict(), "attributes.pt")


if __name__ == "__main__":
    main()
