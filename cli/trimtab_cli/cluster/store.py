"""The store of a job of a cluster, for commands that read it from the person's own machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING, Any

from trimtab_api.control import PROFILE_KEY
from trimtab_cli.cluster.errors import ClusterError
from trimtab_cli.cluster.options import Access
from trimtab_cli.stored import NoLogError, NoRunError, opened
from trimtab_operator.manifests import text_at
from trimtab_operator.names import plan_name
from trimtab_operator.resources.store import STORE_FOLDER

if TYPE_CHECKING:
    from trimtab_cli.cluster.jobs import Jobs
    from trimtab_jobs.store import Store

Document = dict[str, Any]
HEAD_CONTAINER = "ray-head"


def place_of(target: str, access: Access) -> str:
    """The folder or URI of a run: the target itself, or the store of the job of the cluster that it names."""
    from trimtab_cli.cluster.target import job_called

    name = job_called(target, access.is_given)
    if name is None:
        return target
    from trimtab_cli.cluster.access import connect
    from trimtab_cli.cluster.jobs import Jobs

    with connect(access) as api:
        jobs = Jobs(api)
        return known_store(jobs.get(name), jobs)


def known_store(job: Document, jobs: "Jobs") -> str:
    """The URI of a job's store; ClusterError while it is not known."""
    from trimtab_cli.cluster.show import kept_in

    place = kept_in(job, jobs)
    if not place:
        name = job["metadata"]["name"]
        raise ClusterError(
            f"{name}: where it keeps its run is not known: it has not begun, or the ConfigMap {name}-plan is "
            "not yours to read"
        )
    return place


@contextmanager
def opened_store(job: Document, jobs: "Jobs", command: str) -> Iterator["Store"]:
    """The store of a job, for reading; ClusterError with the command that reads it, where it cannot be here.

    `command` is what reads it where the store is reached: {store} in it stands for the URI.
    """
    place = known_store(job, jobs)
    reading = command.format(store=quote(place))
    try:
        if place.startswith(f"file://{STORE_FOLDER}"):
            raise NoRunError(f"{place} is on a volume of the cluster")
        with opened(place) as store:
            yield store
    except NoLogError:
        raise
    except NoRunError as error:
        name = job["metadata"]["name"]
        head = head_of(jobs.pods(name))
        endpoint = endpoint_of(jobs.config_map(plan_name(name)))
        raise ClusterError(f"{error.message}; {elsewhere(place, reading, head, endpoint)}") from None


def head_of(pods: list[Document]) -> Document | None:
    """The head that runs, if any: it reads the store with credentials of its own."""
    heads = [pod for pod in pods if _has(pod, HEAD_CONTAINER) and _phase(pod) == "Running"]
    return heads[-1] if heads else None


def endpoint_of(plan: Document | None) -> str:
    """The endpoint of the store by the ConfigMap with the plan; empty where it is the cloud's own."""
    content = text_at(plan, "data", PROFILE_KEY)
    try:
        return text_at(json.loads(content), "spec", "store", "endpoint") if content else ""
    except ValueError:  # not as this version writes it
        return ""


def elsewhere(place: str, reading: str, head: Document | None, endpoint: str) -> str:
    """What reads a store that is not read from here. Pure."""
    if head is not None:
        where = f"-n {head['metadata']['namespace']} {head['metadata']['name']} -c {HEAD_CONTAINER}"
        return f"in the job's head this reads it: kubectl exec {where} -- {reading}"
    if place.startswith("file://"):
        return f"mount its claim in a pod at {STORE_FOLDER}; there this reads it: {reading}"
    setting = f"AWS_ENDPOINT_URL={quote(endpoint)} " if endpoint and place.startswith("s3://") else ""
    return f"with its credentials, where it is reached, this reads it: {setting}{reading}"


def _has(pod: Document, container: str) -> bool:
    return any(each["name"] == container for each in pod["spec"]["containers"])


def _phase(pod: Document) -> str:
    return str(pod.get("status", {}).get("phase", ""))
