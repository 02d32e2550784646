"""Weights that an ONNX file keeps in files beside it: which they are, and whether they stay beside it. Pure.

The format lets a location be any path (ONNX IR, External Tensor Data). Only a plain name is taken: a file of
the same folder, so that a model never reads what its folder does not hold.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from onnx import ModelProto, TensorProto

from trimtab_jobs.given.tensors import tensors_in

_PLAIN = re.compile(r"(?!\.{1,2}$)[^/\\:\x00]+")


def external_tensors(model: ModelProto) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name of each tensor whose data lie in another file, and what says where."""
    for tensor in tensors_in(model):
        if tensor.data_location == TensorProto.EXTERNAL:
            yield tensor.name, {entry.key: entry.value for entry in tensor.external_data}


def location_flaw(model: ModelProto) -> str | None:
    """Return what is wrong with the first place that is no file of the model's own folder; None: none is."""
    for name, place in external_tensors(model):
        location = place.get("location", "")
        if not _PLAIN.fullmatch(location):
            return (
                f"keeps weights {name!r} in {location!r}, outside of its folder; save it with "
                "onnx.save_model(model, path, save_as_external_data=True, location='weights.data')"
            )
        numbers = [place.get(key, "0") for key in ("offset", "length")]
        if not all(number.isdecimal() for number in numbers):
            return f"keeps weights {name!r} at an offset or length that is no number; save it again"
    return None


def files_of(model: ModelProto) -> list[str]:
    """Return the names of the files that hold its data, each once."""
    return list(dict.fromkeys(place["location"] for _, place in external_tensors(model)))


def data_flaw(model: ModelProto, folder: Path) -> str | None:
    """Return the first tensor whose part of its file in `folder` is not there; None: all of them are."""
    for name, place in external_tensors(model):
        size = (folder / place["location"]).stat().st_size
        end = int(place.get("offset", "0")) + int(place.get("length", "0"))
        if end > size:
            return (
                f"keeps weights {name!r} up to byte {end} of {place['location']}, which has {size}: the "
                "file was cut short; copy it again"
            )
    return None


def leaves_folder(path: Path) -> bool:
    """Whether a file of this machine is a link to a place outside of the folder it lies in."""
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())
