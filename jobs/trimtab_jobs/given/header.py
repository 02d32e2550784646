"""The header of a safetensors file: eight bytes of length, then JSON with each tensor's place. Pure."""

import json
from itertools import pairwise
from math import prod
from typing import Any, BinaryIO

LENGTH_BYTES = 8
MOST_HEADER_BYTES = 100_000_000
"""As much as the safetensors library reads."""
METADATA = "__metadata__"
BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""Types that a torch module may have, and the bits of one number."""


def header_flaw(file: BinaryIO, size: int) -> str | None:
    """Return what is wrong with the header of a file of so many bytes, None when nothing is."""
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if size < LENGTH_BYTES or length > min(size - LENGTH_BYTES, MOST_HEADER_BYTES):
        return (
            f"is no safetensors file, or cut short: it announces a header of {length} bytes and has {size} "
            "in all; copy or write it again"
        )
    try:
        header = json.loads(file.read(length))
    except (ValueError, RecursionError):
        return "has a safetensors header that is no JSON: it is damaged; copy or write it again"
    if not isinstance(header, dict):
        return "has a safetensors header that is no JSON object: it is damaged; copy or write it again"
    tensors = {name: entry for name, entry in header.items() if name != METADATA}
    if not tensors:
        return "holds no tensors; write it again with the model's state_dict()"
    for name, entry in tensors.items():
        if flaw := _entry_flaw(entry):
            return f"has tensor {name!r} {flaw}"
    return _overlap(tensors, size - LENGTH_BYTES - length)


def _entry_flaw(entry: Any) -> str | None:
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
        return "without dtype, shape or data_offsets: the file is damaged; copy or write it again"
    if str(entry["dtype"]) not in BITS:
        return f"of the type {entry['dtype']}, which is not supported; save it as F32"
    numbers = [entry["shape"], entry["data_offsets"]]
    if not all(isinstance(each, list) and all(_is_count(number) for number in each) for each in numbers):
        return "with a shape or offsets that are no counts: the file is damaged; copy or write it again"
    if len(entry["data_offsets"]) != 2:
        return "with other than two offsets: the file is damaged; copy or write it again"
    start, end = entry["data_offsets"]
    needed = prod(entry["shape"]) * BITS[entry["dtype"]] // 8
    if end - start != needed:
        return (
            f"of {end - start} bytes where its shape {tuple(entry['shape'])} needs {needed}; write it again"
        )
    return None


def _is_count(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


def _overlap(tensors: dict[str, Any], size: int) -> str | None:
    """The data are cut into the tensors without a gap, and nothing of it belongs to two."""
    order = sorted(tensors, key=lambda name: tensors[name]["data_offsets"])
    spans = [(name, *tensors[name]["data_offsets"]) for name in order]
    for (first, _, end), (second, start, _) in pairwise(spans):
        if start < end:
            return f"has tensors {first!r} and {second!r} on the same bytes: it is damaged; write it again"
        if start > end:
            return f"has {start - end} bytes before {second!r} that belong to no tensor; write it again"
    last = spans[-1][2]
    if spans[0][1] != 0 or last < size:
        return "has bytes that belong to no tensor; write it again"
    if last > size:
        return f"is cut short: its tensors end at byte {last} of {size}; copy or write it again"
    return None
