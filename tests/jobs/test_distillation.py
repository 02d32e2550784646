"""A training with a teacher: the loss that comes back, and whether the loop ever asked for it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trimtab_jobs.tasks.context import Teacher, TrainContext

SCORES = torch.tensor([[0.0, 0.0], [1.0, -1.0]])
TAUGHT = torch.tensor([[2.0, 0.0], [1.0, -1.0]])


def context_with(teacher: Teacher | None) -> TrainContext:
    return TrainContext(params={}, seed=0, last=1, teacher=teacher)


def answers(outputs: Any, weight: float = 1.0, temperature: float = 2.0) -> Teacher:
    """A teacher that answers anything with the same outputs."""
    return Teacher(lambda *inputs: outputs, temperature, weight)


def test_without_a_teacher_the_loss_comes_back_as_it_is() -> None:
    context, loss = context_with(None), torch.tensor(0.7)
    assert context.distils is False
    assert context.distilled(loss, SCORES, SCORES) is loss
    assert context.distils is True


def test_classes_are_compared_at_the_temperature_and_scaled_back() -> None:
    context = context_with(answers(TAUGHT))
    share = 1 / (1 + math.exp(-1.0))  # of the first class in the first row, softened by 2
    divergence = share * math.log(2 * share) + (1 - share) * math.log(2 * (1 - share))
    loss = context.distilled(torch.tensor(9.0), SCORES, SCORES)
    assert float(loss) == pytest.approx(4 * divergence / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("outputs", "taught", "classes"),
    [
        pytest.param(SCORES, TAUGHT, False, id="values"),
        pytest.param(torch.zeros(4, 1), torch.ones(4, 1), True, id="one column has no classes"),
        pytest.param(torch.zeros(4), torch.ones(4), True, id="no column"),
    ],
)
def test_values_are_compared_by_squared_error(outputs: Tensor, taught: Tensor, classes: bool) -> None:
    context = context_with(answers(taught, weight=0.25))
    loss = context.distilled(torch.tensor(2.0), outputs, outputs, classes=classes)
    assert float(loss) == pytest.approx(0.75 * 2.0 + 0.25 * 1.0)


def test_several_outputs_count_alike() -> None:
    context = context_with(answers((TAUGHT, torch.ones(3))))
    both = context.distilled(torch.tensor(0.0), (SCORES, torch.zeros(3)), SCORES, classes=False)
    assert float(both) == pytest.approx(1.0)


def test_the_teacher_sees_the_same_inputs_and_learns_nothing() -> None:
    teacher = nn.Bilinear(2, 2, 3)
    context = context_with(Teacher(teacher))
    own = torch.zeros(4, 3, requires_grad=True)
    context.distilled(own.sum(), own, (torch.ones(4, 2), torch.ones(4, 2))).backward()
    assert own.grad is not None
    assert all(weights.grad is None for weights in teacher.parameters())


def test_a_schedule_runs_over_the_whole_training() -> None:
    assert TrainContext(params={}, seed=0, last=3).total == 3
    assert TrainContext(params={}, seed=0, last=3, total=9).total == 9
