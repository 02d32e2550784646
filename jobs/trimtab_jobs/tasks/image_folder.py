"""ImageFolderTask: a folder of images for each class; everything else is provided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from trimtab_jobs.pool.errors import CodeError, ConfigurationError
from trimtab_jobs.tasks.arguments import chosen_data, read_arguments
from trimtab_jobs.tasks.base import Arrays, Metric
from trimtab_jobs.tasks.built_in_metrics import joined, metrics_of_classes
from trimtab_jobs.tasks.datasets import SPLITS, first_inputs
from trimtab_jobs.tasks.image_files import ImageArguments, Images, decode, decode_all, find_images
from trimtab_jobs.tasks.image_network import RawPixels, network_of
from trimtab_jobs.tasks.node_cache import Array, Prepared, key_of, prepared
from trimtab_jobs.tasks.supervised import SupervisedTask

AUGMENTATIONS = ("flip", "crop")
MOVED = 8
"""Part of the size by which a crop moves an image at most: an eighth."""
LEAST_DEVIATION = 1.0
"""Of a channel's values of 0..255: images of one colour have none."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pixels (images, channels, size, size) of all splits, in memory that the node's workers share."""

    pixels: Array

    def __getitem__(self, number: int) -> Array:
        """Return the pixels of one image, uint8."""
        found: Array = self.pixels[number]
        return found


@dataclass(frozen=True, slots=True)
class Undecoded:
    """Files that are decoded whenever they are asked for."""

    files: tuple[Path, ...]
    size: int
    channels: int

    def __getitem__(self, number: int) -> Array:
        """Return the pixels of one image, uint8."""
        return decode(self.files[number], self.size, self.channels)


@dataclass(frozen=True, slots=True)
class Examples(Dataset[tuple[Tensor, int]]):
    """Images of one split as float32 0..255 (channels, size, size), and their classes."""

    source: Decoded | Undecoded
    numbers: Array
    """Of the images of this split."""
    labels: Array
    """Of all images."""
    augment: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        """Return one image, varied by torch's generator, and its class."""
        number = self.numbers[place]
        image = torch.from_numpy(self.source[number].astype(np.float32))
        return varied(image, self.augment), int(self.labels[number])


class ImageFolderTask(SupervisedTask):
    """Classification of images; see docs/reference/built-in-tasks.md.

    The network takes float32 (images, channels, size, size) of 0..255. Parameters: width, depth, dropout,
    and what every SupervisedTask reads.
    """

    def __init__(self, **args: Any) -> None:
        self.arguments = read_arguments(ImageArguments, args)
        for name in self.arguments.augment:
            if name not in AUGMENTATIONS:
                raise CodeError(
                    f"spec.task.args.augment: {name!r} is unknown; name some of {', '.join(AUGMENTATIONS)}"
                )
        self.epochs = self.arguments.epochs
        self.batch_size = self.arguments.batch_size

    def splits(self) -> Mapping[str, Any]:
        """Return the images of train, validation and test."""
        augment = {"train": self.arguments.augment}
        return {split: self._examples(split, augment.get(split, ())) for split in SPLITS}

    def build(self, params: Mapping[str, Any]) -> nn.Module:
        """Return the residual network."""
        for name in ("width", "depth"):
            if name in params and int(params[name]) < 1:
                raise ConfigurationError(f"parameter {name}={params[name]}: must be at least 1")
        pixels = RawPixels(self._prepared.facts["mean"], self._prepared.facts["deviation"])
        told = self.arguments
        return network_of(pixels, told.size, told.channels, len(self.classes), params)

    def inputs(self, count: int) -> Arrays:
        """Return training images as they are in their files, for no two calls may differ."""
        return first_inputs(self._examples("train", ()), count)

    def preprocessing(self) -> Mapping[str, Any]:
        """Return how a file becomes an input, and the classes of the output."""
        told = self.arguments
        return {
            "input": "float32 (images, channels, height, width) of 0..255",
            "size": told.size,
            "channels": ["grey"] if told.channels == 1 else ["red", "green", "blue"],
            "resize": "turned as its EXIF says, the middle square, scaled bilinearly (Pillow's ImageOps.fit)",
            "output": {"classes": list(self.classes)},
        }

    def metric_functions(self) -> Mapping[str, Metric]:
        """Return accuracy, and what else is told of a classification."""
        return joined(super().metric_functions(), metrics_of_classes(len(self.classes)))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in the order of the network's outputs: the folders' names, sorted."""
        return self._images.classes

    def _examples(self, split: str, augment: Sequence[str]) -> Examples:
        whole = np.ones(len(self._images.files), np.bool_)
        whole[self._prepared.facts["broken"]] = False
        numbers = np.flatnonzero((self._images.places == SPLITS.index(split)) & whole)
        pixels = self._prepared.arrays.get("pixels")
        told = self.arguments
        files = self._images.files
        source = Undecoded(files, told.size, told.channels) if pixels is None else Decoded(pixels)
        return Examples(source, numbers, self._images.labels, augment)

    @property
    def _root(self) -> Path:
        return Path(chosen_data(self.data, self.arguments.data))

    @cached_property
    def _images(self) -> Images:
        return find_images(self._root, self.arguments.split, self.arguments.seed)

    @cached_property
    def _prepared(self) -> Prepared:
        told = self.arguments.model_dump(exclude={"data", "epochs", "batch_size", "augment"})
        key = key_of(self._root, self._images.files, "images", str(self._root), told)
        found = prepared(key, lambda folder: prepare(self._images, self.arguments, folder))
        if broken := found.facts["broken"]:
            print(f"{len(broken)} of {len(self._images.files)} images cannot be decoded and are left out")
        return found


def prepare(images: Images, arguments: ImageArguments, folder: Path) -> Mapping[str, Any]:
    """Decode every image, write the pixels into the folder where they fit, and return facts.

    `broken` are the numbers of files that cannot be decoded (CodeError unless they are to be skipped), `mean`
    and `deviation` those of the train split by channel.
    """
    shape = (len(images.files), arguments.channels, arguments.size, arguments.size)
    fits = np.prod(shape, dtype=np.int64) <= arguments.cache_mb * 1_000_000
    kept = (
        np.lib.format.open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape)
        if fits
        else None
    )
    sums = np.zeros((3, arguments.channels))  # of ones, values and squares over train
    broken = []
    for number, pixels in enumerate(decode_all(images.files, arguments.size, arguments.channels)):
        if isinstance(pixels, CodeError):
            if not arguments.skip_broken:
                raise pixels
            broken.append(number)
            continue
        if kept is not None:
            kept[number] = pixels
        if images.places[number] == 0:
            values = pixels.reshape(arguments.channels, -1).astype(np.float64)
            sums += [np.full(len(values), values.shape[1]), values.sum(1), np.square(values).sum(1)]
    if kept is not None:
        kept.flush()
    return {"broken": broken, **standard_of(sums)}


def standard_of(sums: Array) -> dict[str, list[float]]:
    """Return mean and deviation by channel from the sums of ones, values and squares (3, channels)."""
    count, total, squares = sums
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return {"mean": mean.tolist(), "deviation": np.maximum(deviation, LEAST_DEVIATION).tolist()}


def varied(image: Tensor, augment: Sequence[str]) -> Tensor:
    """Return the image (channels, size, size), mirrored and moved as torch's generator draws."""
    if "flip" in augment and torch.rand(()) < 0.5:
        image = image.flip(-1)
    if "crop" in augment:
        most = max(1, image.shape[-1] // MOVED)
        down, right = torch.randint(-most, most + 1, (2,)).tolist()
        # edges are repeated: the network must not learn what lies beyond them
        framed = nn.functional.pad(image[None], (most,) * 4, mode="replicate")[0]
        size = image.shape[-1]
        image = framed[:, most + down : most + down + size, most + right : most + right + size]
    return image
