"""Compressed models that no longer answer as their parents do, and that no limit speaks of."""

from collections.abc import Mapping

import numpy as np
import pytest

from trimtab_api.job import GuardrailLimit, Objective
from trimtab_jobs.guard import Candidate, Quality, Rules, order

FIGURES = {"latencyMs": 1.0, "latencyP95Ms": 1.0, "throughput": 1.0, "sizeMB": 1.0, "memoryMB": 1.0}
CLOSE = {"sqnrDb": 30.0, "top1Agreement": 0.99}
ALLOW = "on validation (n=300): limit a metric of quality to allow it"


def model(
    name: str, metrics: Mapping[str, float], parent: Candidate | None = None, parity=CLOSE
) -> Candidate:
    quality = Quality(metrics, {metric: np.array([value]) for metric, value in metrics.items()}, 300)
    small = FIGURES if parent is None else FIGURES | {"latencyMs": 0.5, "sizeMB": 0.5}
    return Candidate(name, quality, {"": small}, parent, parity=parity)


def verdict(rules: Rules, metrics: Mapping[str, float], before: Mapping[str, float], parity=CLOSE) -> str:
    parent = model("fp32", before)
    references = {"uncompressed": parent.quality, "baseline": parent.quality}
    return order(rules, [model("int8", metrics, parent, parity)], references).verdicts["int8"]


@pytest.mark.parametrize(
    ("parity", "said"),
    [
        pytest.param(CLOSE, "ok", id="close"),
        pytest.param({}, "ok", id="not compared"),
        pytest.param({"sqnrDb": 25.0, "top1Agreement": 0.7}, "ok", id="was not sure"),
        pytest.param(
            {"sqnrDb": 2.0, "top1Agreement": 0.0},
            f"rejected: top-1 agreement 0 < 0.9 {ALLOW}",
            id="other classes",
        ),
        pytest.param({"sqnrDb": 5.0, "top1Agreement": 0.97}, "ok", id="other scores, same classes"),
        pytest.param({"sqnrDb": 12.0}, "ok", id="other outputs, close"),
        pytest.param(
            {"sqnrDb": 3.0},
            f"rejected: outputs at 3 dB signal to noise < 10 {ALLOW}",
            id="other outputs, far",
        ),
        pytest.param(
            {"sqnrDb": np.nan},
            f"rejected: outputs at nan dB signal to noise < 10 {ALLOW}",
            id="no numbers",
        ),
    ],
)
def test_a_candidate_that_answers_otherwise_than_its_parent_is_rejected(
    parity: Mapping[str, float], said: str
) -> None:
    assert verdict(Rules(()), {"accuracy": 0.97}, {"accuracy": 0.97}, parity) == said


@pytest.mark.parametrize(
    ("metric", "before", "after", "said"),
    [
        pytest.param("accuracy", 0.9, 0.82, "ok", id="fell a little"),
        pytest.param("accuracy", 0.9, 0.5, f"rejected: accuracy 0.5 < 0.81 {ALLOW}", id="fell"),
        pytest.param("accuracy", 0.9, np.nan, f"rejected: accuracy nan < 0.81 {ALLOW}", id="no number"),
        pytest.param("rmse", 2.0, 3.9, "ok", id="grew a little"),
        pytest.param("rmse", 2.0, 9.0, f"rejected: rmse 9 > 4 {ALLOW}", id="grew"),
        pytest.param("score", 2.0, 9.0, "ok", id="nobody knows which way is better"),
    ],
)
def test_a_candidate_whose_metric_collapses_is_rejected(
    metric: str, before: float, after: float, said: str
) -> None:
    assert verdict(Rules(()), {metric: after}, {metric: before}) == said


def test_the_first_objective_of_quality_is_looked_at() -> None:
    objectives = (
        Objective(metric="latencyMs", direction="minimize"),
        Objective(metric="f1", direction="maximize"),
    )

    said = verdict(Rules((), objectives), {"accuracy": 0.9, "f1": 0.1}, {"accuracy": 0.9, "f1": 0.9})

    assert said == f"rejected: f1 0.1 < 0.81 {ALLOW}"


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        pytest.param({"metric": "accuracy", "maxDrop": 0.5}, "ok", id="on quality: it decides"),
        pytest.param(
            {"metric": "latencyMs", "max": 9},
            f"rejected: top-1 agreement 0.2 < 0.9 {ALLOW}; accuracy 0.6 < 0.81 {ALLOW}",
            id="on speed: it says nothing of quality",
        ),
    ],
)
def test_a_limit_on_quality_decides_instead(limit: Mapping[str, object], said: str) -> None:
    rules = Rules((GuardrailLimit.model_validate(limit),))

    found = verdict(rules, {"accuracy": 0.6}, {"accuracy": 0.9}, {"sqnrDb": 0.0, "top1Agreement": 0.2})

    assert found == said
