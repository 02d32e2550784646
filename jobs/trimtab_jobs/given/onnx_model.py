"""The ONNX file that the manifest starts from: fetched, verified, checked, once in each worker.

Nothing of the file is believed. What can be read is read in Python; onnx's checker and ONNX Runtime, which
are C++ and may end on a damaged file, look at it in a process of its own first (docs/decisions/0014).
Whatever is wrong is said in one line.
"""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # ships no types
from onnx.external_data_helper import load_external_data_for_model

from trimtab_jobs.given import external, formats
from trimtab_jobs.given.answers import inputs_flaw
from trimtab_jobs.given.flaws import FlawError, refuse
from trimtab_jobs.given.places import beside, refused, verified
from trimtab_jobs.given.structure import flaw_of
from trimtab_jobs.given.tensors import tensor_flaw
from trimtab_jobs.machine import available_memory
from trimtab_jobs.measure.onnx_model import Array
from trimtab_jobs.pool.errors import ConfigurationError
from trimtab_jobs.pool.session import Session

PROBE = "trimtab_jobs.given.probe"
PROBE_SECONDS = 300.0
"""How long a model may take to be loaded and to answer a few rows."""
PROBE_ROWS = 3
MOST_BYTES = 2**31 - 1
"""Bytes that one ONNX file can have, external data that are put into it included."""
KEPT = "given.onnx"
"""Under which a session remembers where the checked file lies."""
_OTHER: dict[formats.Format, str] = {
    "torch": "is a torch checkpoint or a pickle, not an ONNX file; export the module with "
    "torch.onnx.export(model, inputs, 'model.onnx', dynamo=True), or give its weights as .safetensors",
    "safetensors": "holds weights in safetensors, not an ONNX file; let its name end in .safetensors, or "
    "export the module with torch.onnx.export(model, inputs, 'model.onnx', dynamo=True)",
    "ort": "is in ONNX Runtime's own format; give the .onnx file that it was made from",
    "tflite": "is a TensorFlow Lite model; convert it with tf2onnx",
    "hdf5": "is an HDF5 file, as Keras writes; convert the model with tf2onnx",
}


def given_onnx(session: Session) -> Path:
    """Return the file of spec.model.pretrained, with its external data in it.

    ConfigurationError, in one line, for what is not a sound ONNX model that answers the task's inputs.
    """
    if KEPT not in session.cache:
        given = session.setup.model
        assert given is not None  # who asks knows that there is one
        try:
            path = gathered(verified(given), session.scratch / "given", lambda name: beside(given, name))
            check(session, path)
        except FlawError as flaw:
            raise refused(given, flaw) from None
        session.cache[KEPT] = path
    kept: Path = session.cache[KEPT]
    return kept


def returned_onnx(session: Session, body: bytes) -> Path:
    """Return a file with these bytes, which an objective returned; ConfigurationError as `given_onnx`."""
    path = session.scratch / "returned.onnx"
    path.write_bytes(body)
    try:
        found = gathered(path, session.scratch / "returned", _no_other_file)
        check(session, found)
    except FlawError as flaw:
        raise ConfigurationError(f"the ONNX file that the objective returned {flaw}") from None
    finally:
        path.unlink()
    return found


def gathered(source: Path, folder: Path, beside_it: Callable[[str], Path]) -> Path:
    """Return a copy of the model in a folder of its own, with its external data in it.

    FlawError when it is no ONNX model, when it breaks a rule that can be read off it, or when its data are
    not all there; `beside_it` gives the local path of a file of its folder.
    """
    model = read(source)
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    if not (names := external.files_of(model)):
        shutil.copyfile(source, path)
        return path
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for name in names:
        shutil.copyfile(beside_it(name), data / name)
    total = source.stat().st_size + sum(part.stat().st_size for part in data.iterdir())
    if total > MOST_BYTES:
        raise FlawError(
            f"has {total / 1e9:.3g} GB with its external data; models of 2 GB and more are not carried out "
            "by this version of Trimtab"
        )
    refuse(external.data_flaw(model, data))
    load_external_data_for_model(model, str(data))
    shutil.rmtree(data)
    path.write_bytes(model.SerializeToString())
    return path


def read(path: Path) -> onnx.ModelProto:
    """Return the model in a file, without its external data; FlawError when it cannot be one."""
    with path.open("rb") as file:
        refuse(formats.format_flaw(file, _OTHER))
    if path.stat().st_size > MOST_BYTES:
        raise FlawError(
            "has 2 GB or more; models of that size are not carried out by this version of Trimtab"
        )
    try:
        model: onnx.ModelProto = onnx.ModelProto.FromString(path.read_bytes())
    except DecodeError:
        raise FlawError("cannot be read: it is damaged or cut short; copy or export it again") from None
    refuse(flaw_of(model) or external.location_flaw(model))
    return model


def check(session: Session, path: Path) -> None:
    """FlawError when the weights are no numbers, or when it does not answer the inputs of the task."""
    model = onnx.load(path)
    refuse(tensor_flaw(model))
    inputs = session.task().inputs(PROBE_ROWS)
    refuse(inputs_flaw(model.graph, inputs))
    refuse(probed(path, inputs))


def probed(path: Path, inputs: tuple[Array, ...], seconds: float = PROBE_SECONDS) -> str | None:
    """Return what is wrong with a model by onnx's checker and by ONNX Runtime, None when nothing is.

    They run in another process, with a limit on time and memory.
    """
    arrays = path.with_name("inputs.npz")
    np.savez(arrays, *inputs)
    command = [sys.executable, "-P", "-m", PROBE, str(path), str(arrays), str(available_memory())]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"did not answer a few rows within {seconds:g} s; give a model that comes to an end"
    finally:
        arrays.unlink()
    return verdict_of(ended)


def verdict_of(ended: subprocess.CompletedProcess[str]) -> str | None:
    """Return what is wrong with a model by how the process ended that looked at it, None when nothing is."""
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        return f"ends ONNX Runtime with {name}: it is damaged, or made to do so; export it again"
    if ended.returncode > 0:
        last_line = ended.stderr.strip().rpartition("\n")[2][:300]
        return f"ends ONNX Runtime: {last_line}; export it again"
    problem: str | None = json.loads(ended.stdout.splitlines()[-1]).get("problem")
    return problem


def _no_other_file(name: str) -> Path:
    raise FlawError(f"keeps weights in another file, {name}; save it with all of them in itself")
