"""What can be done to a model: one file each, `(session, *, candidate, parent, config) -> dict`."""

from collections.abc import Mapping

STAGES: Mapping[str, str] = {
    "fp16": "trimtab_jobs.stages.half:convert",
    "int8": "trimtab_jobs.stages.quantize_static:quantize",
    "structured": "trimtab_jobs.stages.prune_structured:prune",
}
"""By the words of the manifest; resolved in the worker, so that the driver imports neither torch nor onnx."""
