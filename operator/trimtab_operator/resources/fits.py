"""What keeps a plan from being carried out on a cluster: said at admission, before any pod. Pure."""

from collections.abc import Iterator

from trimtab_api.errors import Problem
from trimtab_api.model import got
from trimtab_api.plan import Plan, WorkerGroup
from trimtab_api.profile import Pool, ProfileSpec
from trimtab_api.rooms import pool_of, rooms, whole_cpus
from trimtab_api.segments import WORKERS

_RESERVED = ("head", WORKERS)
_LONGEST_LABEL = 63
_HAS = {"cpu": "CPUs", "memory": "memory", "gpu": "GPUs"}


def unfit(plan: Plan, profile: ProfileSpec) -> Iterator[Problem]:
    """Yield a problem for everything in a plan that no cluster of this profile can carry out."""
    yield from _names(plan)
    yield from _places(plan, profile)
    found = {
        problem
        for segment in plan.segments
        for group in segment.groups
        for problem in _sizes(plan, group, pool_of(group, profile))
    }
    yield from sorted(found, key=str)


def _names(plan: Plan) -> Iterator[Problem]:
    for index, target in enumerate(plan.spec.targets):
        if target.name in _RESERVED:
            words = " or ".join(_RESERVED)
            yield Problem(
                f"spec.targets[{index}].name",
                f"must not be {words}: the Ray cluster has groups of these names{got(target.name)}",
            )
    queue = plan.spec.queue
    for part, name in (("name", queue.name), ("priority", queue.priority)) if queue else ():
        if name and len(name) > _LONGEST_LABEL:
            yield Problem(
                f"spec.queue.{part}", f"must have at most {_LONGEST_LABEL} characters: it becomes a label"
            )


def _places(plan: Plan, profile: ProfileSpec) -> Iterator[Problem]:
    """Judge where things are kept and come from: a pod's own folder is lost with the pod."""
    code, output = plan.spec.task.code, plan.spec.output
    if output is None:
        yield Problem("spec.output", f"is required: profile {plan.profile} has no store")
    named = {
        "spec.output": output,
        "spec.task.code.archive.uri": code.archive.uri if code and code.archive else None,
    }
    wanted = "must be s3://, gs://, az:// or pvc://, or below a volume that the profile's overlay mounts"
    for field, uri in named.items():
        if uri and uri.startswith("file://") and not _is_mounted(uri.removeprefix("file://"), profile):
            yield Problem(field, f"{wanted}: a folder of a pod is lost with it{got(uri)}")


def _is_mounted(path: str, profile: ProfileSpec) -> bool:
    mounts = [str(mount.get("mountPath", "")).rstrip("/") for mount in profile.overlay.volume_mounts]
    return any(f"{path.rstrip('/')}/".startswith(f"{mount}/") for mount in mounts)


def _sizes(plan: Plan, group: WorkerGroup, pool: Pool | None) -> Iterator[Problem]:
    if group.gpu > 1 and group.gpu != round(group.gpu):
        field = "spec.resources.search.perTrial.gpu"
        yield Problem(field, f"must be a whole number, or a part of one GPU{got(group.gpu)}")
    elif pool is not None:
        for part, room in rooms(group, pool).items():
            if room == 0:
                yield _too_large(plan, group, pool, part)


def _too_large(plan: Plan, group: WorkerGroup, pool: Pool, part: str) -> Problem:
    """Say that one work takes more of a pool's pod than there is, at the field that says what it takes."""
    has, took = getattr(pool.resources, part), getattr(group, part)
    if group.guaranteed:
        index = [target.name for target in plan.spec.targets].index(group.name)
        message = f"must be at most {whole_cpus(pool)}, the whole CPUs of a worker of pool {pool.name}"
        return Problem(f"spec.targets[{index}].threads", message + got(group.cpu))
    resources = plan.spec.resources
    if resources and resources.search and resources.search.pool == pool.name:
        message = f"must be at most {has}, the {_HAS[part]} of a worker of pool {pool.name}"
        return Problem(f"spec.resources.search.perTrial.{part}", message + got(took))
    message = f"must be one whose workers have {took:g} CPU, and not {has} as those of {pool.name}"
    return Problem("spec.resources.compress.pool", message)
