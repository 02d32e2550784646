"""What the driver of a job prints: the log of the pod that submits it to Ray and follows it.

The pod is there as long as its RayJob. Each segment and each attempt has one; a log that is followed goes on
with the next one.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from trimtab_cli.cluster.errors import InvalidError, MissingError, UnavailableError
from trimtab_cli.cluster.reading import has_ended

Document = dict[str, Any]
CONTAINER = "ray-job-submitter"


class Pods(Protocol):
    """Where a job, its pods and their logs are read."""

    def get(self, name: str) -> Document:
        """The job."""
        ...

    def pods(self, job: str) -> list[Document]:
        """Its pods, the oldest first."""
        ...

    def log(self, pod: str, container: str, **query: str) -> Iterator[bytes]:
        """What a container has printed, line by line."""
        ...


def submitter_of(pods: list[Document]) -> str | None:
    """The pod that follows the driver of the newest run that has begun; None when there is none."""
    names = [str(pod["metadata"]["name"]) for pod in pods if is_submitter(pod) and has_begun(pod)]
    return names[-1] if names else None


def is_submitter(pod: Document) -> bool:
    """Whether a pod follows a driver."""
    return any(each["name"] == CONTAINER for each in pod["spec"]["containers"])


def has_begun(pod: Document) -> bool:
    """Whether a pod's container has run, so that there is a log."""
    return pod.get("status", {}).get("phase") in ("Running", "Succeeded", "Failed")


def printed(pods: Pods, pod: str, tail: int | None) -> Iterator[str]:
    """What the driver has printed so far."""
    query = {} if tail is None else {"tailLines": str(tail)}
    for line in pods.log(pod, CONTAINER, **query):
        yield line.decode(errors="replace")


def followed(pods: Pods, name: str, tail: int | None, wait: Callable[[], None]) -> Iterator[str]:
    """What the driver prints, run after run, until the job has ended; MissingError where nothing is left.

    A log that breaks off goes on after its last line, by the times that the kubelet puts before each.
    """
    last: dict[str, str] = {}
    for look in itertools.count():
        is_over = has_ended(pods.get(name))  # asked first: what was printed before that is read below
        pod = submitter_of(pods.pods(name))
        if pod is not None:
            for time, text in _lines(pods, pod, last.setdefault(pod, ""), tail if look == 0 else None):
                last[pod] = time
                yield text
        if is_over:
            if not last:
                raise MissingError(GONE.format(job=name))
            return
        wait()


def _lines(pods: Pods, pod: str, last: str, tail: int | None) -> Iterator[tuple[str, str]]:
    """Time and text of each line after the last one; those that there are when the log breaks off."""
    query = {"follow": "true", "timestamps": "true"}
    if tail is not None:
        query["tailLines"] = str(tail)
    if last:
        query["sinceTime"] = last
    try:
        for line in pods.log(pod, CONTAINER, **query):
            time, _, text = line.decode(errors="replace").partition(" ")
            if time > last:
                yield time, text
    except (UnavailableError, MissingError, InvalidError):  # the next look finds it again, or the next pod
        return


GONE = (
    "the pod that followed the driver of {job} is gone, and its log with it; what trials have printed is in "
    "the store: trimtab logs {job} --trial N"
)
