"""What a model of handwritten digits is judged by: 1,797 images of 8 by 8 pixels from scikit-learn."""

import torch
from sklearn.datasets import load_digits
from torch.utils.data import Subset, TensorDataset

from trimtab_jobs import SupervisedTask

TEST, VALIDATION = 540, 300


def datasets():
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    digits = TensorDataset(images, torch.tensor(labels))
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0)).tolist()
    return {
        "test": Subset(digits, order[:TEST]),
        "validation": Subset(digits, order[TEST : TEST + VALIDATION]),
        "train": Subset(digits, order[TEST + VALIDATION :]),
    }


class Digits(SupervisedTask):
    """No network and no training: the model is a file, and only has to answer."""

    def splits(self):
        return datasets()
