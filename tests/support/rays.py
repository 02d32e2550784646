"""Stand-ins for Ray: the clusters' dashboards, which KubeRay asks, and the pods that submit RayJobs' jobs.

    with Node(server, "cpu-1") as node, Rays(server, node) as rays:
        server.create(ray_job)                     # KubeRay makes head, workers, then the submitter's pod
        job = rays.wait_for("vision", "digits-search-1")
        job.end("SUCCEEDED")                       # or "FAILED", "STOPPED"; or job.lose_submitter()

    rays.run("vision", entrypoint)                 # every job of a namespace runs this instead: see `run`

The fixtures `node` and `rays` are those of the session's control plane, to be shared: what a test sets holds
for a namespace of its own.

KubeRay reaches the dashboards through the HTTP proxy that its server is told of (`tests/cluster/servers.py`),
so it asks by the head Service's real name and shows its token, which is checked as Ray checks it. As in Ray
2.60, a submitter ends well however its job ends, and fails only when it loses the dashboard.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from tests.support.cluster import ApiServer
from tests.support.listener import Listener
from tests.support.nodes import Node
from tests.support.pod_states import failed, running, succeeded

Document = dict[str, Any]
JobStatus = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"]
Entrypoint = Callable[["SubmittedJob"], int]

JOB_ID = "RAY_JOB_SUBMISSION_ID"
TERMINAL = {"SUCCEEDED", "FAILED", "STOPPED"}
JOBS = "/api/jobs/"
UNREACHABLE = {"kind": "Status", "status": "Failure", "message": "no endpoints available", "code": 503}


@dataclass
class SubmittedJob:
    """One job as its dashboard knows it, and its submitter."""

    id: str
    namespace: str
    name: str
    """The RayJob's."""
    token: str | None
    on_change: Callable[[], None] = field(repr=False)
    status: JobStatus = "RUNNING"
    message: str = ""
    has_lost_submitter: bool = False
    started: float = field(default_factory=time.time)
    ended: float | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set once somebody asked to stop it."""

    def end(self, status: JobStatus, message: str = "") -> None:
        """Have the job end; the submitter's pod ends too."""
        self.status, self.message, self.ended = status, message, time.time()
        self.stopped.set()
        self.on_change()

    def lose_submitter(self) -> None:
        """Have the submitter fail, as when the head is lost, whatever becomes of the job."""
        self.has_lost_submitter = True
        self.on_change()

    def described(self) -> Document:
        """What the dashboard answers."""
        times = {"start_time": int(self.started * 1000)}
        times |= {"end_time": int(self.ended * 1000)} if self.ended else {}
        names = {"type": "SUBMISSION", "job_id": None, "submission_id": self.id}
        return {**names, "status": self.status, "message": self.message, **times}


class Rays:
    """The dashboards and submitters of one control plane, while entered as a context manager."""

    def __init__(self, server: ApiServer, node: Node) -> None:
        self.server = server
        self.node = node
        self.jobs: dict[str, SubmittedJob] = {}
        """By the id under which they were submitted, in that order."""
        self.requests: list[tuple[str, str]] = []
        """Method and URL of every request, such as http://digits-head-svc.vision.svc.cluster.local:8265/…"""
        self.unreachable: dict[str, Literal["Failure", "closed"]] = {}
        """How a namespace's dashboards fail: with what the API server's proxy says then, or unanswered."""
        self.initial: dict[str, JobStatus] = {}
        """The status of a job that was just submitted in a namespace, if not RUNNING."""
        self._entrypoints: dict[str, Entrypoint] = {}
        self._changed = threading.Condition()
        handler = type("Handler", (Dashboard,), {"rays": self})
        self._listener = Listener(handler, server.plane.ports["dashboards"])
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> "Rays":
        self._thread.start()
        self.node.add_rule(is_submitter, self._submitter)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for job in list(self.jobs.values()):
            job.stopped.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.hang_up()
        self._listener.server_close()

    def run(self, namespace: str, entrypoint: Entrypoint) -> None:
        """Have every job that is submitted in a namespace run this as its entrypoint, in a thread of its own.

        What it returns is the exit code; an error counts as 1. It should return once `job.stopped` is set.
        """
        self._entrypoints[namespace] = entrypoint

    def wait_for(self, namespace: str, name: str, limit_seconds: float = 60) -> SubmittedJob:
        """The latest job that was submitted for a RayJob, once there is one."""

        def latest() -> SubmittedJob | None:
            found = [each for each in self.jobs.values() if (each.namespace, each.name) == (namespace, name)]
            return found[-1] if found else None

        with self._changed:
            found = self._changed.wait_for(latest, limit_seconds)
        assert found, f"no job was submitted for RayJob {namespace}/{name} within {limit_seconds:.0f} s"
        return found

    def submit(self, job: SubmittedJob) -> None:
        """Take a job in and start its entrypoint if it has one."""
        with self._changed:
            self.jobs[job.id] = job
            self._changed.notify_all()
        if job.namespace in self._entrypoints:
            threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def _run(self, job: SubmittedJob) -> None:
        try:
            code = self._entrypoints[job.namespace](job)
        except Exception as error:  # as any program may fail, whose dashboard then says so
            code, job.message = 1, repr(error)
        if job.status not in TERMINAL:
            message = f"Job entrypoint command failed with exit code {code}. {job.message}" if code else ""
            job.end("FAILED" if code else "SUCCEEDED", message)

    def _submitter(self, pod: Document) -> Document:
        """What becomes of a submitter's pod: it submits its job if that is new, and ends with it."""
        variables = environment(pod)
        job_id = variables[JOB_ID]["value"]
        if job_id not in self.jobs:
            namespace, name = pod["metadata"]["namespace"], pod["metadata"]["labels"]["job-name"]
            token = self._secret(namespace, variables.get("RAY_AUTH_TOKEN"))
            initial = self.initial.get(namespace, "RUNNING")
            self.submit(SubmittedJob(job_id, namespace, name, token, self.node.refresh, initial))
        job = self.jobs[job_id]
        if job.has_lost_submitter:
            return failed(pod)
        return succeeded(pod) if job.status in TERMINAL else running(pod)

    def _secret(self, namespace: str, variable: Document | None) -> str | None:
        """The value of a variable that a Secret gives."""
        if variable is None:
            return None
        source = variable["valueFrom"]["secretKeyRef"]
        secret = self.server.read(f"/api/v1/namespaces/{namespace}/secrets/{source['name']}")
        return base64.b64decode(secret["data"][source["key"]]).decode()


def is_submitter(pod: Document) -> bool:
    return JOB_ID in environment(pod) and "job-name" in pod["metadata"].get("labels", {})


def environment(pod: Document) -> Mapping[str, Document]:
    """The variables of a pod's first container by name."""
    return {each["name"]: each for each in pod["spec"]["containers"][0].get("env", [])}


class Dashboard(BaseHTTPRequestHandler):
    """One connection to some cluster's dashboard; as to a proxy, the request's target is a whole URL."""

    protocol_version = "HTTP/1.1"
    rays: Rays

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.rays.requests.append((self.command, self.path))
        host, path = urlsplit(self.path)[1:3]
        fault = self.rays.unreachable.get(host.split(".")[1])
        if fault == "closed":
            self.close_connection = True
        elif fault:
            self.send(503, UNREACHABLE)
        elif path == "/api/version":
            self.send(200, {"version": "4", "ray_version": "2.60.0"})
        elif path.startswith(JOBS):
            self.answer_about_job(*path.removeprefix(JOBS).partition("/")[::2])
        else:
            self.send(404, {})

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 names that http.server looks up

    def answer_about_job(self, job_id: str, what: str) -> None:
        job = self.rays.jobs.get(job_id)
        if job is None:
            self.send(404, {"message": f"Job {job_id} does not exist"})
        elif job.token and self.headers.get("x-ray-authorization") != f"Bearer {job.token}":
            self.send(401, {"message": "Unauthorized: Missing or invalid authentication token"})
        elif what == "stop":
            was_running = job.status not in TERMINAL
            if was_running:
                job.end("STOPPED")
            self.send(200, {"stopped": was_running})
        else:
            self.send(200, {"logs": ""} if what == "logs" else job.described())

    def send(self, code: int, document: Document) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing: a test reads `requests`."""


@pytest.fixture(scope="session")
def node(control_plane: ApiServer) -> Iterator[Node]:
    """A node of the session's control plane, on which any pod finds room."""
    with Node(control_plane, "node-1") as node:
        yield node


@pytest.fixture(scope="session")
def rays(control_plane: ApiServer, node: Node) -> Iterator[Rays]:
    """The dashboards and submitters of the session's control plane."""
    with Rays(control_plane, node) as rays:
        yield rays
