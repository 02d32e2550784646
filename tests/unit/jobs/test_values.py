"""One number per unit, whose mean is the metric, for any metric of rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from trimtab_jobs.measure.values import MAX_UNITS, checked_rows, values_of
from trimtab_jobs.tasks.metrics import Mean

CORRECT = (np.random.default_rng(0).random(200) < 0.9).astype(float)


def accuracy(rows: Mapping[str, Any]) -> float:
    return float(np.mean(rows["prediction"] == rows["label"]))


def auc(rows: Mapping[str, Any]) -> float:
    return float(roc_auc_score(rows["label"], rows["score"]))


def scored(count: int = 120) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    label = (np.arange(count) % 3 == 0).astype(int)
    return {"label": label, "score": label + rng.normal(0, 1.0, count)}


def test_a_mean_is_its_column() -> None:
    rows = {"correct": CORRECT}
    assert np.array_equal(values_of(Mean("correct"), rows), CORRECT)
    assert Mean("correct")(rows) == CORRECT.mean()


def test_an_accuracy_written_as_any_function_gives_zeros_and_ones() -> None:
    rows = {"prediction": CORRECT, "label": np.ones(200)}
    assert values_of(accuracy, rows) == pytest.approx(CORRECT, abs=1e-9)


def test_pseudo_values_of_the_area_under_the_curve_vary_as_delong_says() -> None:
    rows = scored()
    values = values_of(auc, rows)
    positive, negative = (rows["score"][rows["label"] == label] for label in (1, 0))
    wins = positive[:, None] > negative[None, :]  # DeLong: the variance of each side's placements
    delong = wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)
    assert values.mean() == pytest.approx(auc(rows), abs=0.01)
    assert values.var(ddof=1) / len(values) == pytest.approx(delong, rel=0.05)


def test_rows_of_a_group_are_one_unit() -> None:
    rows = {"correct": CORRECT, "group": np.repeat(np.arange(20), 10)}
    values = values_of(Mean("correct"), rows)
    assert values == pytest.approx(CORRECT.reshape(20, 10).mean(1))


def test_many_rows_are_left_out_in_the_same_blocks_for_every_model() -> None:
    label = np.arange(MAX_UNITS * 2) % 2
    rows = {"label": label, "prediction": np.zeros_like(label)}
    values = values_of(accuracy, rows)
    assert (len(values), values.mean()) == (MAX_UNITS, pytest.approx(0.5))
    assert np.array_equal(values, values_of(accuracy, rows))


def test_a_single_unit_is_the_metric_itself() -> None:
    rows = {"prediction": np.array([1]), "label": np.array([1])}
    assert values_of(accuracy, rows).tolist() == [1.0]


@pytest.mark.parametrize(
    ("rows", "lengths"),
    [
        pytest.param({}, "{}", id="no column"),
        pytest.param({"a": [1, 2], "b": [1]}, "{'a': 2, 'b': 1}", id="different lengths"),
        pytest.param({"a": []}, "{'a': 0}", id="no row"),
        pytest.param({"a": 1.0}, "{'a': 0}", id="a number"),
    ],
)
def test_rows_must_be_of_one_length(rows: dict[str, Any], lengths: str) -> None:
    with pytest.raises(ValueError, match="columns of one length") as failure:
        checked_rows(rows)
    assert str(failure.value).endswith(f"got {lengths}")


def test_rows_become_arrays() -> None:
    assert checked_rows({"a": [1, 2]})["a"].tolist() == [1, 2]
