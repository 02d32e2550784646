"""Peak memory of one model in a process of its own, with nothing but ONNX Runtime in it.

Run as `python -m trimtab_jobs.measure.memory MODEL INPUTS.npz`: prints the peak in bytes.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from trimtab_jobs.measure.onnx_model import Array, OnnxModel

STATUS = Path("/proc/self/status")


def peak_megabytes(model: Path, inputs: tuple[Array, ...], threads: int = 1) -> float:
    """Return the peak resident memory, in 10^6 bytes, of a fresh process that loads and runs the model."""
    arrays = model.parent / "inputs.npz"
    np.savez(arrays, *inputs)
    command = [sys.executable, "-m", __name__, str(model), str(arrays), str(threads)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    arrays.unlink()
    return float(json.loads(printed)) / 1e6


def peak_bytes() -> int:
    """Return this process's own peak.

    Not getrusage: on Linux a child inherits the peak of the process that started it, which holds torch.
    """
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource  # macOS, where it counts bytes

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(model: str, arrays: str, threads: str) -> None:
    """Load the model, run it a few times, print the peak."""
    loaded = OnnxModel(Path(model), int(threads))
    with np.load(arrays) as inputs:
        rows = [inputs[name] for name in inputs.files]
    for _ in range(3):  # the arena has its full size after the second
        loaded.predict(*rows)
    print(json.dumps(peak_bytes()))


if __name__ == "__main__":
    main(*sys.argv[1:])
