"""A model that is given instead of trained: an ONNX file, or weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.jobs.test_tasks_functions import JUDGED, LINE, TRAINING
from tests.support.tasks import trial_work
from trimtab_jobs.pool import CodeError, GivenModel, Session
from trimtab_jobs.tasks.checkpoints import load_checkpoint
from trimtab_jobs.tasks.how_to import HOW_TO
from trimtab_jobs.tasks.rehearsal import rehearse
from trimtab_jobs.tasks.trial import describe, run_trial


@pytest.fixture
def given(opened: Any, tmp_path: Path) -> Any:
    """A session whose model is given: a line of slope 3."""

    def given(source: str, name: str) -> Session:
        session = opened(source, name)
        space: dict[str, Any] = {"np": np}
        exec(LINE, space)
        path = tmp_path / "line.onnx"
        path.write_bytes(space["line"](3.0).SerializeToString())
        session.setup = replace(session.setup, model=GivenModel(str(path)))
        return session

    return given


NO_TRAINING = JUDGED.replace("metrics = {", "figures = {") + (
    "from trimtab_jobs import Task\n"
    "class Judged(Task):\n"
    "    metrics = figures\n"
    "    def evaluate(self, predict, split): return evaluate(predict, split)\n"
    "    def inputs(self, count): return inputs(count)\n"
)


@pytest.mark.parametrize(
    ("source", "name"),
    [pytest.param(JUDGED, "evaluate", id="functions"), pytest.param(NO_TRAINING, "Judged", id="a class")],
)
def test_a_given_model_needs_no_training(given: Any, source: str, name: str) -> None:
    session = given(source, name)
    rehearse(session, params={})
    figures = {"opset": 21, "batch": "dynamic", "calls": {"sizeMB": (None, 1)}}
    result = run_trial(session, **trial_work(params={}, objectives=["error", "sizeMB"], figures=figures))
    assert describe(session)["kind"] == "given"
    assert result["metrics"]["error"] == pytest.approx(1.5)
    assert result["metrics"]["sizeMB"] > 0


def test_without_a_given_model_the_methods_that_train_are_asked_for(opened: Any) -> None:
    with pytest.raises(CodeError) as failure:
        opened(NO_TRAINING, "Judged").task()
    assert str(failure.value).endswith(f"Judged has no method 'build'; add:\n{HOW_TO['build']}")


def test_an_objective_takes_no_weights(opened: Any) -> None:
    session = opened(JUDGED + "def objective(params, context): ...\n", "objective")
    session.setup = replace(session.setup, model=GivenModel("line.safetensors"))
    with pytest.raises(
        CodeError, match=r"spec\.model\.pretrained: an objective is given no weights; remove it"
    ):
        describe(session)


def test_weights_that_are_given_are_the_baseline_as_they_are(opened: Any, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    weights = {"weight": torch.tensor([[2.0]]), "bias": torch.tensor([0.5])}
    save_file(weights, tmp_path / "line.safetensors")
    session = opened(TRAINING, "fit")
    session.setup = replace(session.setup, model=GivenModel(str(tmp_path / "line.safetensors")))
    rehearse(session, params={})
    baseline = run_trial(session, **trial_work(objectives=["error"], baseline=True))
    tuned = run_trial(session, **trial_work(objectives=["error"], baseline=False, checkpoint="checkpoints/1"))
    state = load_checkpoint(session.store, baseline["checkpoint"], session.scratch)
    assert (baseline["history"], baseline["metrics"]) == ([], {"error": pytest.approx(0.5)})
    assert torch.equal(state["model"]["bias"], weights["bias"])
    assert tuned["metrics"]["error"] < 0.5
