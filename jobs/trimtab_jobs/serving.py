"""The serving tree `model/`: what model servers, people and auditors take as it is.

    model/<name>/1/model.onnx     Triton's and KServe's repository root is `model/`
    model/<name>/config.pbtxt     Triton: inputs, outputs, batching, the session options that were measured
    model/<name>/preprocessing.json  how inputs are made and outputs are read, where the task tells it
    model/inferenceservice.yaml   KServe
    model/MODEL_CARD.md           for people: before and after, guardrail, how to run it
    model/trimtab.json            for machines: metrics, provenance, checksums; written last

Every builder is pure; nothing here names a path of the machine that made the model.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab_api.report import Report
from trimtab_jobs.report import figures
from trimtab_jobs.store import Store

TRITON_TYPES = {
    "bool": "TYPE_BOOL",
    "uint8": "TYPE_UINT8",
    "uint16": "TYPE_UINT16",
    "uint32": "TYPE_UINT32",
    "uint64": "TYPE_UINT64",
    "int8": "TYPE_INT8",
    "int16": "TYPE_INT16",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "float16": "TYPE_FP16",
    "bfloat16": "TYPE_BF16",
    "float32": "TYPE_FP32",
    "float64": "TYPE_FP64",
    "string": "TYPE_STRING",
}
"""numpy's names to those of Triton's model_config.proto: all that its ONNX Runtime backend takes."""

LARGEST_BATCH = 64
"""Rows up to which Triton's dynamic batcher joins requests, where the batch axis is dynamic."""

KSERVE_SCHEMES = ("s3://", "gs://", "pvc://")
"""Stores that KServe's storageUri names as we do."""

PROVENANCE = "model/trimtab.json"
"""Written last and removed first: where it is, the tree is whole."""

CARD = """# {name}

An ONNX model made and measured by Trimtab: `{final}`, made from {source}.

## Before and after

{before_and_after}

Quality is that on the test split, with its 95 % interval; neither search nor compression saw it. Size is that
of the file. Speed and memory were measured under ONNX Runtime on the CPU{cpu}{where}:
another machine has others.

## What holds

{proven}

## What it takes and gives

{tensors}

## How to run it

In the folder of this card:

```python
import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {threads}
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    "{name}/1/model.onnx", options, providers=["CPUExecutionProvider"]
)
outputs = session.run(None, {feeds})
```

This folder is a model repository for Triton (`tritonserver --model-repository=$PWD`), and what the
`storageUri` of `inferenceservice.yaml` points at.

## What is not known

What the model is meant for, which people and cases its data cover, and how it does on data unlike the test
split: Trimtab saw none of that. Who publishes the model adds it here.

`trimtab.json` beside this card holds every figure, the versions that made them, and checksums.
"""
NOT_LIMITED = "Nothing was promised: the manifest had no `guardrail`."


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of the network; a string in `shape` is a dynamic axis, axis 0 is the batch."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """What the tree is made of: the model's bytes, its interface, and how it was measured."""

    model: bytes
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    threads: int
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    """How inputs are made and outputs are read, as the task tells it; empty: it does not."""

    @property
    def batched(self) -> bool:
        """Whether the first axis of all inputs and outputs is free, so that a server may join requests."""
        (first, *others) = {each.shape[:1] for each in (*self.inputs, *self.outputs)}
        return not others and bool(first) and isinstance(first[0], str)

    @property
    def session(self) -> dict[str, Any]:
        """The options of trimtab_jobs.measure.onnx_model:session_options, under which it was measured."""
        return {
            "providers": ["CPUExecutionProvider"],
            "intraOpNumThreads": self.threads,
            "interOpNumThreads": 1,
            "executionMode": "sequential",
            "graphOptimizationLevel": "all",
            "useDeterministicCompute": True,
        }


def publish_tree(store: Store, report: Report, served: Served) -> dict[str, bytes]:
    """Write the tree in the place of an earlier one and return its files; `trimtab.json` comes last."""
    withdraw_tree(store)
    files = build_tree(report, served, store_uri=store.uri)
    for key, body in files.items():
        store.put(key, body)
    return files


def withdraw_tree(store: Store) -> None:
    """Remove what an earlier run published; `trimtab.json` goes first, so that no half is taken for whole."""
    for key in sorted(store.list("model"), key=lambda key: key != PROVENANCE):
        store.delete(key)


def build_tree(report: Report, served: Served, store_uri: str) -> dict[str, bytes]:
    """The whole tree, key to bytes, in the order in which it is written."""
    files = {
        f"model/{report.name}/1/model.onnx": served.model,
        f"model/{report.name}/config.pbtxt": build_config(report.name, served).encode(),
        "model/inferenceservice.yaml": build_inference_service(report.name, store_uri).encode(),
        "model/MODEL_CARD.md": build_model_card(report, served).encode(),
    }
    if served.preprocessing:
        told = json.dumps(served.preprocessing, indent=1, ensure_ascii=False) + "\n"
        files[f"model/{report.name}/preprocessing.json"] = told.encode()
    return files | {PROVENANCE: build_provenance(report, served, files).encode()}


def build_config(name: str, served: Served) -> str:
    """Triton's config.pbtxt; `dims` leave a free batch axis out, as `max_batch_size` prepends it."""
    batched = served.batched
    lines = [
        f'name: "{name}"',
        'platform: "onnxruntime_onnx"',
        f"max_batch_size: {LARGEST_BATCH if batched else 0}",
        *(_tensor("input", each, batched) for each in served.inputs),
        *(_tensor("output", each, batched) for each in served.outputs),
        *(["dynamic_batching { }"] if batched else []),
        "instance_group [ { count: 1 kind: KIND_CPU } ]  # as it was measured; KIND_GPU on a GPU",
        _parameter("intra_op_thread_count", served.session["intraOpNumThreads"]),
        _parameter("inter_op_thread_count", served.session["interOpNumThreads"]),
    ]
    return "\n".join(lines) + "\n"


def _tensor(role: str, tensor: Tensor, batched: bool) -> str:
    """An entry of the config; Triton knows no empty `dims`, so that one number is a row of one."""
    shape = tensor.shape[1:] if batched else tensor.shape
    dims = ", ".join("-1" if isinstance(axis, str) else str(axis) for axis in shape)
    sized = f"dims: [ {dims} ]" if dims else "dims: [ 1 ] reshape { shape: [ ] }"
    return f'{role} [ {{ name: "{tensor.name}" data_type: {TRITON_TYPES[tensor.dtype]} {sized} }} ]'


def _parameter(key: str, value: object) -> str:
    return f'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}'


def build_inference_service(name: str, store_uri: str) -> str:
    """KServe's InferenceService for its Triton runtime, of which storageUri is the repository root.

    Without a protocol KServe assumes v1, for which it has no runtime of ONNX models.
    """
    known = store_uri.startswith(KSERVE_SCHEMES)
    uri = f"{store_uri.rstrip('/')}/model" if known else "s3://BUCKET/PATH/model"
    note = (
        "" if known else "# Put this folder where KServe can read it, and write that place into storageUri.\n"
    )
    return (
        f"{note}apiVersion: serving.kserve.io/v1beta1\n"
        "kind: InferenceService\n"
        f"metadata:\n  name: {name}\n"
        "spec:\n  predictor:\n    model:\n      modelFormat:\n        name: onnx\n"
        f"      protocolVersion: v2\n      storageUri: {uri}\n"
    )


def build_model_card(report: Report, served: Served) -> str:
    """The card for people, in Markdown: what it is, before and after, what was proven, how to run it."""
    final = report.final
    measured_on = sorted({figure.measured_on for figure in final.targets.values()} if final else ())
    return CARD.format(
        name=report.name,
        final=final.id if final else "",
        source=_source(report),
        before_and_after=_before_and_after(report),
        cpu=f" ({report.environment.cpu})" if report.environment.cpu else "",
        where=f", on {', '.join(measured_on)}" if measured_on else "",
        proven=_proven(report),
        tensors=_table(
            ["", "name", "type", "shape"],
            [_interface("input", each) for each in served.inputs]
            + [_interface("output", each) for each in served.outputs],
        ),
        threads=served.threads,
        feeds=f"{{{', '.join(map(_example, served.inputs))}}}",
    )


def _source(report: Report) -> str:
    if report.best is None or report.trials.total < 2:
        return "the model as it was"
    drawn = f" ({figures.parameters(report.best.params)})" if report.best.params else ""
    return f"trial {report.best.trial} of {report.trials.total}{drawn}"


def _before_and_after(report: Report) -> str:
    header = ["", "baseline", "uncompressed", report.final.id if report.final else "", "interval", "change"]
    rows = [
        [row.label, row.baseline, row.uncompressed, row.final, row.interval, row.against_baseline]
        for row in figures.rows(report)
    ]
    return _table(header, rows)


def _proven(report: Report) -> str:
    lines = [f"- {figures.limit(each)}: {figures.finding(each)}" for each in report.guardrail]
    return "\n".join(lines) or NOT_LIMITED


def _interface(role: str, tensor: Tensor) -> list[str]:
    return [role, f"`{tensor.name}`", tensor.dtype, " × ".join(map(str, tensor.shape))]  # noqa: RUF001


def _example(tensor: Tensor) -> str:
    """An entry of the feeds: one row of zeros, or as many as the batch has."""
    shape = tuple(1 if isinstance(axis, str) else axis for axis in tensor.shape)
    dtype = "object" if tensor.dtype == "string" else tensor.dtype
    return f'"{tensor.name}": numpy.zeros({shape}, dtype="{dtype}")'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def build_provenance(report: Report, served: Served, files: Mapping[str, bytes]) -> str:
    """`trimtab.json`: the evidence, the session that was measured, a checksum for every other file."""
    evidence = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = (
        "name",
        "seed",
        "objectives",
        "best",
        "baseline",
        "uncompressed",
        "final",
        "savings",
        "guardrail",
        "environment",
        "planDigest",
    )
    document = {
        "schemaVersion": 1,
        **{name: evidence[name] for name in kept if name in evidence},
        "inputs": [_described(each) for each in served.inputs],
        "outputs": [_described(each) for each in served.outputs],
        "session": served.session,
        "files": {
            key.removeprefix("model/"): {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
            for key, body in files.items()
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _described(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape)}
