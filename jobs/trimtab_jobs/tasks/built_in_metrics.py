"""Metrics of the tasks that need no code, beside those that every SupervisedTask has. Pure."""

from collections.abc import Mapping

import numpy as np

from trimtab_jobs.tasks.base import Array, Metric, Rows
from trimtab_jobs.tasks.metrics import rmse


def balanced_accuracy(rows: Rows) -> float:
    """Return the mean over classes of the share of their examples that is right."""
    _, label = np.unique(rows["label"], return_inverse=True)
    right = np.bincount(label, weights=rows["prediction"] == rows["label"])
    return float(np.mean(right / np.bincount(label)))


def macro_f1(rows: Rows) -> float:
    """Return the mean of F1 over the classes that are there or were predicted."""
    label, prediction = np.asarray(rows["label"]), np.asarray(rows["prediction"])
    sizes = [np.bincount(part, minlength=_classes(rows)) for part in (label, prediction)]
    right = np.bincount(label[label == prediction], minlength=_classes(rows))
    told = sizes[0] + sizes[1]
    return float(np.mean(2 * right[told > 0] / told[told > 0]))


def auc(rows: Rows) -> float:
    """Return the area under the ROC curve of the second of two classes; 0.5 where one has no example.

    By ranks (Hanley and McNeil, 1982): ties count half.
    """
    positive = np.asarray(rows["label"]) == 1
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return 0.5
    ranks = _ranks(np.asarray(rows["score"])[:, 1])
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def r2(rows: Rows) -> float:
    """Return the share of the target's variance that is explained; 0 where it has none."""
    target = np.asarray(rows["target"], np.float64)
    spread = float(np.sum((target - target.mean()) ** 2))
    left = float(np.sum((target - np.reshape(rows["prediction"], target.shape)) ** 2))
    return 1 - left / spread if spread else 0.0


def metrics_of_classes(classes: int) -> Mapping[str, Metric]:
    """Return what is told of a classification beside accuracy and loss."""
    area: Mapping[str, Metric] = {"auc": auc} if classes == 2 else {}
    return {"balancedAccuracy": balanced_accuracy, "f1": macro_f1, **area}


METRICS_OF_NUMBERS: Mapping[str, Metric] = {"rmse": rmse, "r2": r2}
"""What is told of a regression beside mean absolute error and loss."""


def joined(provided: Mapping[str, Metric], further: Mapping[str, Metric]) -> Mapping[str, Metric]:
    """Return all metrics: the first of `provided` ranks, `loss` comes last."""
    first = {name: metric for name, metric in provided.items() if name != "loss"}
    return {**first, **further, "loss": provided["loss"]}


def _classes(rows: Rows) -> int:
    return int(np.shape(rows["score"])[1])


def _ranks(values: Array) -> Array:
    """Ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Array = (last - (counts - 1) / 2)[place]
    return shared
