"""Predicts how far diabetes has progressed after a year, from ten measurements of a patient."""

import argparse

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--lr", type=float, default=3e-3)
parser.add_argument("--hidden", type=int, default=128)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", default="progression.pt")
args = parser.parse_args()
epochs = args.epochs
metrics = {"mae": lambda rows: rows["error"].mean()}

features, target = load_diabetes(return_X_y=True, scaled=True)
features, target = (features / features.std(0)).astype("float32"), target.astype("float32")
x_train, x_rest, y_train, y_rest = train_test_split(features, target, test_size=0.5, random_state=0)
x_val, x_test, y_val, y_test = train_test_split(x_rest, y_rest, test_size=0.6, random_state=0)
device = "cuda" if torch.cuda.is_available() else "cpu"


class Net(nn.Module):
    def __init__(self, hidden, dropout):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(10, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, x):
        return self.layers(x).squeeze(1) * 77 + 152


def build(params):
    vars(args).update(params)
    torch.manual_seed(args.seed)
    model = Net(args.hidden, args.dropout).to(device)
    return model


def train(model, params, context):
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    train_set = TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train))
    loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    criterion = nn.L1Loss()
    context.keep(optimizer=optimizer, scheduler=scheduler)
    for epoch in context.epochs():
        model.train()
        total = 0.0
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(x)
        scheduler.step()
        model.eval()
        with torch.no_grad():
            predicted = model(torch.from_numpy(x_val).to(device)).cpu().numpy()
        mae = abs(predicted - y_val).mean()
        print(f"epoch {epoch:3d}  train loss {total / len(x_train):6.2f}  validation MAE {mae:6.2f}")
        context.report(epoch, mae=mae)


def evaluate(predict, split):
    x, y = {"train": (x_train, y_train), "validation": (x_val, y_val), "test": (x_test, y_test)}[split]
    return {"error": abs(predict(x) - y)}
