"""Finds images of the same digit: a network learns where to put an image, not which digit it shows.

Its loss looks at all pairs of a batch, and its metric needs a gallery to search in: a loop and an evaluation
of its own. The digits are the 1,797 of scikit-learn's package.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from trimtab_jobs import Mean, Task

TEST, VALIDATION = 540, 300


def triplet_loss(places, digits, margin):
    """Each image's farthest of the same digit should be nearer than its nearest of another one."""
    apart = (places[:, None] - places[None]).square().sum(2)
    same = digits[:, None] == digits[None]
    farthest = apart.masked_fill(~same, 0).amax(1)
    nearest = apart.masked_fill(same, float("inf")).amin(1)
    return (farthest - nearest + margin).relu().mean()


class Retrieval(Task):
    """Parameters: lr, margin, width, and size, how many numbers stand for an image."""

    epochs = 8
    batch_size = 64
    metrics = {"precision": Mean("precision")}

    def __init__(self, **args):
        super().__init__(**args)
        images, digits = load_digits(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(digits))
        images = (images[order] / 16).reshape(-1, 1, 8, 8).astype("float32")
        bounds = {
            "test": (0, TEST),
            "validation": (TEST, TEST + VALIDATION),
            "train": (TEST + VALIDATION, None),
        }
        self.parts = {name: (images[a:b], digits[order][a:b]) for name, (a, b) in bounds.items()}

    def build(self, params):
        width = params["width"]
        return nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 16, params["size"]),
        )

    def train(self, model, params, context):
        device = next(model.parameters()).device
        images, digits = (torch.from_numpy(part).to(device) for part in self.parts["train"])
        optimizer = torch.optim.Adam(model.parameters(), lr=params["lr"])
        context.keep(optimizer=optimizer)  # its state travels with the checkpoint
        for epoch in context.epochs():
            model.train()
            for batch in torch.randperm(len(digits), device=device).split(self.batch_size):
                places = model(images[batch])
                loss = triplet_loss(places, digits[batch], params["margin"])
                loss = context.distilled(loss, places, images[batch], classes=False)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                context.report(epoch, **self.quality(self.asked(model, device), "validation"))

    def asked(self, model, device):
        """The network as evaluate() sees it: arrays in, arrays out."""
        return lambda images: model(torch.from_numpy(images).to(device)).cpu().numpy()

    def evaluate(self, predict, split):
        """Of each image the share of the same digit among the ten nearest images of train."""
        (gallery, shown), (images, digits) = self.parts["train"], self.parts[split]
        known, places = predict(gallery), predict(images)
        apart = (known**2).sum(1) - 2 * places @ known.T  # but for what all of a row have in common
        nearest = np.argpartition(apart, 10)[:, :10]
        return {"precision": (shown[nearest] == digits[:, None]).mean(1)}
