"""What a profile lets a job do: pools, caps, code, URIs and namespaces. Pure."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from trimtab_api.errors import Problem
from trimtab_api.fields import duration_seconds
from trimtab_api.job import JobSpec, OptimizationJob
from trimtab_api.model import given, got
from trimtab_api.profile import OptimizationProfile, Pool
from trimtab_api.running import CompressResources, SearchResources


def breaches(
    job: OptimizationJob, profile: OptimizationProfile, namespace_labels: Mapping[str, str] | None = None
) -> Iterator[Problem]:
    """Yield a problem for everything in a job that its profile does not allow.

    Without the labels of the job's namespace, a profile that goes by them is taken to allow it.
    """
    name = profile.metadata.name
    if not serves(profile, job.metadata.namespace or "default", namespace_labels):
        yield _not_served(job, profile)
    for field, pool in _named_pools(job.spec):
        if profile.spec.pools and pool not in (known := [each.name for each in profile.spec.pools]):
            yield Problem(field, f"must be a pool of profile {name}: {', '.join(known)}{got(pool)}")
    for field, value, cap in _capped(job.spec, profile):
        yield Problem(field, f"must be at most {cap}, the cap of profile {name}{got(value)}")
    yield from _code(job.spec, profile)
    yield from _uris(job, profile)


def serves(profile: OptimizationProfile, namespace: str, labels: Mapping[str, str] | None) -> bool:
    """Return whether a namespace may use a profile, by its name or its labels; None: they are not known."""
    allowed = profile.spec.namespaces
    if allowed is None or namespace in allowed.names:
        return True
    wanted = allowed.match_labels.items()
    return bool(wanted) and (labels is None or wanted <= labels.items())


def max_workers(profile: OptimizationProfile, pool: str | None) -> int | None:
    """Return how many workers one step may have on a pool; None when there is no limit."""
    found = _pool(profile, pool)
    limits = [profile.spec.caps.workers, found.max_workers if found else None]
    return min((limit for limit in limits if limit is not None), default=None)


def _pool(profile: OptimizationProfile, name: str | None) -> Pool | None:
    return next((pool for pool in profile.spec.pools if name in (None, pool.name)), None)


def pool_names(spec: JobSpec, profile: OptimizationProfile) -> tuple[str | None, str | None]:
    """Return the pools of search and compression: what is locked, asked for, the default, the first."""
    policies = (profile.spec.locked.resources, spec.resources, profile.spec.defaults.resources)
    given_ones = [each for each in policies if each]
    search = [each.search.pool for each in given_ones if each.search and each.search.pool]
    compress = [each.compress.pool for each in given_ones if each.compress and each.compress.pool]
    first = [pool.name for pool in profile.spec.pools[:1]]
    searched = next(iter(search + first), None)
    return searched, next(iter(compress), searched)


def _not_served(job: OptimizationJob, profile: OptimizationProfile) -> Problem:
    allowed, namespace = profile.spec.namespaces, job.metadata.namespace or "default"
    names, labels = (allowed.names, allowed.match_labels) if allowed else ((), {})
    ways = [", ".join(names)] if names else []
    ways += [f"one labelled {', '.join(f'{key}={value}' for key, value in labels.items())}"] if labels else []
    message = f"must be one that may use profile {profile.metadata.name}: {', or '.join(ways)}"
    return Problem("metadata.namespace", message + got(namespace))


def _steps(spec: JobSpec) -> Iterator[tuple[str, SearchResources | CompressResources]]:
    if spec.resources and spec.resources.search:
        yield "search", spec.resources.search
    if spec.resources and spec.resources.compress:
        yield "compress", spec.resources.compress


def _named_pools(spec: JobSpec) -> Iterator[tuple[str, str]]:
    for step, resources in _steps(spec):
        if resources.pool:
            yield f"spec.resources.{step}.pool", resources.pool
    for index, target in enumerate(spec.targets):
        yield f"spec.targets[{index}].pool", target.pool


def _capped(spec: JobSpec, profile: OptimizationProfile) -> Iterator[tuple[str, object, object]]:
    """Yield every field above its cap: its path, its value, the cap."""
    pools = dict(zip(("search", "compress"), pool_names(spec, profile), strict=True))
    for step, resources in _steps(spec):
        cap = max_workers(profile, resources.pool or pools[step])
        if cap is not None and resources.workers is not None and resources.workers > cap:
            yield f"spec.resources.{step}.workers", resources.workers, cap
    caps, budget = profile.spec.caps, spec.budget
    if budget is None:
        return
    for field, wanted, most in (
        ("gpuHours", budget.gpu_hours, caps.gpu_hours),
        ("cost", budget.cost, caps.cost),
    ):
        if wanted is not None and most is not None and wanted > most:
            yield f"spec.budget.{field}", wanted, f"{most:g}"
    seconds = [duration_seconds(each) for each in (budget.duration, caps.duration) if each]
    if len(seconds) == 2 and seconds[0] > seconds[1]:
        yield "spec.budget.duration", budget.duration, caps.duration


def _code(spec: JobSpec, profile: OptimizationProfile) -> Iterator[Problem]:
    code, allowed, name = spec.task.code, profile.spec.allowed, profile.metadata.name
    if code is None:
        return
    for kind in given(code) - set(allowed.code):
        sources = ", ".join(allowed.code) or "none"
        yield Problem(f"spec.task.code.{kind}", f"is not allowed by profile {name}, which allows {sources}")
    if code.image and allowed.images and not any(fnmatchcase(code.image, each) for each in allowed.images):
        patterns = ", ".join(allowed.images)
        message = f"must match an image of profile {name}: {patterns}{got(code.image)}"
        yield Problem("spec.task.code.image", message)


def _uris(job: OptimizationJob, profile: OptimizationProfile) -> Iterator[Problem]:
    """Judge where a job reads and writes; under a profile without a store, anywhere."""
    store = profile.spec.store
    if store is None:
        return
    words = {"{namespace}": job.metadata.namespace or "default", "{name}": job.metadata.name}
    prefixes = store.prefixes or (f"{store.uri.rstrip('/')}/{{namespace}}/",)
    for word, value in words.items():
        prefixes = tuple(prefix.replace(word, value) for prefix in prefixes)
    for field, uri in _named_uris(job.spec):
        if not any(f"{uri.rstrip('/')}/".startswith(prefix) for prefix in prefixes):
            wanted = " or ".join(prefixes)
            yield Problem(field, f"must begin with {wanted} under profile {profile.metadata.name}{got(uri)}")


def _named_uris(spec: JobSpec) -> Iterator[tuple[str, str]]:
    code, search, evaluation = spec.task.code, spec.search, spec.evaluation
    if code and code.archive:
        yield "spec.task.code.archive.uri", code.archive.uri
    for index, source in enumerate(spec.task.data):
        if source.uri:
            yield f"spec.task.data[{index}].uri", source.uri
    if spec.model:
        yield "spec.model.pretrained.uri", spec.model.pretrained.uri
    if search and search.warm_start:
        yield "spec.search.warmStart.from", search.warm_start.from_
    for index, source in enumerate(evaluation.data if evaluation else ()):
        if source.uri:
            yield f"spec.evaluation.data[{index}].uri", source.uri
    if spec.output:
        yield "spec.output", spec.output
