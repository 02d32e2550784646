"""A module's functions as a task: a training function, an objective, and what judges a given model."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.tasks import trial_work
from trimtab_jobs.pool import CodeError, ConfigurationError, Session
from trimtab_jobs.tasks.checkpoints import load_checkpoint
from trimtab_jobs.tasks.how_to import HOW_TO
from trimtab_jobs.tasks.loading import load_task
from trimtab_jobs.tasks.objective import onnx_bytes
from trimtab_jobs.tasks.rehearsal import rehearse
from trimtab_jobs.tasks.trial import describe, run_trial

JUDGED = """
import numpy as np
from sklearn import metrics as scores

epochs = 3
metrics = {"error": lambda rows: float(np.abs(rows["difference"]).mean())}


def points(split):
    ends = {"train": (0, 1), "validation": (1, 2), "test": (2, 3)}
    return np.linspace(*ends[split], 20, dtype=np.float32)[:, None]


def evaluate(predict, split):
    x = points(split)
    return {"difference": (predict(x) - 2 * x)[:, 0]}


def inputs(count):
    return (points("train")[:count],)
"""
TRAINING = (
    JUDGED
    + """
import torch
from torch import nn


def build(params):
    return nn.Linear(1, 1)


def fit(model, params, context, steps=4):
    optimizer = torch.optim.Adam(model.parameters(), lr=params["lr"])
    context.keep(optimizer=optimizer)
    x = torch.from_numpy(points("train"))
    for epoch in context.epochs():
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (model(x) - 2 * x).abs().mean()
            loss.backward()
            optimizer.step()
        context.report(epoch, loss=loss.item())
"""
)
LINE = """
from onnx import TensorProto, helper, numpy_helper


def line(slope):
    nodes = [helper.make_node("Mul", ["x", "slope"], ["y"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in ("x", "y")]
    weights = [numpy_helper.from_array(np.array([slope], np.float32), "slope")]
    graph = helper.make_graph(nodes, "line", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
"""
OBJECTIVE = (
    JUDGED
    + LINE
    + """

def objective(params, context):
    slope = params["slope"] + np.random.rand() / 100
    return {"error": abs(slope - 2) * 1.5, "onnx": line(slope)}
"""
)
SEARCH_ONLY = """
from sklearn import metrics

seen = []


class Count:
    def __init__(self):
        self.count = 0

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


epochs = 4


def objective(params, context, kept=False):
    count = Count()
    if kept:
        context.keep(count=count)
    for epoch in context.epochs():
        count.count += 1
        context.report(epoch, depth=params["depth"] * epoch)
    return {"depth": params["depth"] * context.last, "epochs": count.count}
"""


def failure_of(session: Session, **work: Any) -> str:
    with pytest.raises(CodeError) as failure:
        run_trial(session, **trial_work(objectives=[], **work))
    return str(failure.value)


def test_a_training_function_is_a_task_with_the_functions_beside_it(opened: Any) -> None:
    session = opened(TRAINING, "fit", steps=8)
    rehearse(session, params={})
    result = run_trial(session, **trial_work(objectives=["error"]))
    told = describe(session)
    assert (told["kind"], told["epochs"], told["metrics"], told["lacking"]) == ("module", 3, ["error"], "")
    assert [epoch for epoch, _ in result["history"]] == [1, 2, 3]
    assert list(result["metrics"]) == ["error"]


def test_a_training_function_goes_on_at_a_rung(opened: Any) -> None:
    session = opened(TRAINING, "fit")
    whole = run_trial(session, **trial_work(objectives=["error"], checkpoint="checkpoints/whole"))
    work = trial_work(objectives=["error"], last_epoch=1, checkpoint="checkpoints/1")
    first = run_trial(session, **work)
    rest = run_trial(session, **work | {"last_epoch": None, "resume": "checkpoints/1"})
    assert first["history"] + rest["history"] == whole["history"]
    assert rest["metrics"] == whole["metrics"]


def test_an_objective_returns_its_figures_and_an_onnx_file(opened: Any) -> None:
    session = opened(OBJECTIVE)
    rehearse(session, params={"slope": 1.9})
    result = run_trial(session, **trial_work(params={"slope": 1.9}, objectives=["error"]))
    again = run_trial(session, **trial_work(params={"slope": 1.9}, objectives=["error"]))
    state = load_checkpoint(session.store, result["checkpoint"], session.scratch)
    assert describe(session)["kind"] == "objective"
    assert result["metrics"] == again["metrics"], "the seed decides what it draws"
    assert onnx.load_from_string(state["onnx"].numpy().tobytes()).graph.node[0].op_type == "Mul"


def test_metrics_that_an_objective_does_not_return_are_those_of_its_model(opened: Any) -> None:
    session = opened(OBJECTIVE.replace('"error": abs', '"other": abs'))
    result = run_trial(session, **trial_work(params={"slope": 1.0}, objectives=["error"]))
    assert result["metrics"]["error"] == pytest.approx(1.5, rel=0.02)


def test_size_and_speed_of_an_objectives_model_can_be_objectives(opened: Any) -> None:
    figures = {"opset": 21, "batch": "dynamic", "calls": {"sizeMB": (None, 1)}}
    work = trial_work(params={"slope": 1.0}, objectives=["sizeMB"], figures=figures)
    assert 0 < run_trial(opened(OBJECTIVE), **work)["metrics"]["sizeMB"] < 0.001


@pytest.mark.parametrize(
    ("kept", "counted"), [(True, 4), (False, 4)], ids=["goes on from what it kept", "starts anew"]
)
def test_an_objective_that_is_stopped_early(opened: Any, kept: bool, counted: int) -> None:
    session = opened(SEARCH_ONLY, kept=kept)
    work = trial_work(params={"depth": 2}, objectives=["depth"], last_epoch=1, checkpoint="checkpoints/1")
    first = run_trial(session, **work)
    rest = run_trial(session, **work | {"last_epoch": 4, "resume": "checkpoints/1"})
    assert first["metrics"] == {"depth": 2.0, "epochs": 1.0}
    assert rest["metrics"] == {"depth": 8.0, "epochs": counted}
    assert [epoch for epoch, _ in rest["history"]] == ([2, 3, 4] if kept else [1, 2, 3, 4])


def test_an_objective_with_nothing_beside_it_says_what_a_model_would_need(opened: Any) -> None:
    told = describe(opened(SEARCH_ONLY))
    assert (told["kind"], told["metrics"], told["primary"]) == ("objective", [], None)
    assert told["lacking"] == (
        "user_task has no evaluate, no metrics; add:\n"
        "def evaluate(predict, split):\n"
        "    inputs, labels = ...  # arrays of the split: train, validation or test\n"
        "    return {'correct': predict(inputs).argmax(1) == labels}\n"
        "metrics = {'accuracy': lambda rows: rows['correct'].mean()}"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            '"onnx": line(slope)', '"onnx": 3', "returned a int under 'onnx'; return the", id="no file"
        ),
        pytest.param(
            ', "onnx": line(slope)', "", "returned no 'onnx', yet its module says how", id="no model"
        ),
        pytest.param("abs(slope - 2)", "'a'", "returned error='aaaa", id="no number"),
        pytest.param(
            'return {"error"', 'return None, {"error"', "returned a tuple; return a dict", id="tuple"
        ),
        pytest.param(
            "line(slope)}", "__file__}", "user_task.py' under 'onnx', which is no ONNX file", id="text"
        ),
        pytest.param(
            "metrics = {",
            "metric = {",
            "nothing says how to judge it: user_task has no metrics",
            id="metrics",
        ),
    ],
)
def test_an_objective_that_breaks_its_contract(opened: Any, before: str, after: str, said: str) -> None:
    source = OBJECTIVE.replace(before, after).replace("* 1.5", "* 4")
    assert said in failure_of(opened(source), params={"slope": 1.0})


def test_an_objective_that_the_function_does_not_return_is_named(opened: Any) -> None:
    with pytest.raises(CodeError) as failure:
        run_trial(opened(SEARCH_ONLY), **trial_work(params={"depth": 1}, objectives=["auc"]))
    assert str(failure.value) == (
        "spec.objectives: the objective returned no 'auc', only ['depth', 'epochs']; add 'auc' to it, or "
        "name one of these"
    )


def test_a_figure_that_is_not_finite_is_the_parameters_fault(opened: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"depth is inf in epoch 1 with parameters"):
        run_trial(opened(SEARCH_ONLY), **trial_work(params={"depth": float("inf")}, objectives=["depth"]))


@pytest.mark.parametrize(
    ("source", "name", "args", "said"),
    [
        pytest.param(
            TRAINING.replace("def build", "def make"),
            "fit",
            {},
            "user_task has no build; add:\ndef build(params):",
            id="no build",
        ),
        pytest.param(
            OBJECTIVE, "objective", {"depth": 3}, "an unexpected keyword argument 'depth'", id="args"
        ),
        pytest.param(
            JUDGED, "points", {}, "points(split) is neither a task nor one of its", id="one parameter"
        ),
    ],
)
def test_functions_that_make_no_task(opened: Any, source: str, name: str, args: Any, said: str) -> None:
    with pytest.raises(CodeError) as failure:
        opened(source, name, **args).task()
    assert str(failure.value).startswith(f"spec.task.entrypoint 'user_task:{name}': ")
    assert said in str(failure.value)


@pytest.mark.parametrize(("count", "rows"), [(5, 5), (64, 20)])
def test_without_inputs_they_are_drawn_from_what_the_train_split_asks(
    opened: Any, count: int, rows: int
) -> None:
    session = opened(TRAINING.replace("def inputs", "def _inputs"), "fit")
    (first,), (second,) = session.task().inputs(count), session.task().inputs(count)
    assert first.shape == (rows, 1)
    assert np.array_equal(first, second)
    assert np.all(np.isin(first, np.linspace(0, 1, 20, dtype=np.float32)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            '"train": (0, 1), ', "", "raised KeyError: 'train'; let it know the train split", id="none"
        ),
        pytest.param(
            "x = points(split)", "return {}", "'train') asks the model nothing; add:", id="no question"
        ),
    ],
)
def test_without_inputs_and_a_train_split_the_method_is_asked_for(
    opened: Any, before: str, after: str, said: str
) -> None:
    source = TRAINING.replace("def inputs", "def _inputs").replace(before, after)
    with pytest.raises(CodeError) as failure:
        opened(source, "fit").task().inputs(3)
    assert said in str(failure.value)
    assert str(failure.value).endswith(HOW_TO["inputs"])


def test_an_onnx_file_may_be_given_by_its_path(tmp_path: Path) -> None:
    space: dict[str, Any] = {"np": np}
    exec(LINE, space)
    model = space["line"](2.0)
    (tmp_path / "line.onnx").write_bytes(model.SerializeToString())
    assert onnx_bytes(str(tmp_path / "line.onnx")) == onnx_bytes(model)


def test_code_may_read_its_data_while_it_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    source = (
        "from trimtab_jobs import data_path\npath = data_path('rows')\ndef objective(params, context): ..."
    )
    for name in ("with_rows", "without_rows"):
        (tmp_path / f"{name}.py").write_text(source)
    load_task("with_rows:objective", {}, data={"rows": "/mnt/rows", "more": "/mnt/more"})
    assert sys.modules["with_rows"].path == "/mnt/rows"
    with pytest.raises(CodeError, match=r"there is no data 'rows'; there is more"):
        load_task("without_rows:objective", {}, data={"more": "/mnt/more"})


def test_a_script_may_parse_its_arguments_while_it_is_imported(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["worker.py", "--node=1"])
    parsing = "import argparse\nargs = argparse.ArgumentParser().parse_args()\n"
    session = opened(JUDGED + parsing + "def objective(params, context): return {}\n")
    assert describe(session)["kind"] == "objective"
    session.close()
    assert sys.argv == ["worker.py", "--node=1"]
