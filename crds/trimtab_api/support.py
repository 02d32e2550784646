"""What of the language this version carries out, and where; the rest is refused by name, never ignored."""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Literal

from trimtab_api.digests import CLUSTER_ONLY
from trimtab_api.errors import Problem
from trimtab_api.job import OptimizationJob
from trimtab_api.metrics import UNMEASURED
from trimtab_api.model import join

Where = Literal["embedded", "cluster"]
"""trimtab run, or the operator."""

REFUSED = (
    "model.freeze[]",
    "model.unfreeze",
    "model.head",
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
    "compress.prune.magnitude",
    "guardrail[].slice",
)
"""Fields of spec that no part of this version carries out yet."""
REFUSED_HERE: dict[Where, tuple[str, ...]] = {
    "embedded": (
        "task.code.image",
        "task.code.archive",
        "task.code.pvc",
        "task.data[].pvc",
        "task.data[].configMap",
        "budget.gpuHours",
        "budget.cost",
        "budget.energyKWh",
    ),
    "cluster": ("evaluation",),
}
"""Fields of spec that only one way of running a job does not carry out."""
REFUSED_VALUES = {
    "objectives[].metric": UNMEASURED,
    "guardrail[].metric": UNMEASURED,
    "compress.quantize[]": ("bf16", "int8-dynamic", "int8-qat", "int8-weights", "int4-weights"),
}
"""Values that no part of this version carries out yet, of fields that it does."""
TRIAL_MEMORY = "search.perTrial.memory"
"""What of spec.resources counts wherever a job runs."""
_WHY = "not carried out by this version of Trimtab"
_WHY_HERE: dict[Where, str] = {
    "embedded": "not carried out by trimtab run; remove it, or apply the job to a cluster",
    "cluster": f"{_WHY} on a cluster; remove it",
}


def refusals(
    job: OptimizationJob, given_data: Collection[str] = (), where: Where = "embedded"
) -> tuple[Problem, ...]:
    """Return a problem for each field of a job that this version does not carry out where it is to run.

    `given_data` names the data whose folder the command line gives: what the manifest says of their place is
    not used.
    """
    spec = job.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    spec["task"]["data"] = [{} if each["name"] in given_data else each for each in spec["task"]["data"]]
    told = dict.fromkeys(REFUSED, f"{_WHY}; remove it")
    told |= dict.fromkeys(REFUSED_HERE[where], _WHY_HERE[where])
    problems = [
        Problem(f"spec.{path}", message)
        for pattern, message in told.items()
        for path, _ in _matches(spec, pattern)
    ]
    for pattern, values in REFUSED_VALUES.items():
        problems += [
            Problem(f"spec.{path}", f"{value} is {_WHY}; remove it")
            for path, value in _matches(spec, pattern)
            if value in values
        ]
    further = (_further_targets(spec), _unreachable_data(spec, where), _unreachable_model(spec, where))
    return (*problems, *chain.from_iterable(further))


def cluster_only(job: OptimizationJob) -> tuple[str, ...]:
    """Return the fields of a job, as paths, that only a cluster uses; `trimtab run` names and leaves them."""
    spec = job.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    paths = [f"spec.{field}" for field in (*CLUSTER_ONLY, "evaluation") if field in spec]
    trial = spec.get("resources", {}).get("search", {}).get("perTrial", {})
    if "memory" not in trial:
        return tuple(paths)
    is_alone = spec["resources"] == {"search": {"perTrial": {"memory": trial["memory"]}}}
    rest = [] if is_alone else [f"spec.resources but for {TRIAL_MEMORY}"]
    place = paths.index("spec.resources")
    return (*paths[:place], *rest, *paths[place + 1 :])


def _further_targets(spec: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each objective whose metric an earlier one has, on another target."""
    metrics = [objective["metric"] for objective in spec["objectives"]]
    for index, metric in enumerate(metrics):
        if metric in metrics[:index]:
            yield Problem(f"spec.objectives[{index}]", f"{metric} on a second target is {_WHY}; remove it")


def _unreachable_data(spec: dict[str, Any], where: Where) -> Iterator[Problem]:
    """Yield a problem for each set of data that is out of reach: claims here, paths on a cluster."""
    for path, uri in _matches(spec, "task.data[].uri"):
        if where == "embedded" and uri.startswith("pvc://"):
            yield Problem(f"spec.{path}", "only a cluster has volumes; give its copy as --data NAME=PATH")
        elif where == "cluster" and "://" not in uri:
            why = "a relative path is one of the machine on which trimtab run runs"
            yield Problem(f"spec.{path}", f"{why}; put it in a bucket, on a pvc or in a configMap")


def _unreachable_model(spec: dict[str, Any], where: Where) -> Iterator[Problem]:
    """Yield a problem for a given model at a place that is not read: a volume, or a path on a cluster."""
    for path, uri in _matches(spec, "model.pretrained.uri"):
        if uri.startswith("pvc://"):
            yield Problem(f"spec.{path}", f"a model on a volume is {_WHY}; put it into a bucket")
        elif where == "cluster" and "://" not in uri:
            why = "a relative path is one of the machine on which trimtab run runs"
            yield Problem(f"spec.{path}", f"{why}; put the model into a bucket")


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
