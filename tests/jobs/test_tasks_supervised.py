"""The parts of a supervised task: losses, rows, metrics, schedule, and the datasets it takes."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import IterableDataset, TensorDataset

from trimtab_jobs import SupervisedTask
from trimtab_jobs.pool import CodeError
from trimtab_jobs.tasks.context import TrainContext
from trimtab_jobs.tasks.datasets import checked_splits, has_one_class, loader_of, on_device, size_of
from trimtab_jobs.tasks.metrics import Mean, micro_f1, rmse
from trimtab_jobs.tasks.predict import predict_with

COUNT = 40


class Stream(IterableDataset):
    """Examples one after the other, without a length."""

    def __init__(self, examples: Any) -> None:
        self.examples = examples

    def __iter__(self) -> Iterator[Any]:
        return iter(self.examples)


class Fitted(SupervisedTask):
    """A task over the given examples, the same in every split."""

    epochs = 2
    batch_size = 8

    def __init__(self, examples: Any, module: nn.Module) -> None:
        self.examples, self.module = examples, module

    def splits(self) -> Mapping[str, Any]:
        return dict.fromkeys(("train", "validation", "test"), self.examples)

    def build(self, params: Mapping[str, Any]) -> nn.Module:
        return self.module


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def trained(task: SupervisedTask, **params: Any) -> TrainContext:
    """The context after a whole training."""
    context = TrainContext(params=params, seed=0, last=task.epochs)
    torch.manual_seed(0)
    task.train(task.build(params), params, context)
    return context


def test_rows_of_classes() -> None:
    task = Fitted([], nn.Identity())
    scores = torch.tensor([[0.0, 0.0], [0.0, 1e4]])
    rows = task.rows(scores, torch.tensor([1, 1]))
    assert {name: column.tolist() for name, column in rows.items()} == {
        "loss": pytest.approx([np.log(2), 0.0]),
        "label": [1, 1],
        "prediction": [0, 1],
        "score": [[0.5, 0.5], [0.0, 1.0]],
        "correct": [0.0, 1.0],
    }


def test_rows_of_real_targets_do_not_broadcast() -> None:
    rows = Fitted([], nn.Identity()).rows(torch.tensor([[1.0], [2.0]]), torch.tensor([1.0, 4.0]))
    assert {name: column.tolist() for name, column in rows.items()} == {
        "loss": [0.0, 4.0],
        "target": [1.0, 4.0],
        "prediction": [[1.0], [2.0]],
        "absolute": [0.0, 2.0],
    }


def test_rows_of_several_labels_per_example_hold_the_share_that_is_right() -> None:
    scores = torch.tensor([[[9.0, 9.0], [0.0, 0.0]]])  # one example, two classes, two places
    rows = Fitted([], nn.Identity()).rows(scores, torch.tensor([[0, 1]]))
    assert (rows["correct"].tolist(), rows["loss"].shape) == ([0.5], (1,))


@pytest.mark.parametrize(
    ("labels", "proportion"),
    [pytest.param((COUNT,), True, id="one label"), pytest.param((COUNT, 4), False, id="several labels")],
)
def test_accuracy_is_a_proportion_of_examples_where_each_has_one_label(
    labels: tuple[int, ...], proportion: bool
) -> None:
    task = Fitted(TensorDataset(drawn(COUNT, 3), torch.ones(labels, dtype=torch.int64)), nn.Identity())
    assert task.metric_functions()["accuracy"] == Mean("correct", proportion=proportion)


class ScalarLoss(Fitted):
    def loss(self, outputs: Any, targets: torch.Tensor) -> torch.Tensor:
        first = outputs[0] if isinstance(outputs, tuple) else outputs
        return functional.cross_entropy(first, targets)


@pytest.mark.parametrize("several", [False, True], ids=["one output", "several outputs"])
def test_a_loss_that_is_a_mean_is_taken_apart_by_example(several: bool) -> None:
    scores, labels = drawn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    outputs = (scores, scores) if several else scores
    expected = functional.cross_entropy(scores, labels, reduction="none")
    task = ScalarLoss([], nn.Identity())
    assert torch.allclose(task._loss_per_example(outputs, labels), expected)


def test_a_regression_is_told_by_its_targets() -> None:
    torch.manual_seed(0)
    inputs = drawn(COUNT, 2).double()
    task = Fitted(TensorDataset(inputs, inputs.sum(1)), nn.Linear(2, 1))
    context = trained(task, lr=0.1, optimizer="sgd")
    assert list(task.metric_functions()) == ["mae", "loss"]
    assert context.history[-1][1]["loss"] < context.history[0][1]["loss"]
    task.check()


class Tagged(Fitted):
    multilabel = True


def test_rows_of_examples_with_several_labels() -> None:
    scores = torch.tensor([[2.0, -2.0], [2.0, 2.0]])
    rows = Tagged([], nn.Identity()).rows(scores, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    right, wrong = np.log1p(np.exp(-2)), np.log1p(np.exp(2))
    assert {name: column.tolist() for name, column in rows.items()} == {
        "loss": pytest.approx([right, (right + wrong) / 2]),
        "label": [[1, 0], [0, 1]],
        "prediction": [[1, 0], [1, 1]],
        "score": torch.sigmoid(scores).tolist(),
        "correct": [1.0, 0.0],
    }
    assert micro_f1(rows) == pytest.approx(4 / 5)


@pytest.mark.parametrize("kind", ["float", "long", "bool"])
def test_a_task_with_several_labels_learns_whatever_type_they_have(kind: str) -> None:
    torch.manual_seed(0)
    inputs = drawn(COUNT, 3)
    task = Tagged(TensorDataset(inputs, getattr(inputs > 0, kind)()), nn.Linear(3, 3))
    task.check()
    (_, first), (_, last) = trained(task, lr=0.1).history
    assert list(task.metric_functions()) == ["f1", "accuracy", "loss"]
    assert last["f1"] > first["f1"]


def test_f1_without_any_label_is_whole() -> None:
    nothing = np.zeros((3, 2), dtype=np.int64)
    assert micro_f1({"label": nothing, "prediction": nothing}) == 1.0


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        pytest.param(torch.arange(COUNT) % 2, r"a target of splits\(\)\['train'\] is 0; give", id="classes"),
        pytest.param(drawn(COUNT, 2), r"is \[.*\]; give one row of 0 and 1", id="reals"),
        pytest.param(torch.ones(COUNT, 2), "holds one class only", id="all the same"),
    ],
)
def test_targets_that_are_no_labels(targets: torch.Tensor, message: str) -> None:
    with pytest.raises(CodeError, match=message):
        Tagged(TensorDataset(drawn(COUNT, 2), targets), nn.Linear(2, 2)).check()


def test_rmse_does_not_broadcast() -> None:
    rows = {"target": np.array([1.0, 4.0]), "prediction": np.array([[1.0], [2.0]])}
    assert rmse(rows) == pytest.approx(np.sqrt(2))


class Ranked(Fitted):
    metrics: Mapping[str, Any] = {
        "wrong": lambda rows: 1 - rows["correct"].mean(),
        "loss": lambda rows: 0.0,
    }


def test_own_metrics_come_first_and_replace_those_of_the_same_name() -> None:
    task = Ranked(TensorDataset(drawn(COUNT, 2), torch.arange(COUNT) % 2), nn.Linear(2, 2))
    assert list(task.metric_functions()) == ["wrong", "loss", "accuracy"]
    quality = task.quality(predict_with(task.module), "test")
    assert quality["loss"] == 0.0
    assert quality["wrong"] == pytest.approx(1 - quality["accuracy"])


class Pair(nn.Module):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 3)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.layer(left + right), right


class PairTask(ScalarLoss):
    def rows(self, outputs: Any, targets: torch.Tensor) -> Mapping[str, Any]:
        return super().rows(outputs[0], targets)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        pytest.param(
            torch.tensor([0, 1, 2, 1]),
            "labels go from 0 to 2, but the network of build() has 2 outputs; it needs one for each class, "
            "and classes are counted from 0",
            id="label without an output",
        ),
        pytest.param(
            torch.tensor([0.5, 1.5, 2.5, 3.5]),
            "the network of build() gives the shape (4, 2) for targets of the shape (4,); give its last "
            "layer as many outputs as an example has targets",
            id="outputs without a target",
        ),
    ],
)
def test_a_last_layer_of_another_width_is_told_in_words(targets: torch.Tensor, message: str) -> None:
    with pytest.raises(CodeError) as failure:
        trained(Fitted(TensorDataset(drawn(4, 3), targets), nn.Linear(3, 2)))
    assert str(failure.value) == message


def test_a_model_may_have_several_inputs_and_outputs() -> None:
    examples = [((left, right), index % 3) for index, (left, right) in enumerate(drawn(COUNT, 2, 2))]
    task = PairTask(examples, Pair())
    assert len(trained(task).history) == 2
    assert [part.shape for part in task.inputs(5)] == [(5, 2), (5, 2)]


def test_examples_may_come_as_a_stream() -> None:
    examples = [(drawn(COUNT, 2)[index], index % 2) for index in range(COUNT)]
    task = Fitted(Stream(examples), nn.Linear(2, 2))
    task.check()
    assert len(trained(task).history) == 2
    assert task.sizes() == {"train": None, "validation": None, "test": None}
    assert np.array_equal(task.inputs(3)[0], np.stack([example[0] for example in examples[:3]]))


def test_a_stream_without_a_full_batch_is_refused() -> None:
    task = Fitted(Stream([(drawn(2), 0)] * 3), nn.Linear(2, 2))
    with pytest.raises(CodeError, match=r"splits\(\)\['train'\] gave no batch of 8 examples"):
        trained(task)


class Exhausted(Fitted):
    def splits(self) -> Mapping[str, Any]:
        return dict(super().splits()) | {"test": Stream([])}


def test_a_stream_without_examples_is_refused() -> None:
    task = Exhausted(Stream([(drawn(2), 0)] * 8), nn.Linear(2, 2))
    with pytest.raises(CodeError, match=r"splits\(\)\['test'\] is empty"):
        task.evaluate(predict_with(task.module), "test")


def test_a_training_set_smaller_than_a_batch_is_one_batch() -> None:
    examples = TensorDataset(drawn(5, 2), torch.tensor([0, 1, 0, 1, 0]))
    assert [len(batch[1]) for batch in loader_of(examples, 8, train=True)] == [5]
    assert [len(batch[1]) for batch in loader_of(examples, 2, train=True)] == [2, 2]
    assert [len(batch[1]) for batch in loader_of(examples, 2, train=False)] == [2, 2, 1]


def test_calibration_inputs_are_drawn_the_same_each_time() -> None:
    task = Fitted(TensorDataset(drawn(COUNT, 2), torch.arange(COUNT) % 2), nn.Linear(2, 2))
    (first,), (second,) = task.inputs(6), task.inputs(6)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, drawn(COUNT, 2)[:6].numpy())


@pytest.mark.parametrize("labels", [[0] * 600, [0] * 599 + [1]], ids=["one class", "two classes"])
@pytest.mark.parametrize("kind", [list, Stream], ids=["by number", "stream"])
def test_one_class_is_told_apart_from_a_rare_second(labels: list[int], kind: Any) -> None:
    assert has_one_class(kind([(0.0, label) for label in labels])) is (1 not in labels)


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        pytest.param([], r"splits\(\) returned a list; return a dict", id="no dict"),
        pytest.param(
            {"train": [(0, 0)]}, r"splits\(\) has no 'validation' \(only \['train'\]\)", id="missing"
        ),
        pytest.param(
            {"train": iter([]), "validation": [], "test": []},
            r"\['train'\] is a list_iterator",
            id="iterator",
        ),
        pytest.param({"train": {1: 2}, "validation": [], "test": []}, r"\['train'\] is a dict", id="dict"),
        pytest.param({"train": [], "validation": [], "test": []}, r"\['train'\] is empty", id="empty"),
    ],
)
def test_splits_that_are_no_datasets(splits: Any, message: str) -> None:
    with pytest.raises(CodeError, match=message):
        checked_splits(splits)


def test_an_example_must_be_a_pair() -> None:
    with pytest.raises(CodeError, match="must be a pair"):
        on_device(torch.zeros(3))


def test_an_example_that_is_a_dict_says_how_to_wrap_it() -> None:
    with pytest.raises(
        CodeError, match=r"is a dict of ids, label; wrap the dataset in one that returns pairs"
    ):
        on_device({"ids": torch.zeros(1), "label": torch.zeros(1)})


def test_types_become_the_usual_ones() -> None:
    (reals, bytes_), target = on_device(
        ((torch.zeros(1).double(), torch.zeros(1).byte()), torch.zeros(1).bool())
    )
    assert (reals.dtype, bytes_.dtype, target.dtype) == (torch.float32, torch.uint8, torch.int64)


def test_the_learning_rate_rises_shortly_and_falls_to_zero() -> None:
    rates = [Fitted([], nn.Identity()).schedule(progress / 100) for progress in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[5] == 1.0
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[-1] == pytest.approx(0.0)


def test_a_stream_may_tell_its_length() -> None:
    assert (size_of([1, 2]), size_of(Stream([1, 2]))) == (2, None)
