"""Structured pruning: channels go in groups, the network still runs, and is rebuilt from what is left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.support.networks import NETWORKS, Residual
from tests.support.tasks import BLOBS, session_of, trial_work
from trimtab_jobs.measure.artifacts import fetch_model
from trimtab_jobs.measure.onnx_model import OnnxModel
from trimtab_jobs.pool import ConfigurationError, Session
from trimtab_jobs.stages.channels import Channels, cost_of, kept
from trimtab_jobs.stages.export_onnx import export
from trimtab_jobs.stages.prune_structured import UNTAUGHT, prune
from trimtab_jobs.stages.quantize_static import quantize
from trimtab_jobs.stages.widths import rebuild, resize, widths_of
from trimtab_jobs.tasks.predict import predict_with
from trimtab_jobs.tasks.trial import run_trial

HALVED = {
    "residual": {"stem.0": 8, "first": 16, "second": 8, "head": 3},
    "depthwise": {"layers.0": 16, "layers.1": 16, "layers.2": 16, "layers.5": 32, "layers.8": 3},
    "dense": {"left": 8, "right": 8, "middle": 24, "score": 3},
    "normed": {"first": 16, "narrow": 12, "once": 12, "again": 12, "last": 3},
    "transformer": {"encoder.layers.0.linear1": 32, "encoder.layers.1.linear2": 16, "head": 3},
    "own attention": {"queries_keys_values": 48, "out": 16, "block.0": 32, "block.2": 16, "head": 3},
}
"""Output channels by layer once half of those that can go have gone."""


def outputs_of(model: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[np.ndarray, ...]:
    outputs = predict_with(model)(*(part.numpy() for part in inputs))
    return outputs if isinstance(outputs, tuple) else (outputs,)


def width_of(layer: Any) -> int:
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels


@pytest.mark.parametrize("kind", NETWORKS)
def test_half_of_what_can_go_goes_and_the_network_is_rebuilt_from_the_rest(kind: str) -> None:
    build, inputs = NETWORKS[kind]
    model = build()
    channels = Channels(model, inputs(2), 0.5)
    before = cost_of(model, inputs(2))
    removed = [channels.remove(share) for share in (0.25, 0.5)]
    after = cost_of(model, inputs(2))
    assert {name: width_of(model.get_submodule(name)) for name in HALVED[kind]} == HALVED[kind]
    assert sum(removed) > 0
    assert (after.channels < before.channels, after.macs < before.macs) == (True, True)

    twin = build()
    weights = safetensors.torch.load(safetensors.torch.save(copied(model)))
    resize(twin, json.loads(json.dumps(widths_of(model))), weights)

    for rows in (1, 5):
        feed = inputs(rows)
        for own, other in zip(outputs_of(model, feed), outputs_of(twin, feed), strict=True):
            assert np.array_equal(own, other)
    assert widths_of(twin) == widths_of(model)


def copied(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_channels_that_do_nothing_go_first_and_without_any_difference() -> None:
    model, images = Residual().eval(), torch.randn(4, 1, 4, 4)
    idle = torch.tensor([1, 2, 3, 5, 8, 13, 21, 24, 25, 26, 27, 28, 29, 30, 31, 9])
    with torch.no_grad():
        model.first.weight[idle] = 0
        model.norm.weight[idle] = 0
        model.second.weight[:, idle] = 0
        model.second.weight[8:] = 0
        model.second.bias[8:] = 0
        model.stem[0].weight[8:] = 0
        model.stem[1].weight[8:] = 0
        model.head.weight[:, 8:] = 0
        model.first.weight[:, 8:] = 0
    before = outputs_of(model, (images,))

    Channels(model, (images,), 0.5).remove(0.5)

    assert np.allclose(outputs_of(model, (images,)), before, atol=1e-5)


def test_frozen_weights_stay_frozen() -> None:
    model = Residual()
    model.first.weight.requires_grad_(False)
    Channels(model, (torch.randn(2, 1, 4, 4),), 0.5).remove(0.5)
    assert [name for name, weights in model.named_parameters() if not weights.requires_grad] == [
        "first.weight"
    ]


class Fixed(nn.Module):
    """Nothing of it can go, since each width is counted on."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 16), nn.Linear(16, 3)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(features).reshape(-1, 4, 4).transpose(1, 2).reshape(-1, 16))


def test_a_network_of_which_nothing_can_go_stays_as_it_is() -> None:
    assert Channels(Fixed(), (torch.randn(2, 6),), 0.5).remove(0.5) == 0


class Hidden(nn.Module):
    """Its outputs cannot be followed back to its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 16)

    def forward(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"scores": self.layer(features)}


def test_a_network_that_cannot_be_followed_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigurationError, match=r"the network cannot be followed .*AttributeError"):
        Channels(Hidden(), (torch.randn(2, 6),), 0.5)


@given(
    st.integers(1, 64), st.sampled_from([1, 2, 3, 4, 8]), st.floats(0, 1, exclude_max=True), st.floats(0, 1)
)
def test_a_width_shrinks_with_the_share_and_keeps_its_parts(
    size: int, parts: int, share: float, more: float
) -> None:
    width = kept(size * parts, parts, share)
    assert 0 < width <= size * parts
    assert width % parts == 0
    assert kept(size * parts, parts, max(share, more)) <= width
    assert kept(size * parts, parts, 0) == size * parts
    if size * parts % 8 == 0:
        assert width % 8 == 0


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session in which one trial of a network of 64 hidden units has been trained and exported."""
    session = session_of(tmp_path_factory.mktemp("pruning"), BLOBS + OWN_LOOP, module="blobs_to_prune")
    run_trial(session, **trial_work(params=PARAMS, checkpoint="checkpoints/0.pt"))
    export(session, **written("fp32"))
    yield session
    session.close()


PARAMS = {"lr": 0.01, "width": 64}
CONFIG = {
    "ratio": 0.5,
    "steps": 2,
    "finetuneEpochs": 1,
    "distill": {"temperature": 2.0, "weight": 0.5},
}
OWN_LOOP = """

class Deaf(Blobs):
    def train(self, model, params, context):
        for epoch in context.epochs():
            context.report(epoch, loss=0.0)
"""


def written(candidate: str) -> dict[str, Any]:
    return {
        "candidate": candidate,
        "params": PARAMS,
        "checkpoint": "checkpoints/0.pt",
        "seed": 7,
        "opset": 21,
        "batch": "dynamic",
    }


def pruned(session: Session, candidate: str = "structured-0.5", **config: Any) -> dict[str, Any]:
    return prune(session, **written(candidate), parent="fp32", config=CONFIG | config)


def test_a_pruned_candidate_is_smaller_still_right_and_says_what_went(session: Session) -> None:
    made = pruned(session)
    changed = made["changed"]
    assert (changed["nothing"], changed["channels"], changed["remark"]) == (False, [67, 35], "")
    assert changed["what"].startswith("67 → 35 channels, 0.000387 → 0.000195 M parameters, 0.00032 → 0.00016")
    accuracy = session.task().quality(OnnxModel(fetch_model(session, "structured-0.5")).predict, "test")
    assert accuracy["accuracy"] > 0.9
    assert made["parity"]["top1Agreement"] > 0.9
    assert made["bytes"] == len(session.store.get("candidates/structured-0.5/model.onnx"))


def test_the_network_of_a_candidate_is_rebuilt_from_what_lies_beside_it(session: Session) -> None:
    pruned(session)
    folder = "candidates/structured-0.5"
    widths = json.loads(session.store.get(f"{folder}/widths.json"))
    weights = safetensors.torch.load(session.store.get(f"{folder}/weights.safetensors"))
    model = rebuild(session.task(), widths["params"], widths, weights)
    inputs = session.task().inputs(5)
    exported = OnnxModel(fetch_model(session, "structured-0.5")).predict(*inputs)
    assert np.allclose(predict_with(model)(*inputs), exported, atol=1e-5)


def test_pruning_gives_the_same_bytes_each_time(session: Session) -> None:
    files = ("model.onnx", "weights.safetensors", "widths.json")
    first, second = (
        (pruned(session, name), [session.store.get(f"candidates/{name}/{file}") for file in files])
        for name in ("one", "two")
    )
    assert first[1] == second[1]
    assert first[0]["sha256"] == second[0]["sha256"]


def test_a_pruned_candidate_can_be_quantized(session: Session) -> None:
    pruned(session)
    made = quantize(session, candidate="structured-0.5+int8", parent="structured-0.5", config={})
    assert made["changed"]["nothing"] is False


def test_a_ratio_that_removes_nothing_says_so_and_trains_nothing(session: Session) -> None:
    made = pruned(session, "slightly", ratio=0.01)
    assert made["changed"]["nothing"] is True
    assert made["parity"]["maxDiff"] == 0


def test_teacher_and_labels_lead_to_different_networks(session: Session) -> None:
    taught, alone, untrained = (
        pruned(session, "each", **config) for config in ({}, {"distill": None}, {"finetuneEpochs": 0})
    )
    assert len({made["sha256"] for made in (taught, alone, untrained)}) == 3


def test_a_loop_that_never_asks_for_the_teacher_is_told(session: Session, tmp_path: Path) -> None:
    deaf = session_of(tmp_path, BLOBS + OWN_LOOP, name="Deaf", module="deaf_to_prune")
    run_trial(deaf, **trial_work(params=PARAMS, checkpoint="checkpoints/0.pt"))
    export(deaf, **written("fp32"))
    assert pruned(deaf)["changed"]["what"].endswith(f"; {UNTAUGHT}")
    assert pruned(deaf, distill=None)["changed"]["remark"] == ""
    deaf.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"schemaVersion": 2}, "widths.json: schemaVersion 2 is not known", id="version"),
        pytest.param(
            {"modules": {"tail": {"in_features": 3}}}, "'tail' is no such layer of what build", id="layer"
        ),
        pytest.param({"modules": {"head": {"forward": 3}}}, "'head' is no such layer", id="attribute"),
        pytest.param({}, "weights.safetensors: not of what build", id="weights"),
    ],
)
def test_a_manifest_of_another_network_is_refused(change: dict[str, Any], message: str) -> None:
    manifest = widths_of(Residual()) | change
    weights = {} if not change else copied(Residual())
    with pytest.raises(ConfigurationError, match=message):
        resize(Residual(), manifest, weights)
