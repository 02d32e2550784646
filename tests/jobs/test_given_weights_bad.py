"""Weights that are damaged, unsafe, or another network's: one clear error each, and nothing is unpickled."""

import io
import json
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file
from torch import nn

from tests.support.given import published, run_given
from tests.support.onnx_files import linear
from tests.support.tasks import BLOBS

Tensors = dict[str, torch.Tensor]
PICKLE = (
    "is a pickle (torch.save), which is never opened, since it can run code; where it was made, run "
    "safetensors.torch.save_file(model.state_dict(), 'model.safetensors') and give that"
)
NETWORK = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
"""What build() of the task makes."""


def sound() -> Tensors:
    return {name: tensor.clone() for name, tensor in NETWORK.state_dict().items()}


def bytes_of(change: Callable[[Tensors], Any]) -> bytes:
    """Weights with a change."""
    tensors = sound()
    change(tensors)
    return save(tensors)


def header_of(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """Weights whose header has a change."""
    body = save(sound())
    length = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + length])
    changed = json.dumps(change(header) or header).encode()
    return len(changed).to_bytes(8, "little") + changed + body[8 + length :]


class Unsafe:
    """A pickle that makes a folder when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (MARK,)


MARK = "/tmp/trimtab-test-was-unpickled"
WHOLE = save(sound())
DATA = 4 * (32 + 16 + 48 + 3)
BIAS, WEIGHT = "0.bias", "0.weight"


def torch_zip() -> bytes:
    file = io.BytesIO()
    torch.save(sound(), file)
    return file.getvalue()


def prefixed(tensors: Tensors) -> None:
    for name in list(tensors):
        tensors[f"module.{name}"] = tensors.pop(name)


FILES: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty; write or download it again"),
    "a web page": (b"<html>404</html>", "is a web page, not a model; download the file itself"),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    "a pickle": (pickle.dumps(Unsafe()), PICKLE),
    "a pickle of protocol 0": (
        pickle.dumps(Unsafe(), protocol=0),
        "is no safetensors file, or cut short: it announces",
    ),
    "a torch checkpoint": (torch_zip(), PICKLE),
    "an ONNX model": (
        linear().SerializeToString(),
        "is an ONNX model, not weights; let its name end in .onnx",
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file, not weights of a torch module"),
    "shorter than a length": (b"\x01\x02\x03", "it announces a header of 197121 bytes and has 3 in all"),
    "a huge header": (
        (2**63).to_bytes(8, "little") + b'{"a"',
        f"it announces a header of {2**63} bytes and has 12",
    ),
    "a header longer than the file": (
        (900).to_bytes(8, "little") + b'{"a"',
        "announces a header of 900 bytes and has 12",
    ),
    "a header that is no JSON": (
        (9).to_bytes(8, "little") + b'{"a": nul',
        "has a safetensors header that is no JSON: it is",
    ),
    "a header that is a list": (
        (2).to_bytes(8, "little") + b"[]",
        "has a safetensors header that is no JSON object",
    ),
    "a header that is deep": (
        (99_999).to_bytes(8, "little") + b"[" * 99_999,
        "header that is no JSON: it is damaged",
    ),
    "no tensors": (save({}), "holds no tensors; write it again with the model's state_dict()"),
    "cut in the header": (WHOLE[:60], "is no safetensors file, or cut short"),
    "cut in the data": (
        WHOLE[:-7],
        f"is cut short: its tensors end at byte {DATA} of {DATA - 7}; copy or write it again",
    ),
    "bytes at the end": (WHOLE + b"rest", "has bytes that belong to no tensor; write it again"),
    "tensors on the same bytes": (
        header_of(lambda header: header[WEIGHT].update(data_offsets=[0, 128])),
        f"has tensors {BIAS!r} and {WEIGHT!r} on the same bytes: it is damaged",
    ),
    "a gap": (
        header_of(lambda header: header[BIAS].update(data_offsets=[0, 60], shape=[15])),
        f"has 4 bytes before {WEIGHT!r} that belong to no tensor; write it again",
    ),
    "an offset beyond the end": (
        header_of(lambda header: header["3.weight"].update(data_offsets=[DATA, DATA + 192])),
        "that belong to no tensor; write it again",
    ),
    "one offset": (
        header_of(lambda header: header[BIAS].update(data_offsets=[0])),
        f"has tensor {BIAS!r} with other than two",
    ),
    "a negative size": (
        header_of(lambda header: header[BIAS].update(shape=[-16])),
        f"has tensor {BIAS!r} with a shape or offsets",
    ),
    "a size that is no number": (
        header_of(lambda header: header[BIAS].update(shape=[True])),
        "with a shape or offsets that are no counts",
    ),
    "a shape of other bytes": (
        header_of(lambda header: header[BIAS].update(shape=[17])),
        f"has tensor {BIAS!r} of 64 bytes where its shape (17,) needs 68; write it again",
    ),
    "no type": (
        header_of(lambda header: header[BIAS].pop("dtype") and None),
        f"has tensor {BIAS!r} without dtype, shape or",
    ),
    "an unknown type": (
        header_of(lambda header: header[BIAS].update(dtype="F8_E5M2")),
        f"has tensor {BIAS!r} of the type F8_E5M2, which is not supported; save it as F32",
    ),
    "a type of no name": (
        header_of(lambda header: header[BIAS].update(dtype=["F32"])),
        f"has tensor {BIAS!r} of the type ['F32']",
    ),
    "NaN": (
        bytes_of(lambda tensors: tensors[BIAS].fill_(torch.nan)),
        f"holds NaN or infinite numbers in {BIAS}:",
    ),
    "infinite numbers": (
        bytes_of(lambda tensors: tensors[BIAS].fill_(torch.inf)),
        f"holds NaN or infinite numbers in {BIAS}:",
    ),
    "tensors missing": (
        bytes_of(lambda tensors: [tensors.pop(name) for name in (BIAS, WEIGHT)]),
        "the weights are not those of build(): they lack 0.weight, 0.bias; build the module that",
    ),
    "tensors too many": (
        bytes_of(lambda tensors: tensors.update({f"extra.{n}": torch.zeros(2) for n in range(5)})),
        "build() does not have extra.0, extra.1, extra.2 and 2 more (5); build the module",
    ),
    "another network's prefix": (bytes_of(prefixed), "save them without the prefix 'module.'"),
    "another shape": (
        bytes_of(lambda tensors: tensors.update({WEIGHT: torch.zeros(32, 2)})),
        "of another shape: 0.weight (32, 2) where build() has (16, 2); build the module",
    ),
    "bfloat16": (
        bytes_of(lambda tensors: tensors.update({WEIGHT: torch.zeros(16, 2, dtype=torch.bfloat16)})),
        "0.weight bfloat16 where build() has float32; save them in the module's types, such as {name:",
    ),
    "whole numbers": (
        bytes_of(lambda tensors: tensors.update({WEIGHT: torch.zeros(16, 2, dtype=torch.int64)})),
        "of another type: 0.weight int64 where build() has float32",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_weights_end_in_one_line_and_nothing_is_published(tmp_path: Path, case: str) -> None:
    body, expected = FILES[case]
    (tmp_path / "m.safetensors").write_bytes(body)

    report = run_given(tmp_path, (BLOBS, "Blobs"), {"uri": str(tmp_path / "m.safetensors")})

    assert (report.phase, published(tmp_path)) == ("Failed", [])
    assert report.message.startswith("spec.model.pretrained.uri: ")
    assert expected in report.message
    assert "\n" not in report.message
    assert not Path(MARK).exists()


@pytest.mark.parametrize("name", ["m.pt", "m.bin", "m.onnx.pkl"])
def test_a_pickle_is_told_by_its_content_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Unsafe()))

    report = run_given(tmp_path, (BLOBS, "Blobs"), {"uri": str(tmp_path / name)})

    assert "is a pickle (torch.save), which is never opened" in report.message
    assert not Path(MARK).exists()


def test_weights_of_another_digest_are_refused(tmp_path: Path) -> None:
    save_file(sound(), tmp_path / "m.safetensors")

    model = {"uri": str(tmp_path / "m.safetensors"), "sha256": "0" * 64}
    report = run_given(tmp_path, (BLOBS, "Blobs"), model)

    assert report.message.startswith(f"spec.model.pretrained.uri: {tmp_path}/m.safetensors has the SHA-256 ")


@pytest.mark.parametrize(
    ("name", "said"), [("gone", "does not exist"), ("code", "is a folder; name the file in it")]
)
def test_weights_that_are_no_file_are_refused(tmp_path: Path, name: str, said: str) -> None:
    report = run_given(tmp_path, (BLOBS, "Blobs"), {"uri": str(tmp_path / name)})

    assert (report.phase, published(tmp_path)) == ("Failed", [])
    assert report.message.startswith(f"spec.model.pretrained.uri: {tmp_path}/{name} {said}")
