"""The pods of a Ray cluster: the head with the driver, the workers with the user's code, the submitter.

All of them meet the `restricted` Pod Security Standard with a read-only root. Only the head has a token, only
the submitter has neither the store's credentials nor the code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab_api.profile import ProfileSpec
from trimtab_operator.names import plan_name, report_name
from trimtab_operator.resources.code import (
    archive_command,
    archive_part,
    code_folder,
    code_part,
    data_part,
    fetched_archive,
)
from trimtab_operator.resources.groups import Pods
from trimtab_operator.resources.liveness import SIGNS, build_liveness_probe
from trimtab_operator.resources.parts import Json, Part, joined, literal, variable
from trimtab_operator.resources.placement import head_affinity, outage_tolerations, pool_placement
from trimtab_operator.resources.readiness import build_readiness_probe
from trimtab_operator.resources.security import container_security, pod_security
from trimtab_operator.resources.service_account import driver_account, store_account
from trimtab_operator.resources.start import Start
from trimtab_operator.resources.store import store_part, store_uri

_RAY_ENVIRONMENT = {
    "HOME": "/tmp",  # the only folder that can be written to
    "PYTHONHASHSEED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns about works that ask for no GPU
    "RAY_worker_niceness": "0",  # Ray would lower the priority of workers, and raise what is measured in them
}


@dataclass(frozen=True, slots=True)
class _Container:
    """One container, before it is written down."""

    name: str
    image: str
    part: Part
    resources: Mapping[str, str]
    command: Sequence[str] = ()
    probes: Mapping[str, Json] = field(default_factory=dict)
    """Its own, by their fields; KubeRay adds those that are missing where Ray runs."""


def build_head_template(start: Start) -> Json:
    """Return the template of the head, where the driver runs: it holds the job's token."""
    driver = Part(env=_variables(_driver_environment(start)))
    resources = {"cpu": start.defaults.head_cpu, "memory": start.defaults.head_memory}
    part = joined(driver, _ray(), _reads(start))
    liveness = build_liveness_probe(start.defaults.driver_silence_seconds)
    probes = {"livenessProbe": liveness, "readinessProbe": build_readiness_probe()}
    head = _Container("ray-head", head_image(start), part, resources, probes=probes)
    placement = head_affinity(start.profile)
    account = {
        "serviceAccountName": driver_account(start.owner, start.profile),
        "automountServiceAccountToken": True,
    }
    return _template(start, head, {**account, **placement})


def build_worker_template(start: Start, pods: Pods) -> Json:
    """Return the template of a group's workers, where the user's code runs: without a token."""
    threads = Part(env=(variable("OMP_NUM_THREADS", str(max(1, int(pods.group.cpu)))),))
    gpus = {pods.gpu_resource: str(pods.gpus)} if pods.gpus else {}
    resources = {"cpu": pods.cpu, "memory": pods.memory, **gpus}
    part = joined(_ray(), threads, _reads(start))
    probes = {"readinessProbe": build_readiness_probe()}
    worker = _Container("ray-worker", worker_image(start), part, resources, probes=probes)
    named = store_account(start.profile)
    account = {"serviceAccountName": named} if named else {}
    placement = pool_placement(pods.pool)
    return _template(start, worker, {**account, "automountServiceAccountToken": False, **placement})


def build_submitter_template(start: Start) -> Json:
    """Return the template of the pod that tells Ray to start the driver; KubeRay adds the command."""
    part = joined(Part(env=_variables({"HOME": "/tmp"})), _writable())
    resources = {"cpu": "500m", "memory": "512Mi"}
    submitter = _Container("ray-job-submitter", head_image(start), part, resources)
    pod = {"automountServiceAccountToken": False, "restartPolicy": "Never"}
    return _template(start, submitter, {**pod, **head_affinity(start.profile)})


def head_image(start: Start) -> str:
    """Return the image of the head and the submitter: the profile's, else this version's."""
    images = start.profile.images
    return (images.head or images.worker) if images else start.defaults.worker_image


def worker_image(start: Start) -> str:
    """Return the image of the workers: the user's, the profile's, else this version's."""
    code, images = start.plan.spec.task.code, start.profile.images
    if code and code.image:
        return code.image
    return images.worker if images else start.defaults.worker_image


def _driver_environment(start: Start) -> dict[str, str]:
    folder = code_folder(start.plan)
    return {
        "TRIMTAB_JOB": start.owner.name,
        "TRIMTAB_NAMESPACE": start.owner.namespace,
        "TRIMTAB_UID": start.owner.uid,
        "TRIMTAB_SEGMENT": start.shape.name,
        "TRIMTAB_ATTEMPT": str(start.attempt),
        "TRIMTAB_STORE": literal(store_uri(start.plan, start.owner)),
        **({"TRIMTAB_CODE": folder} if folder else {}),
        "TRIMTAB_PLAN": plan_name(start.owner.name),
        "TRIMTAB_REPORT": report_name(start.owner.name),
        "TRIMTAB_ALIVE": SIGNS,
    }


def _reads(start: Start) -> Part:
    """Return what head and workers see alike: the store, the code (which the head only digests), the data."""
    patience = variable("TRIMTAB_STORE_PATIENCE", str(start.defaults.store_patience_seconds))
    store = joined(Part(env=(patience,)), store_part(start.plan, start.profile))
    return joined(_writable(), store, code_part(start.plan), data_part(start.plan))


def _variables(values: Mapping[str, str]) -> tuple[Json, ...]:
    return tuple(variable(name, value) for name, value in values.items())


def _ray() -> Part:
    return Part(env=_variables(_RAY_ENVIRONMENT))


def _writable() -> Part:
    """Return the folder for all that Ray, Python and the user's code write."""
    return Part(
        volumes=({"name": "trimtab-tmp", "emptyDir": {}},),
        mounts=({"name": "trimtab-tmp", "mountPath": "/tmp"},),
    )


def _template(start: Start, main: _Container, pod: Mapping[str, Any]) -> Json:
    """Return a pod's template around its one container, with what the profile adds to every pod."""
    profile = start.profile
    init, extra = _fetching(start, main)
    secrets = profile.images.pull_secrets if profile.images else ()
    tolerations = pod.get("tolerations", [])
    outage = outage_tolerations(start.defaults.node_patience_seconds, tolerations)
    return {
        "metadata": {"labels": start.labels},
        "spec": {
            **pod,
            "tolerations": [*tolerations, *outage],
            "enableServiceLinks": False,
            "securityContext": pod_security(profile),
            **({"imagePullSecrets": [{"name": name} for name in secrets]} if secrets else {}),
            **({"initContainers": init} if init else {}),
            "containers": [_container(main, profile)],
            "volumes": [*main.part.volumes, *extra, *map(dict, profile.overlay.volumes)],
        },
    }


def _fetching(start: Start, main: _Container) -> tuple[list[Json], tuple[Json, ...]]:
    """Return the container that fetches the code's archive, if this pod reads code, and its volumes."""
    archive = fetched_archive(start.plan)
    if archive is None or main.name == "ray-job-submitter":
        return [], ()
    more = archive_part(archive)
    part = joined(
        Part(env=_variables({"HOME": "/tmp"})), _writable(), store_part(start.plan, start.profile), more
    )
    size = {name: amount for name, amount in main.resources.items() if name in ("cpu", "memory")}
    fetch = _Container("fetch-code", main.image, part, size, archive_command(archive))
    # Its last line says what is wrong with the archive: so it stands in the pod's status.
    told = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    return [_container(fetch, start.profile) | told], more.volumes


def _container(container: _Container, profile: ProfileSpec) -> Json:
    """Return a container; requests are its limits, so that no neighbour slows it down or pushes it out.

    What the profile's overlay names or mounts replaces what is ours.
    """
    part, overlay = container.part, profile.overlay
    names = {each.name for each in overlay.env}
    paths = {each.get("mountPath") for each in overlay.volume_mounts}
    env = [each for each in part.env if each["name"] not in names]
    mounts = [each for each in part.mounts if each["mountPath"] not in paths]
    return {
        "name": container.name,
        "image": container.image,
        "imagePullPolicy": "IfNotPresent",
        **({"command": list(container.command)} if container.command else {}),
        "env": [*env, *(variable(each.name, each.value) for each in overlay.env)],
        **({"envFrom": list(part.env_from)} if part.env_from else {}),
        "resources": {"requests": dict(container.resources), "limits": dict(container.resources)},
        **container.probes,
        "securityContext": container_security(),
        "volumeMounts": [*mounts, *map(dict, overlay.volume_mounts)],
    }
