"""A trial in a worker: what it returns, that pieces equal a whole, and how it fails."""

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
import torch

from tests.support.tasks import BLOBS, session_of, trial_work
from trimtab_jobs.measure.artifacts import local_folder
from trimtab_jobs.pool import CodeError, ConfigurationError, Session
from trimtab_jobs.store import MissingError
from trimtab_jobs.tasks.checkpoints import load_checkpoint
from trimtab_jobs.tasks.trial import describe, run_trial


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = session_of(tmp_path)
    yield session
    session.close()


def weights(session: Session, key: str) -> torch.Tensor:
    """All weights of a checkpoint in one row."""
    state = load_checkpoint(session.store, key, session.scratch)
    return torch.cat([part.flatten() for part in state["model"].values()])


def test_the_driver_learns_what_a_task_is(session: Session) -> None:
    assert describe(session) == {
        "kind": "module",
        "lacking": "",
        "epochs": 4,
        "metrics": ["accuracy", "loss"],
        "proportions": ["accuracy"],
        "primary": "accuracy",
        "splits": {"train": 96, "validation": 60, "test": 60},
    }


def test_a_trial_returns_its_metrics_its_history_and_its_checkpoint(session: Session) -> None:
    result = run_trial(session, **trial_work())
    epochs, reports = zip(*result["history"], strict=True)
    assert (result["epoch"], result["checkpoint"], epochs) == (4, "checkpoints/0/4.pt", (1, 2, 3, 4))
    assert set(reports[0]) == {"trainLoss", "accuracy", "loss"}
    assert result["metrics"] == {name: reports[-1][name] for name in ("accuracy", "loss")}
    assert result["metrics"]["accuracy"] > 0.5
    assert result["seconds"] > 0
    assert session.store.list("checkpoints") == ["checkpoints/0/4.pt"]


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"lr": 0.01}, id="adamw"),
        pytest.param({"lr": 0.05, "optimizer": "sgd", "momentum": 0.8, "weight_decay": 0.01}, id="sgd"),
        pytest.param({"optimizer": "adam", "batch_size": 10}, id="adam, other batches"),
    ],
)
def test_a_trial_resumed_at_a_rung_equals_one_that_ran_through(session: Session, params: dict) -> None:
    whole = run_trial(session, **trial_work(params=params, checkpoint="checkpoints/whole.pt"))
    first = run_trial(session, **trial_work(params=params, last_epoch=1, checkpoint="checkpoints/1.pt"))
    rest = run_trial(
        session,
        **trial_work(params=params, resume="checkpoints/1.pt", checkpoint="checkpoints/2.pt"),
    )
    assert (first["epoch"], rest["epoch"]) == (1, 4)
    assert first["history"] + rest["history"] == whole["history"]
    assert torch.equal(weights(session, "checkpoints/2.pt"), weights(session, "checkpoints/whole.pt"))


def test_the_seed_alone_decides(session: Session) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        run_trial(session, **trial_work(seed=seed, checkpoint=f"checkpoints/{name}"))
    assert torch.equal(weights(session, "checkpoints/a"), weights(session, "checkpoints/b"))
    assert not torch.equal(weights(session, "checkpoints/a"), weights(session, "checkpoints/c"))


def test_a_trial_that_has_nothing_left_to_train_is_evaluated(session: Session) -> None:
    whole = run_trial(session, **trial_work())
    again = run_trial(
        session, **trial_work(resume="checkpoints/0/4.pt", last_epoch=2, checkpoint="checkpoints/again")
    )
    assert (again["history"], again["metrics"], again["epoch"]) == ([], whole["metrics"], 4)


def test_size_and_speed_can_be_objectives(session: Session) -> None:
    calls = {"sizeMB": (None, 1), "latencyMs": (2, 8), "throughput": (2, 8)}
    figures = {"opset": 20, "batch": "dynamic", "calls": calls}
    found = run_trial(session, **trial_work(objectives=[*calls], figures=figures))["metrics"]
    assert set(found) == {"accuracy", "loss", *calls}
    assert 0 < found["sizeMB"] < 0.01
    assert found["throughput"] == pytest.approx(8e3 / found["latencyMs"]), "both of calls of 8 rows"


@pytest.mark.parametrize(("batch", "axis"), [("dynamic", "batch"), (4, 4)])
def test_objectives_are_measured_of_the_model_that_export_asks_for(
    session: Session, batch: str | int, axis: str | int
) -> None:
    figures = {"opset": 20, "batch": batch, "calls": {"sizeMB": (None, 1)}}
    run_trial(session, **trial_work(objectives=["sizeMB"], figures=figures))
    model = onnx.load(local_folder(session, "trial") / "model.onnx")
    first = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert (model.opset_import[0].version, first.dim_param or first.dim_value) == (20, axis)


def test_a_missing_checkpoint_is_the_stores_failure(session: Session) -> None:
    with pytest.raises(MissingError):
        run_trial(session, **trial_work(resume="checkpoints/none.pt"))


def test_a_diverging_training_names_the_epoch_and_the_parameters(session: Session) -> None:
    with pytest.raises(ConfigurationError) as failure:
        run_trial(session, **trial_work(params={"lr": 1e30, "optimizer": "sgd"}))
    assert str(failure.value) == (
        "trainLoss is nan in epoch 1 with parameters {'lr': 1e+30, 'optimizer': 'sgd'}: "
        "the training diverged; lower the learning rate's upper end"
    )


def test_an_unknown_optimizer_names_the_choices(session: Session) -> None:
    with pytest.raises(
        ConfigurationError, match=r"optimizer='lion': choose among \['adam', 'adamw', 'sgd'\]"
    ):
        run_trial(session, **trial_work(params={"optimizer": "lion"}))


def test_an_objective_that_the_task_does_not_have_names_those_it_has(session: Session) -> None:
    with pytest.raises(CodeError) as failure:
        run_trial(session, **trial_work(objectives=["f1"]))
    assert str(failure.value) == (
        "spec.objectives: the task has no metric 'f1'; it has accuracy, loss, sizeMB, latencyMs, "
        "latencyP95Ms, throughput, memoryMB; add metrics = {'f1': lambda rows: ...} to it, or name one of "
        "these"
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param(
            "labels = torch.arange(count) % 3",
            "labels = torch.arange(count) % 3 * 0",
            r"splits\(\)\['train'\] holds one class only \(0\)",
            id="one class",
        ),
        pytest.param(
            '"test": blobs(60, 2)', '"test": blobs(0, 2)', r"splits\(\)\['test'\] is empty", id="empty split"
        ),
        pytest.param('"test": blobs(60, 2)', "", r"splits\(\) has no 'test'", id="split missing"),
    ],
)
def test_data_that_no_parameters_could_be_trained_on(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    session = session_of(tmp_path, BLOBS.replace(before, after))
    with pytest.raises(CodeError, match=message):
        describe(session)
    session.close()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param("return nn", "return lambda x: nn", "build.. returned a function", id="no module"),
        pytest.param("blobs(96, 0)", "iter([])", "'train'. is a list_iterator", id="no dataset"),
    ],
)
def test_code_that_breaks_its_contract(tmp_path: Path, before: str, after: str, message: str) -> None:
    session = session_of(tmp_path, BLOBS.replace(before, after))
    with pytest.raises(CodeError, match=message):
        run_trial(session, **trial_work())
    session.close()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param("points[33, 1] = float('nan')", "the input of example 33 holds a NaN", id="input"),
        pytest.param(
            "points[:] = float('inf')", "the input of example 0 holds a NaN or an infin", id="infinite"
        ),
    ],
)
def test_data_without_numbers_are_not_taken_for_a_training_that_diverges(
    tmp_path: Path, data: str, said: str
) -> None:
    drawn = "corners[labels] + 0.5 * torch.randn(count, 2, generator=draw)"
    source = BLOBS.replace(
        f"    return TensorDataset({drawn}, labels)",
        f"    points = {drawn}\n    {data}\n    return TensorDataset(points, labels)",
    )
    session = session_of(tmp_path, source)
    with pytest.raises(CodeError, match=rf"splits\(\)\['train'\]: {said}"):
        run_trial(session, **trial_work())
    session.close()


OWN_LOOP = """
import numpy as np
import torch
from torch import nn
from trimtab_jobs import Task


class Line(Task):
    epochs = 3
    slope = 2.0
    metrics = {"mae": lambda rows: float(np.abs(rows["error"]).mean())}
    reporting = True

    def build(self, params):
        return nn.Linear(1, 1)

    def train(self, model, params, context):
        optimizer = torch.optim.SGD(model.parameters(), lr=params["lr"])
        context.keep(optimizer=optimizer)
        for epoch in context.epochs():
            x = torch.rand(32, 1)
            loss = (model(x) - self.slope * x).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if self.reporting:
                context.report(epoch, mae=loss.item())

    def evaluate(self, predict, split):
        x = {"validation": np.linspace(0, 1, 20), "test": np.linspace(1, 2, 20)}[split]
        x = x.astype(np.float32)[:, None]
        return {"error": predict(x)[:, 0] - self.slope * x[:, 0]}

    def inputs(self, count):
        return (np.linspace(0, 1, count, dtype=np.float32)[:, None],)
"""


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_that_a_task_does_not_have_is_found_before_anything_is_trained(
    tmp_path: Path, split: str
) -> None:
    session = session_of(tmp_path, OWN_LOOP.replace(f'"{split}": ', '"other": '), "Line")
    with pytest.raises(
        CodeError, match=rf"evaluate\(predict, '{split}'\) raised KeyError: '{split}'; it must"
    ):
        describe(session)
    session.close()


@pytest.mark.parametrize(("reporting", "reports"), [(True, 3), (False, 0)], ids=["reports", "never reports"])
def test_a_task_with_its_own_loop(tmp_path: Path, reporting: bool, reports: int) -> None:
    session = session_of(tmp_path, OWN_LOOP, "Line", {"reporting": reporting, "slope": 3.0})
    result = run_trial(session, **trial_work(objectives=["mae"]))
    assert describe(session) == {
        "kind": "module",
        "lacking": "",
        "epochs": 3,
        "metrics": ["mae"],
        "proportions": [],
        "primary": "mae",
        "splits": {},
    }
    assert (len(result["history"]), list(result["metrics"]), result["epoch"]) == (reports, ["mae"], 3)
    session.close()
