"""A process of its own in which a model that is not trusted yet is checked, loaded and asked.

Run as `python -m trimtab_jobs.given.probe MODEL INPUTS.npz BYTES`: prints one JSON object, with `problem`, or
with `outputs`: by name the shape for each number of rows. A damaged file may end the process, use all of its
memory or never come to an end: whoever starts it looks at that too.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from trimtab_jobs.given.flaws import one_line
from trimtab_jobs.given.graphs import in_order
from trimtab_jobs.measure.onnx_model import Array, OnnxModel, repeated

STATM = Path("/proc/self/statm")
ROWS = (1, 3)
"""Rows that a model with a free first axis is asked for: one that holds for two holds for any."""
FULL_CHECK_BYTES = 500_000_000
"""Up to this size shapes are inferred through the whole graph too, which takes a copy of it."""


def problem_of(path: Path, inputs: tuple[Array, ...]) -> dict[str, Any]:
    """Return `problem`, what is wrong with the model and the fix, or `outputs`, their shapes."""
    if problem := check(path):
        return {"problem": f"does not hold ONNX's rules: {problem}; export it again"}
    try:
        model = OnnxModel(path)
    except Exception as error:  # ONNX Runtime's own types have no common base
        return {"problem": f"cannot be loaded by ONNX Runtime: {one_line(error)}; export it again"}
    shapes: dict[str, list[list[int]]] = {}
    for rows in (model.batch,) if model.batch else ROWS:
        feed = [repeated(part, rows) for part in inputs]
        try:
            outputs = model.runtime.run(None, dict(zip(model.names, feed, strict=True)))
        except Exception as error:  # as above
            why = f"cannot answer the task's inputs() in a batch of {rows}: {one_line(error)}"
            return {"problem": f"{why}; give inputs as in its training, or export it again"}
        for entry, output in zip(model.runtime.get_outputs(), outputs, strict=True):
            if flaw := output_flaw(entry.name, output, rows):
                return {"problem": flaw}
            shapes.setdefault(entry.name, []).append(list(output.shape))
    return {"outputs": shapes}


def check(path: Path) -> str:
    """Return what onnx's checker says of the model, "" when it is right."""
    model = onnx.load(path)
    nodes, _ = in_order(model.graph.node)  # in another order than that of reading it runs just as well
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    try:
        onnx.checker.check_model(model, full_check=model.ByteSize() <= FULL_CHECK_BYTES)
    except Exception as error:  # C++ exceptions of the checker and of shape inference
        return one_line(error)
    return ""


def output_flaw(name: str, output: Any, rows: int) -> str | None:
    """Return what is wrong with what one output gave for so many rows; None: nothing."""
    shape = np.shape(output)
    if not shape or shape[0] != rows:
        return (
            f"gives output {name!r} of the shape {shape} for {rows} rows; its first axis must be the rows: "
            "export it with a dynamic first axis, or all of it for a fixed number of rows"
        )
    if output.dtype.kind == "f" and not np.isfinite(output).all():
        return (
            f"gives output {name!r} with NaN or infinite numbers for the task's inputs(); scale the inputs "
            "as in its training, or mend the model"
        )
    return None


def address_bytes() -> int:
    """Return the addresses that this process has by now, most of which hold nothing."""
    return int(STATM.read_text().split()[0]) * resource.getpagesize()


def main(model: str, arrays: str, most_bytes: str) -> None:
    """Print the verdict on one model, for which so many bytes of memory may be taken."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if STATM.exists():  # elsewhere the limit is not held
        most = address_bytes() + int(most_bytes)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with np.load(arrays) as kept:
        inputs = tuple(kept[name] for name in kept.files)
    try:
        verdict = problem_of(Path(model), inputs)
    except MemoryError:
        verdict = {"problem": "takes more memory than there is here; run it on a larger machine"}
    print(json.dumps(verdict))


if __name__ == "__main__":
    main(*sys.argv[1:])
