"""ImageFolderTask: which images it finds, how it splits, decodes and varies them, and what it refuses."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from trimtab_jobs.pool import CodeError, ConfigurationError, Session, WorkerSetup
from trimtab_jobs.pool.base import DataPlace
from trimtab_jobs.stages.export_onnx import export
from trimtab_jobs.stages.quantize_static import quantize
from trimtab_jobs.tasks import ImageFolderTask
from trimtab_jobs.tasks.image_files import decode, find_images
from trimtab_jobs.tasks.image_folder import varied
from trimtab_jobs.tasks.image_network import RawPixels, network_of
from trimtab_jobs.tasks.trial import describe, run_trial

SHARES = (0.6, 0.2, 0.2)


def paint(file: Path, colour: tuple[int, int, int], seed: int, size: tuple[int, int] = (12, 8)) -> None:
    """A noisy picture of one colour."""
    noise = np.random.default_rng(seed).integers(-20, 20, (*size[::-1], 3))
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(file)


def fill(root: Path, count: int = 30) -> Path:
    for number in range(count):
        paint(root / f"red/{number:03}.png", (180, 60, 60), number)
        paint(root / f"blue/deep/{number:03}.jpg", (60, 60, 180), number + 1000)
    return root


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("images"))


@pytest.fixture
def root(kept: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(kept, tmp_path / "copy"))


def task(root: Path, **args: Any) -> ImageFolderTask:
    made = ImageFolderTask(**{"size": 8} | args)
    made.data = {"images": str(root)}
    return made


def refused(root: Path, **args: Any) -> str:
    with pytest.raises(CodeError) as told:
        task(root, **args).sizes()
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_folder_for_each_class_is_a_task(kept: Path) -> None:
    made = task(kept)
    assert made.sizes() == {"train": 36, "validation": 12, "test": 12}
    assert made.preprocessing()["output"] == {"classes": ["blue", "red"]}
    assert made.preprocessing()["channels"] == ["red", "green", "blue"]
    (pixels,) = made.inputs(4)
    assert (pixels.shape, pixels.dtype) == ((4, 3, 8, 8), np.float32)
    assert 20 < pixels.min() < pixels.max() < 220
    assert list(made.metric_functions()) == ["accuracy", "balancedAccuracy", "f1", "auc", "loss"]


def test_every_image_is_in_one_split_and_classes_are_shared_out_alike(kept: Path) -> None:
    images = find_images(kept, SHARES, 0)
    assert len(set(images.files)) == len(images.files) == 60
    for label in (0, 1):
        assert np.bincount(images.places[images.labels == label]).tolist() == [18, 6, 6]


def test_the_draw_does_not_depend_on_where_the_folder_lies_or_when_files_were_written(
    kept: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for file in sorted(kept.rglob("*.*"), reverse=True):
        (other / file.relative_to(kept)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, other / file.relative_to(kept))
    first, second = find_images(kept, SHARES, 0), find_images(other, SHARES, 0)
    assert [file.relative_to(kept) for file in first.files] == [
        file.relative_to(other) for file in second.files
    ]
    assert (first.places == second.places).all()


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        pytest.param(("train", "validation", "test"), [60, 60, 60], id="all"),
        pytest.param(("train", "test"), [46, 14, 60], id="no validation"),
        pytest.param(("train",), [36, 12, 12], id="train alone"),
    ],
)
def test_splits_may_be_given_as_folders(
    kept: Path, tmp_path: Path, folders: tuple[str, ...], expected: list[int]
) -> None:
    for folder in folders:
        shutil.copytree(kept, tmp_path / folder)
    assert np.bincount(find_images(tmp_path, SHARES, 0).places).tolist() == expected


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("RGB", 3), ("L", 1), ("RGBA", 3), ("P", 3), ("1", 1), ("I;16", 1), ("I;16", 3), ("LA", 1)],
)
def test_images_of_any_kind_are_brought_to_their_middle_square(
    tmp_path: Path, mode: str, channels: int
) -> None:
    bright = np.zeros((10, 20), np.uint16)
    bright[:, 3:17] = 255 if mode != "I;16" else 65535
    image = Image.fromarray(bright if mode == "I;16" else bright.astype(np.uint8))
    (image if mode == "I;16" else image.convert(mode)).save(tmp_path / "image.png")
    pixels = decode(tmp_path / "image.png", 5, channels)
    assert (pixels.shape, pixels.dtype) == ((channels, 5, 5), np.uint8)
    assert pixels.min() >= 250


def test_workers_of_one_node_share_the_decoded_images(kept: Path) -> None:
    first, second = (task(kept, epochs=epochs)._prepared.arrays["pixels"] for epochs in (1, 2))
    assert first.filename == second.filename
    assert first.shape == (60, 3, 8, 8)


def test_what_does_not_fit_is_decoded_each_time_to_the_same(kept: Path) -> None:
    lazy, cached = task(kept, cache_mb=0), task(kept)
    assert "pixels" not in lazy._prepared.arrays
    assert np.array_equal(lazy.inputs(60)[0], cached.inputs(60)[0])
    assert lazy._prepared.facts == cached._prepared.facts


def test_only_training_images_are_varied_and_by_torchs_seed(kept: Path) -> None:
    made, plain = task(kept, augment="flip, crop"), task(kept)
    torch.manual_seed(0)
    first = torch.stack([image for image, _ in made.datasets["train"]])
    torch.manual_seed(0)
    again = torch.stack([image for image, _ in made.datasets["train"]])
    once = torch.stack([image for image, _ in plain.datasets["train"]])
    assert torch.equal(first, again)
    assert not torch.equal(first, once)
    for split in ("validation", "test"):
        assert torch.equal(made.datasets[split][0][0], plain.datasets[split][0][0])
    assert np.array_equal(made.inputs(9)[0], plain.inputs(9)[0])


def test_a_varied_image_is_the_image_moved_or_mirrored() -> None:
    image = torch.arange(256.0).reshape(1, 16, 16)
    torch.manual_seed(0)
    seen = {tuple(varied(image, ("flip", "crop")).flatten().tolist()) for _ in range(300)}
    assert len(seen) == 2 * 5 * 5  # an eighth of 16 pixels to either side, in both directions
    assert tuple(image.flatten().tolist()) in seen
    assert varied(image, ()) is image


@pytest.mark.parametrize(("size", "blocks"), [(8, 2), (32, 3), (64, 3), (224, 3)])
def test_a_network_ends_in_a_score_for_each_class(size: int, blocks: int) -> None:
    pixels = RawPixels([120.0], [60.0])
    network = network_of(pixels, size, 1, 5, {"width": 8, "depth": 2}).eval()
    with torch.no_grad():
        assert network(torch.full((2, 1, size, size), 255.0)).shape == (2, 5)
    assert network[-1].in_features == 8 * 2 ** (blocks - 1)


# What is refused


@pytest.mark.parametrize(
    ("change", "args", "message"),
    [
        pytest.param(
            {"red/010.png": b"\x89PNG"}, {}, "red/010.png: cannot be decoded as an image", id="torn"
        ),
        pytest.param(
            {"red/010.png": b""}, {"cache_mb": 0}, "red/010.png: cannot be decoded", id="empty, lazily"
        ),
        pytest.param({"green/note.txt": b"."}, {}, "no image of class 'green' (.png, ", id="empty class"),
        pytest.param(
            {"test/red/1.png": b"."}, {}, "has a folder 'test' but none called 'train'", id="no train"
        ),
        pytest.param({}, {"split": "999,1,1"}, "of 60 images none is in validation", id="split empty"),
        pytest.param(
            {}, {"augment": "rotate"}, "args.augment: 'rotate' is unknown; name some of flip", id="augment"
        ),
        pytest.param({}, {"channels": 4}, "spec.task.args.channels: ", id="channels"),
        pytest.param({}, {"size": 2}, "spec.task.args.size: must be at least 4, got 2", id="size"),
    ],
)
def test_what_is_refused(root: Path, change: dict[str, bytes], args: dict[str, Any], message: str) -> None:
    for name, body in change.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)
    assert message in refused(root, **args)


def test_a_folder_of_another_shape_is_refused(tmp_path: Path) -> None:
    assert "has no folder in it; make one for each class" in refused(tmp_path)
    assert "is no folder; give one with a folder" in refused(tmp_path / "nowhere")
    paint(tmp_path / "red/1.png", (9, 9, 9), 0)
    assert "has one class only ('red')" in refused(tmp_path)


def test_broken_images_are_left_out_where_that_is_asked_for(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "red/010.png").write_bytes(b"")
    (root / "red/011.png").write_text("<html>404</html>")
    made = task(root, skip_broken=True)
    assert sum(size or 0 for size in made.sizes().values()) == 58
    assert "2 of 60 images cannot be decoded and are left out" in capsys.readouterr().out


def test_a_width_of_nothing_is_the_parameters_fault(kept: Path) -> None:
    with pytest.raises(ConfigurationError, match="parameter depth=0: must be at least 1"):
        task(kept).build({"depth": 0})


# The whole way


def test_a_trained_network_runs_on_integers_and_a_second_training_is_the_same(
    kept: Path, tmp_path: Path
) -> None:
    arguments = {"size": 8, "epochs": 2, "batch_size": 8, "augment": "flip,crop"}
    session = Session(
        WorkerSetup(
            str(tmp_path / "store"),
            "trimtab_jobs.tasks:ImageFolderTask",
            arguments,
            data={"a": DataPlace(str(kept))},
        )
    )
    assert describe(session)["primary"] == "accuracy"
    trial = {"trial": 0, "params": {"width": 8}, "seed": 7, "last_epoch": None, "resume": None}
    first, second = (
        run_trial(session, **trial, checkpoint=f"checkpoints/{number}/2.pt", objectives=["accuracy"])
        for number in range(2)
    )
    assert first["metrics"] == second["metrics"]
    work = {"params": {"width": 8}, "checkpoint": "checkpoints/0/2.pt", "seed": 7, "opset": 21}
    export(session, candidate="fp32", batch="dynamic", **work)
    made = quantize(session, candidate="int8", parent="fp32", config={"method": "minmax", "samples": 36})
    assert (made["changed"]["float"], made["changed"]["fused"]["QLinearConv"]) == (0, 6)
    assert made["parity"]["top1Agreement"] > 0.9
