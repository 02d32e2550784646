"""The serving tree `model/`: what model servers, people and auditors take as it is.

    model/<name>/1/model.onnx     Triton's and KServe's repository root is `model/`
    model/<name>/config.pbtxt     Triton: inputs, outputs, batching, the session options that were measured
    model/inferenceservice.yaml   KServe
    model/MODEL_CARD.md           for people: before and after, guardrail, how to run it
    model/trimtab.json            for machines: metrics, provenance, checksums; written last

Every builder is pure; nothing here names a path of the machine that made the model.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab_api.report import Report
from trimtab_jobs.store import Store

TRITON_TYPES = {
    "float32": "TYPE_FP32",
    "float16": "TYPE_FP16",
    "float64": "TYPE_FP64",
    "int64": "TYPE_INT64",
    "int32": "TYPE_INT32",
    "int8": "TYPE_INT8",
    "uint8": "TYPE_UINT8",
    "bool": "TYPE_BOOL",
    "string": "TYPE_STRING",
}
"""numpy's names to those of Triton's model_config.proto."""

LARGEST_BATCH = 64
"""Rows up to which Triton's dynamic batcher joins requests, where the batch axis is dynamic."""

PROVENANCE = "model/trimtab.json"
"""Written last and removed first: where it is, the tree is whole."""

CARD = """# {name}

An ONNX model made and measured by Trimtab.

## Before and after

{before_and_after}

## What holds (measured on the test split)

{proven}

## How to run it

```python
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {threads}
session = onnxruntime.InferenceSession("{name}/1/model.onnx", options)
outputs = session.run(None, {feeds})
```

`trimtab.json` beside this card holds every figure, the versions that made them, and checksums.
"""


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
    return files | {PROVENANCE: build_provenance(report, served, files).encode()}


def build_config(name: str, served: Served) -> str:
    """Triton's config.pbtxt; `dims` leave a dynamic batch axis out, as `max_batch_size` prepends it."""
    dynamic = all(isinstance(each.shape[0], str) for each in (*served.inputs, *served.outputs) if each.shape)
    lines = [
        f'name: "{name}"',
        'platform: "onnxruntime_onnx"',
        f"max_batch_size: {LARGEST_BATCH if dynamic else 0}",
        *(_tensor("input", each, dynamic) for each in served.inputs),
        *(_tensor("output", each, dynamic) for each in served.outputs),
        *(["dynamic_batching { }"] if dynamic else []),
        f'parameters {{ key: "intra_op_thread_count" value: {{ string_value: "{served.threads}" }} }}',
    ]
    return "\n".join(lines) + "\n"


def _tensor(role: str, tensor: Tensor, dynamic: bool) -> str:
    shape = tensor.shape[1:] if dynamic else tensor.shape
    dims = ", ".join("-1" if isinstance(axis, str) else str(axis) for axis in shape)
    return f'{role} [ {{ name: "{tensor.name}" data_type: {TRITON_TYPES[tensor.dtype]} dims: [ {dims} ] }} ]'


def build_inference_service(name: str, store_uri: str) -> str:
    """KServe's InferenceService; storageUri is the repository root, as its default ONNX runtime is Triton."""
    remote = "://" in store_uri and not store_uri.startswith("file://")
    uri = f"{store_uri.rstrip('/')}/model" if remote else "s3://BUCKET/PATH/model"
    note = "" if remote else "# Upload this folder, then write where it lies into storageUri.\n"
    return (
        f"{note}apiVersion: serving.kserve.io/v1beta1\n"
        "kind: InferenceService\n"
        f"metadata:\n  name: {name}\n"
        "spec:\n  predictor:\n    model:\n      modelFormat:\n        name: onnx\n"
        f"      storageUri: {uri}\n"
    )


def build_model_card(report: Report, served: Served) -> str:
    """The card for people, in Markdown: what it is, before and after, what was proven, how to run it."""
    feeds = ", ".join(f'"{each.name}": {each.name}' for each in served.inputs)
    return CARD.format(
        name=report.name,
        before_and_after=_before_and_after(report),
        proven=_proven(report),
        threads=served.threads,
        feeds=f"{{{feeds}}}",
    )


def _before_and_after(report: Report) -> str:
    models = {"baseline": report.baseline, "uncompressed": report.uncompressed}
    columns = {title: model.metrics for title, model in models.items() if model}
    if report.final:
        columns[f"final ({report.final.id})"] = report.final.metrics
    names = dict.fromkeys(name for metrics in columns.values() for name in metrics)
    rows = [[name, *(_figure(metrics.get(name)) for metrics in columns.values())] for name in names]
    return _table(["figure", *columns], rows)


def _proven(report: Report) -> str:
    rows = [
        [limit.metric, _limit(limit.limit), _figure(limit.measured), _figure(limit.upper), str(limit.n or "")]
        for limit in report.guardrail
    ]
    return _table(["metric", "limit", "measured", "bound", "n"], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _limit(limit: Mapping[Any, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in limit.items())


def build_provenance(report: Report, served: Served, files: Mapping[str, bytes]) -> str:
    """`trimtab.json`: the evidence, the session that was measured, a checksum for every other file."""
    evidence = report.model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = (
        "name",
        "seed",
        "best",
        "baseline",
        "uncompressed",
        "final",
        "guardrail",
        "environment",
        "planDigest",
    )
    document = {
        "schemaVersion": 1,
        **{name: evidence[name] for name in kept if name in evidence},
        "session": {"intraOpNumThreads": served.threads, "graphOptimizationLevel": "all"},
        "files": {
            key.removeprefix("model/"): {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
            for key, body in files.items()
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
