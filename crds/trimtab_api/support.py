"""What of the language this version carries out; the rest is refused by name, never ignored."""

from collections.abc import Collection, Iterator
from typing import Any

from trimtab_api.digests import CLUSTER_ONLY
from trimtab_api.errors import Problem
from trimtab_api.job import OptimizationJob
from trimtab_api.model import join

REFUSED = (
    "task.code.image",
    "task.code.archive",
    "task.code.pvc",
    "task.data[].sha256",
    "task.data[].pvc",
    "task.data[].configMap",
    "model",
    "search.sampler.grid",
    "search.sampler.sobol",
    "search.sampler.cmaes",
    "search.sampler.gp",
    "search.sampler.nsga2",
    "search.pruner.hyperband",
    "search.pruner.median",
    "search.pruner.pbt",
    "search.architecture",
    "search.stop",
    "search.warmStart",
    "search.storage",
    "compress.prune",
    "compress.distill",
    "guardrail[].slice",
    "budget.gpuHours",
    "budget.cost",
    "budget.energyKWh",
)
"""Fields of spec that no part of this version carries out yet."""
REFUSED_VALUES = {
    "objectives[].metric": ("energyJ",),
    "guardrail[].metric": ("energyJ",),
    "compress.quantize[]": ("bf16", "int8-dynamic", "int8-qat", "int8-weights", "int4-weights"),
}
"""Values that no part of this version carries out yet, of fields that it does."""
_WHY = "not carried out by this version of Trimtab"


def refusals(job: OptimizationJob, given_data: Collection[str] = ()) -> tuple[Problem, ...]:
    """Return a problem for each field of a job that this version does not carry out.

    `given_data` names the data whose folder the command line gives: what the manifest says of their place is
    not used.
    """
    spec = job.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    spec["task"]["data"] = [{} if each["name"] in given_data else each for each in spec["task"]["data"]]
    problems = [
        Problem(f"spec.{path}", f"{_WHY}; remove it")
        for pattern in REFUSED
        for path, _ in _matches(spec, pattern)
    ]
    for pattern, values in REFUSED_VALUES.items():
        problems += [
            Problem(f"spec.{path}", f"{value} is {_WHY}; remove it")
            for path, value in _matches(spec, pattern)
            if value in values
        ]
    for path, uri in _matches(spec, "task.data[].uri"):
        if "://" in uri:
            name = path.removesuffix(".uri")
            wanted = "give a relative path, or --data NAME=FOLDER"
            problems.append(Problem(f"spec.{name}.uri", f"a remote URI is {_WHY}; {wanted}"))
    return tuple(problems)


def cluster_only(job: OptimizationJob) -> tuple[str, ...]:
    """Return the fields of a job, as paths, that only a cluster uses; `trimtab run` names and leaves them."""
    spec = job.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    paths = [f"spec.{field}" for field in CLUSTER_ONLY if field in spec]
    return (*paths, "spec.evaluation") if "evaluation" in spec else tuple(paths)


def _matches(value: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of all that a pattern such as `guardrail[].slice` finds."""
    step, _, rest = pattern.partition(".")
    name, is_list = step.removesuffix("[]"), step.endswith("[]")
    if name not in value:
        return
    found = value[name]
    items = [(f"[{index}]", item) for index, item in enumerate(found)] if is_list else [("", found)]
    for index, item in items:
        here = join(path, name) + index
        if rest:
            yield from _matches(item, rest, here)
        else:
            yield here, item
