"""The weights that the manifest starts from: safetensors only, never anything that could run code.

The header is read here, so that a message names what is wrong with it; the tensors by the safetensors
library. A pickle is told by its content, whatever its name, and not opened.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from trimtab_jobs.given import formats
from trimtab_jobs.given.flaws import FlawError, refuse
from trimtab_jobs.given.header import header_flaw
from trimtab_jobs.given.places import refused, verified
from trimtab_jobs.given.structure import NAMED, listed
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.pool.session import Session

_CONVERT = (
    "where it was made, run safetensors.torch.save_file(model.state_dict(), 'model.safetensors') and give "
    "that"
)
_OTHER: dict[formats.Format, str] = {
    "torch": f"is a pickle (torch.save), which is never opened, since it can run code; {_CONVERT}",
    "onnx": "is an ONNX model, not weights; let its name end in .onnx",
    "ort": "is in ONNX Runtime's own format, not weights; give the .onnx file that it was made from",
    "tflite": f"is a TensorFlow Lite model, not weights of a torch module; {_CONVERT}",
    "hdf5": f"is an HDF5 file, not weights of a torch module; {_CONVERT}",
}


def given_weights(session: Session) -> dict[str, Tensor] | None:
    """Return the tensors of spec.model.pretrained by name, on the CPU; None where no weights are given.

    ConfigurationError, in one line, for a file that is not sound safetensors, or that holds a NaN.
    """
    given = session.setup.model
    if given is None or given.is_onnx:
        return None
    try:
        return read_weights(verified(given))
    except FlawError as flaw:
        raise refused(given, flaw) from None


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file; FlawError when it is not sound safetensors, or holds a NaN."""
    with path.open("rb") as file:
        refuse(formats.format_flaw(file, _OTHER) or header_flaw(file, path.stat().st_size))
    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise FlawError(f"cannot be read as safetensors: {error}; write it again") from None
    lost = [name for name, tensor in weights.items() if not _is_finite(tensor)]
    if lost:
        raise FlawError(
            f"holds NaN or infinite numbers in {listed(lost)}: the training diverged, or the file is "
            "damaged; give finite weights"
        )
    return weights


def load_given(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy the weights into the module.

    ConfigurationError names what is missing, unexpected, of another shape or of another type. A tensor that
    the module shares with one that is there need not be: safetensors keeps it once.
    """
    own: dict[str, Tensor] = module.state_dict()
    there = {own[name].data_ptr() for name in weights if name in own}
    missing = [name for name, tensor in own.items() if name not in weights and tensor.data_ptr() not in there]
    unexpected = [name for name in weights if name not in own]
    both = [name for name in own if name in weights]
    shapes = [
        f"{name} {tuple(weights[name].shape)} where build() has {tuple(own[name].shape)}"
        for name in both
        if weights[name].shape != own[name].shape
    ]
    types = [
        f"{name} {_type(weights[name])} where build() has {_type(own[name])}"
        for name in both
        if weights[name].dtype != own[name].dtype
    ]
    wrong = [
        f"{what} {_counted(names)}"
        for what, names in (
            ("they lack", missing),
            ("build() does not have", unexpected),
            ("of another shape:", shapes),
            ("of another type:", types),
        )
        if names
    ]
    if wrong:
        raise ConfigurationError(
            f"spec.model.pretrained.uri: the weights are not those of build(): {'; '.join(wrong)}; "
            f"{_fix(missing, unexpected, types)}"
        )
    module.load_state_dict(weights, strict=False)


def _counted(names: list[str]) -> str:
    return f"{listed(names)} ({len(names)})" if len(names) > NAMED else listed(names)


def _fix(missing: list[str], unexpected: list[str], types: list[str]) -> str:
    prefix = _common_prefix(missing, unexpected)
    if prefix:
        return f"save them without the prefix {prefix!r}"
    if types and not (missing or unexpected):
        return "save them in the module's types, such as {name: tensor.float() for …}"
    return "build the module that they were saved from, with the same parameters"


def _common_prefix(missing: list[str], unexpected: list[str]) -> str:
    """What all names begin with that would otherwise be the module's, such as module. of DataParallel."""
    first = next((name for name in unexpected if missing and name.endswith(missing[0])), "")
    prefix = first.removesuffix(missing[0]) if first else ""
    return prefix if {prefix + name for name in missing} == set(unexpected) else ""


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor.float()).all())


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
