"""An ONNX file under ONNX Runtime on the CPU, seen as a function of arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # ships no types

Array = np.ndarray[Any, np.dtype[Any]]


def repeated(part: Array, rows: int) -> Array:
    """Return `rows` rows, repeating from the start where there are fewer."""
    return np.ascontiguousarray(part.take(range(rows), axis=0, mode="wrap"))


def session_options(threads: int = 1) -> onnxruntime.SessionOptions:
    """Return options under which figures can be repeated: a fixed number of threads, all optimizations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3  # errors only: its warnings are about its own fusions
    return options


class OnnxModel:
    """`predict` over an ONNX file, whatever number of rows it was exported for."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.runtime = onnxruntime.InferenceSession(
            path, session_options(threads), providers=["CPUExecutionProvider"]
        )
        self.names = tuple(entry.name for entry in self.runtime.get_inputs())
        rows = self.runtime.get_inputs()[0].shape[0]
        self.batch: int | None = rows if isinstance(rows, int) else None
        """Rows that every call must have; None: any number."""

    def predict(self, *inputs: Array) -> Any:
        """Return the output for these rows, or a tuple of outputs."""
        parts = [self.runtime.run(None, feeds) for feeds in self.feeds(*inputs)]
        outputs = tuple(np.concatenate(column)[: len(inputs[0])] for column in zip(*parts, strict=True))
        return outputs[0] if len(outputs) == 1 else outputs

    def feeds(self, *inputs: Array) -> list[dict[str, Array]]:
        """Return what to feed, cut into calls of the rows it takes; the last is filled by repeating rows."""
        rows = len(inputs[0])
        size = self.batch or rows
        return [
            {
                name: part.take(range(start, start + size), axis=0, mode="wrap")
                for name, part in zip(self.names, inputs, strict=True)
            }
            for start in range(0, rows, size)
        ]
