"""Images in a folder per class: found, split and decoded; a file that is no image is named."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps
from pydantic import Field

from trimtab_jobs.pool.errors import CodeError
from trimtab_jobs.tasks.arguments import SHARES, Arguments, Name, Names, Seed, Shares, Whole
from trimtab_jobs.tasks.datasets import SPLITS
from trimtab_jobs.tasks.drawing import draw_rows

Array = np.ndarray[Any, np.dtype[Any]]
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
DECODERS = 8
"""Threads that decode at once; the one worker of a node that decodes has its processors for itself."""
AT_ONCE = 256
"""Images between two looks at what the threads have done."""


class ImageArguments(Arguments):
    """`spec.task.args` of ImageFolderTask."""

    data: Name | None = None
    """Which set of `spec.task.data` is the folder; omitted: the first."""
    size: int = Field(default=32, ge=4, le=1024)
    """Height and width that images are brought to, in pixels."""
    channels: Literal[1, 3] = 3
    """1: grey; 3: red, green, blue."""
    augment: Names = ()
    """How training images are varied, separated by commas: flip (left and right), crop (moved a little)."""
    split: Shares = SHARES
    """Shares of train, validation and test, where the folder has no folders of these names."""
    seed: Seed = 0
    """Seed of the draw of splits."""
    skip_broken: bool = False
    """Leave out files that cannot be decoded, and print how many, instead of stopping at the first."""
    cache_mb: int = Field(default=4096, ge=0)
    """Decoded images up to this size are kept on the node; more are decoded again each time."""
    epochs: Whole = 20
    """Epochs of a full training."""
    batch_size: Whole = 64
    """Images per step, unless a parameter of that name is searched."""


@dataclass(frozen=True, slots=True)
class Images:
    """The files of a folder in the order of their names, with class and split (0, 1, 2) of each."""

    files: tuple[Path, ...]
    classes: tuple[str, ...]
    labels: Array
    places: Array


def find_images(root: Path, shares: Sequence[float], seed: int) -> Images:
    """Return the images of root/class/ or of root/train/class/, root/validation/class/, root/test/class/.

    A split without a folder is drawn from train. CodeError for a folder of another shape.
    """
    if not root.is_dir():
        raise CodeError(f"{root}: is no folder; give one with a folder of images for each class")
    given = [split for split in SPLITS if (root / split).is_dir()]
    if given and "train" not in given:
        raise CodeError(f"{root}: has a folder {given[0]!r} but none called 'train'; add it")
    roots = [root / split for split in given] or [root]
    classes = sorted({folder.name for each in roots for folder in _folders(each)})
    found = [
        (place, number, file)
        for place, each in enumerate(roots)
        for number, name in enumerate(classes)
        for file in _images(each / name)
    ]
    _check_shape(root, classes, found)
    origin, labels = (np.array([each[part] for each in found]) for part in (0, 1))
    places = _places(origin, labels, given, shares, seed)
    _check_splits(root, classes, labels, places)
    return Images(tuple(file for _, _, file in found), tuple(classes), labels.astype(np.int64), places)


def _places(origin: Array, labels: Array, given: Sequence[str], shares: Sequence[float], seed: int) -> Array:
    """The split of each image: of the folder it lies in; what has no folder is drawn from the first."""
    own = np.array([SPLITS.index(split) for split in given] or [0])
    places = own[origin].astype(np.int8)
    drawn = [0.0 if place and SPLITS[place] in given else share for place, share in enumerate(shares)]
    first = places == 0
    places[first] = draw_rows(labels[first], [share / sum(drawn) for share in drawn], seed)
    return places


def decode(file: Path, size: int, channels: int) -> Array:
    """Return the image as uint8 (channels, size, size): its middle square, scaled.

    CodeError names a file that cannot be decoded.
    """
    try:
        with Image.open(file) as opened:
            image = _of_channels(ImageOps.exif_transpose(opened), channels)
            square = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise CodeError(
            f"{file}: cannot be decoded as an image ({str(error) or type(error).__name__}); replace it, or "
            'set spec.task.args.skip_broken to "true"'
        ) from None
    pixels = np.asarray(square, np.uint8)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def decode_all(files: Sequence[Path], size: int, channels: int) -> Iterator[Array | CodeError]:
    """Yield what each file decodes to, or why it does not, in their order."""

    def attempt(file: Path) -> Array | CodeError:
        try:
            return decode(file, size, channels)
        except CodeError as error:
            return error

    with ThreadPoolExecutor(DECODERS) as threads:
        for start in range(0, len(files), AT_ONCE):
            yield from threads.map(attempt, files[start : start + AT_ONCE])


def _of_channels(image: Image.Image, channels: int) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # more than 8 bits, which Pillow would cut off rather than scale
        values = np.asarray(image, np.float64)
        most = 65535 if values.max(initial=0) > 255 else 255
        image = Image.fromarray((values.clip(0, most) * (255 / most)).astype(np.uint8))
    return image.convert("L" if channels == 1 else "RGB")


def _folders(root: Path) -> list[Path]:
    return sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith((".", "_")))


def _images(folder: Path) -> list[Path]:
    """The images of a class, in folders below it too, by their path."""
    found = [file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()]
    shown = [
        file for file in found if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    return sorted(shown, key=lambda file: file.relative_to(folder).as_posix())


def _check_shape(root: Path, classes: Sequence[str], found: Sequence[tuple[int, int, Path]]) -> None:
    if not classes:
        raise CodeError(
            f"{root}: has no folder in it; make one for each class, with its images: {root.name}/cat/1.png"
        )
    counts: Mapping[str, int] = {
        name: sum(1 for _, number, _ in found if number == place) for place, name in enumerate(classes)
    }
    if empty := [name for name, count in counts.items() if not count]:
        raise CodeError(
            f"{root}: there is no image of class {empty[0]!r} ({', '.join(SUFFIXES)}); add some, or remove "
            "the folder"
        )
    if len(classes) == 1:
        raise CodeError(f"{root}: has one class only ({classes[0]!r}): nothing to learn; add a second folder")


def _check_splits(root: Path, classes: Sequence[str], labels: Array, places: Array) -> None:
    for place, split in enumerate(SPLITS):
        if not np.any(places == place):
            raise CodeError(
                f"{root}: of {len(places)} images none is in {split}; add images, or change split"
            )
    lacking = np.setdiff1d(np.arange(len(classes)), labels[places == 0])
    if len(lacking):
        raise CodeError(f"{root}: train has no image of class {classes[lacking[0]]!r}; add some")
