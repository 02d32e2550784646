"""Weights that are there already: loaded as they are, and compressed without any training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model
from torch import nn

from tests.support.given import run_given
from tests.support.tasks import BLOBS
from trimtab_jobs.given.weights import load_given, read_weights
from trimtab_jobs.measure.onnx_model import OnnxModel

POINTS = torch.tensor([[0.0, 2.0], [2.0, 0.0], [-2.0, -2.0]])


class Tied(nn.Module):
    """Scores by the same matrix that looked the words up."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.scores = nn.Embedding(5, 4), nn.Linear(4, 5, bias=False)
        self.scores.weight = self.words.weight


def test_a_network_of_given_weights_is_compressed_as_it_is(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3)).eval()
    save_file(network.state_dict(), tmp_path / "m.safetensors")

    report = run_given(
        tmp_path, (BLOBS, "Blobs"), {"uri": str(tmp_path / "m.safetensors")}, compress={"quantize": ["fp16"]}
    )

    made = OnnxModel(tmp_path / "store/candidates/baseline/model.onnx").predict(POINTS.numpy())
    assert report.trials.total == 1
    assert np.allclose(made, network(POINTS).detach(), atol=1e-5)


def test_a_tensor_that_a_module_shares_may_be_there_once(tmp_path: Path) -> None:
    first, second = Tied(), Tied()
    save_model(first, str(tmp_path / "m.safetensors"))

    weights = read_weights(tmp_path / "m.safetensors")
    load_given(second, weights)

    assert len(weights) == 1
    assert torch.equal(second.words.weight, first.words.weight)
    assert second.scores.weight is second.words.weight


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool])
def test_tensors_of_any_type_that_torch_has_are_read(tmp_path: Path, dtype: torch.dtype) -> None:
    save_file({"w": torch.ones(3).to(dtype), "one": torch.tensor(1.0)}, tmp_path / "m.safetensors")

    assert read_weights(tmp_path / "m.safetensors")["w"].dtype == dtype
