"""What a file is by its first bytes, whatever it is called. Pure."""

from collections.abc import Mapping
from typing import BinaryIO, Literal

Format = Literal[
    "empty", "web page", "git lfs pointer", "torch", "archive", "onnx", "safetensors", "ort", "tflite", "hdf5"
]
HEAD_BYTES = 512
"""Bytes of the beginning that are looked at."""
_PREFIXES: tuple[tuple[bytes, Format], ...] = (
    (b"version https://git-lfs", "git lfs pointer"),
    (b"PK\x03\x04", "torch"),
    (b"\x80", "torch"),
    (b"\x1f\x8b", "archive"),
    (b"\x89HDF", "hdf5"),
)
_MARKS: dict[bytes, Format] = {b"ORTM": "ort", b"TFL3": "tflite"}
"""Identifiers of FlatBuffers, at the fifth byte."""
_FIRST_FIELD = 0x08
"""The tag of ir_version, a number below 128, with which an ONNX model is usually written."""
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head")


def format_of(head: bytes) -> Format | None:
    """Return the format of a file that begins with these bytes; None where they tell nothing.

    A pickle of protocol 2 or above begins with its opcode PROTO, and torch.save's zip like any zip.
    """
    if not head:
        return "empty"
    if head[8:10] == b'{"':  # before all else: any byte may be the first of its length
        return "safetensors"
    for prefix, found in _PREFIXES:
        if head.startswith(prefix):
            return found
    if head[4:8] in _MARKS:
        return _MARKS[head[4:8]]
    if head.lstrip().lower().startswith(_PAGES):
        return "web page"
    return "onnx" if head[0] == _FIRST_FIELD and b"\0" < head[1:2] < b"\x80" else None


def format_flaw(file: BinaryIO, others: Mapping[Format, str]) -> str | None:
    """Return what is wrong with a file by its format: no model at all, or one of `others`; None: neither.

    The file is left at its beginning.
    """
    found = format_of(file.read(HEAD_BYTES))
    file.seek(0)
    return {**NEITHER, **others}.get(found) if found else None


NEITHER: dict[Format, str] = {
    "empty": "is empty; write or download it again",
    "web page": "is a web page, not a model; download the file itself, not the page that shows it",
    "git lfs pointer": "is a Git LFS pointer, not the file it stands for; run git lfs pull",
    "archive": "is an archive; unpack it, and name the model in it",
}
"""What is wrong with files that are no model at all, and the fix."""
