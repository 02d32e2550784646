"""What a job leaves open, filled: the profile's defaults < the job < what the profile locks. Pure.

Here are the defaults that a profile may set, and those that depend on other fields; all others are in the
models, and the API server fills them in too.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trimtab_api.fields import duration_seconds
from trimtab_api.job import JobSpec, OptimizationJob
from trimtab_api.policy import max_workers, pool_names
from trimtab_api.profile import JobPolicy, OptimizationProfile
from trimtab_api.space import FloatRange, IntRange, Parameter

Json = dict[str, Any]


def filled(job: OptimizationJob, profile: OptimizationProfile) -> Json:
    """Return a job's spec as plain JSON with every default filled, under a profile that allows it."""
    spec = _merged(job.spec, profile)
    spec["profile"] = profile.metadata.name
    if "search" in spec:
        spec["search"].setdefault("parallelism", 1)
        spec["search"]["parameters"] = [
            _dumped(parameter) | {"default": default_of(parameter)}
            for parameter in (job.spec.search.parameters if job.spec.search else ())
        ]
    spec["guardrail"] = [_limit(limit) for limit in spec["guardrail"]]
    spec["resources"] = _resources(spec, profile, pool_names(job.spec, profile))
    spec["budget"] = _budget(spec.get("budget", {}), profile)
    if profile.spec.store:
        spec.setdefault("output", profile.spec.store.uri)
    spec.setdefault("readyPolicy", "Completed")
    spec.setdefault("ttlSecondsAfterFinished", 86_400)
    return spec


def default_of(parameter: Parameter) -> str:
    """Return the baseline's value of a parameter: the one given, else the first choice or the middle."""
    if parameter.default is not None:
        return parameter.default
    if parameter.categorical is not None:
        return str(parameter.categorical[0])
    if parameter.int_ is not None:
        return str(_middle_whole(parameter.int_))
    return repr(_middle(parameter.float_)) if parameter.float_ else ""


def _middle(bounds: FloatRange) -> float:
    """Return a short number in the middle of a range, by its scale; on its step, if it has one."""
    low, high = bounds.low, bounds.high
    middle = math.exp((math.log(low) + math.log(high)) / 2) if bounds.log else low / 2 + high / 2
    if bounds.step is not None:  # in decimals, as a person counts: 0.1 and twice 0.1 make 0.3
        start, step = Decimal(str(low)), Decimal(str(bounds.step))
        return float(start + step * round((Decimal(str(high)) - start) / 2 / step))
    short = float(f"{middle:.3g}")
    return min(max(short, low), high)


def _middle_whole(bounds: IntRange) -> int:
    middle = (bounds.low + bounds.high) // 2
    if bounds.log:
        middle = round(math.sqrt(bounds.low * bounds.high))
    step = bounds.step or 1
    return bounds.low + (middle - bounds.low) // step * step


def _dumped(part: Any) -> Json:
    plain: Json = part.model_dump(mode="json", by_alias=True, exclude_none=True)
    return plain


def _merged(spec: JobSpec, profile: OptimizationProfile) -> Json:
    layers = [_policy(profile.spec.defaults, spec), _dumped(spec), _policy(profile.spec.locked, spec)]
    merged: Json = {}
    for layer in layers:
        merged = merge(merged, layer)
    return merged


def _policy(policy: JobPolicy, spec: JobSpec) -> Json:
    """Return the part of a policy that bears on a job: it makes no search of a job without one."""
    return _dumped(policy if spec.search else policy.model_copy(update={"search": None}))


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> Json:
    """Return two mappings in one, key by key and deeply; where both have a value, `over` wins."""
    merged = dict(under)
    for key, value in over.items():
        deeper = isinstance(value, dict) and isinstance(under.get(key), dict)
        merged[key] = merge(under[key], value) if deeper else value
    return merged


def _limit(limit: Json) -> Json:
    defaults = {"confidence": 0.95, "against": "uncompressed"} if "maxDrop" in limit else {}
    return {**defaults, **limit}


def _resources(spec: Json, profile: OptimizationProfile, pools: tuple[str | None, str | None]) -> Json:
    """Return the workers of both steps, cut to the caps: what the job itself states is within them."""
    stated = spec.get("resources", {})
    parallelism = spec.get("search", {}).get("parallelism", 1)
    search = {"workers": parallelism, **stated.get("search", {})}
    compress = {"workers": 1, **stated.get("compress", {})}
    for step, pool in zip((search, compress), pools, strict=True):
        most = max_workers(profile, pool)
        step |= {"pool": pool, "workers": step["workers"] if most is None else min(step["workers"], most)}
    search["perTrial"] = {"cpu": 1, "gpu": 0, **search.get("perTrial", {})}
    return {"search": search, "compress": compress}


def _budget(budget: Json, profile: OptimizationProfile) -> Json:
    """Return the budget, with the profile's caps where no limit is set, or a default is above its cap."""
    caps = _dumped(profile.spec.caps)
    caps.pop("workers", None)
    return {**budget, **{name: _smaller(cap, budget.get(name, cap)) for name, cap in caps.items()}}


def _smaller(cap: Any, wanted: Any) -> Any:
    """Return the smaller of two amounts, or of two durations."""
    return min(wanted, cap, key=duration_seconds) if isinstance(cap, str) else min(wanted, cap)
