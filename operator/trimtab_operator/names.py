"""Names, labels and owner references of a job's children: each follows from the job alone, so that making a
child twice makes one.

Of the user's labels only those that costs are grouped by come along, and no annotation: a copy that carries a
GitOps tool's tracking label is taken for something to prune.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab_api.metadata import API_VERSION
from trimtab_operator.world import Manifest

JOB = "trimtab.io/job"
JOB_UID = "trimtab.io/job-uid"
PROFILE = "trimtab.io/profile"
SEGMENT = "trimtab.io/segment"
ATTEMPT = "trimtab.io/attempt"
REPORT = "trimtab.io/report"
COST_LABELS = ("cost-center", "department", "owner", "project", "team")
"""Labels of a job that its pods carry too, for tools that add up costs by them."""

_LONGEST_RAY_JOB = 47
"""KubeRay appends to the name of a RayJob, and the result has to be a DNS label."""
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Owner:
    """The OptimizationJob that children belong to."""

    name: str
    namespace: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """The user's own."""


@dataclass(frozen=True, slots=True)
class Run:
    """One RayJob: a segment of the plan, carried out for the attempt-th time."""

    profile: str
    segment: str
    attempt: int


def owner_of(job: Manifest) -> Owner:
    """Return what children need to know of a job as the API server gives it."""
    metadata = job["metadata"]
    labels = metadata.get("labels") or {}
    return Owner(metadata["name"], metadata.get("namespace", "default"), metadata["uid"], labels)


def owner_reference(owner: Owner) -> dict[str, Any]:
    """Return the reference by which a child is deleted with its job, without holding up the deletion."""
    return {
        "apiVersion": API_VERSION,
        "kind": "OptimizationJob",
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def ray_job_name(job: str, uid: str, segment: int, attempt: int) -> str:
    """Return the name of a segment's (from 0) and attempt's (from 1) RayJob, such as digits-s0-a1-3f2a9c1b.

    The digest of the job's name and uid tells apart jobs whose names are cut, and one from an earlier one of
    its name whose RayJob is still being deleted.
    """
    digest = hashlib.sha256(f"{job}/{uid}".encode()).hexdigest()[:8]
    ending = f"-s{segment}-a{attempt}-{digest}"
    stem = job if job[:1].isalpha() else f"j{job}"
    return stem[: _LONGEST_RAY_JOB - len(ending)].rstrip("-") + ending


def plan_name(job: str) -> str:
    """Return the name of the ConfigMap that the driver reads."""
    return f"{job}-plan"


def report_name(job: str) -> str:
    """Return the name of the ConfigMap that the driver writes."""
    return f"{job}-report"


def driver_name(job: str) -> str:
    """Return the name of the driver's ServiceAccount, Role and RoleBinding."""
    return f"{job}-driver"


def policy_name(job: str) -> str:
    """Return the name of the NetworkPolicy around a job's Ray clusters."""
    return f"{job}-ray"


def job_labels(owner: Owner) -> dict[str, str]:
    """Return the labels of every child."""
    return {JOB: owner.name, JOB_UID: owner.uid}


def run_labels(owner: Owner, run: Run, cost_labels: Collection[str] = COST_LABELS) -> dict[str, str]:
    """Return the labels of a RayJob and of each of its pods, the user's labels for costs among them.

    A key with a domain is never copied, whatever is allowed: those belong to tools, which act on them.
    """
    copied = {
        key: value
        for key, value in sorted(owner.labels.items())
        if key in cost_labels and _PLAIN_LABEL.fullmatch(key)
    }
    return {
        **copied,
        **job_labels(owner),
        PROFILE: run.profile,
        SEGMENT: run.segment,
        ATTEMPT: str(run.attempt),
    }
