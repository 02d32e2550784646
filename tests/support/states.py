"""Every state of a job on a cluster, as a world: with its phase, its reason, and what kstatus makes of it."""

from dataclasses import replace

from tests.support.worlds import (
    INITIALIZING,
    READY,
    applied,
    edited,
    failed,
    job,
    lost,
    ray_job,
    reported,
    searching,
    succeeded,
    tick,
)
from trimtab_operator.world import Observed

STATES: dict[str, tuple[Observed, str, str, str]] = {
    "nothing yet": (tick(applied(job())), "Starting", "Starting", "InProgress"),
    "cluster in the making": (
        tick(ray_job(tick(applied(job())), INITIALIZING)),
        "Starting",
        "Starting",
        "InProgress",
    ),
    "cluster ready, driver silent": (
        tick(ray_job(tick(applied(job())), READY)),
        "Starting",
        "Starting",
        "InProgress",
    ),
    "in a queue": (
        tick(ray_job(tick(applied(job())), {}, spec={"suspend": True})),
        "Queued",
        "Queued",
        "InProgress",
    ),
    "searching": (searching(), "Searching", "Searching", "InProgress"),
    "compressing": (
        tick(reported(searching(), phase="Compressing")),
        "Compressing",
        "Compressing",
        "InProgress",
    ),
    "verifying": (tick(reported(searching(), phase="Verifying")), "Verifying", "Verifying", "InProgress"),
    "accepted is enough": (searching({"readyPolicy": "Accepted"}), "Searching", "Searching", "Current"),
    "done": (succeeded(searching()), "Succeeded", "Completed", "Current"),
    "budget reached": (succeeded(searching(), "BudgetReached"), "Succeeded", "BudgetReached", "Current"),
    "guardrail not met": (failed(searching(), "GuardrailNotMet"), "Failed", "GuardrailNotMet", "Failed"),
    "code is wrong": (failed(searching(), "Code"), "Failed", "Code", "Failed"),
    "no trial completed": (failed(searching(), "NoTrialCompleted"), "Failed", "NoTrialCompleted", "Failed"),
    "workers lost, says the driver": (
        failed(searching(), "Infrastructure"),
        "Starting",
        "Stopping",
        "InProgress",
    ),
    "driver lost": (lost(searching()), "Pending", "BackingOff", "InProgress"),
    "being suspended": (tick(edited(searching(), suspend=True)), "Starting", "Suspending", "InProgress"),
    "suspended": (tick(tick(edited(searching(), suspend=True))), "Suspended", "Suspended", "InProgress"),
    "no KubeRay": (
        tick(applied(job(), has_kuberay=False)),
        "Pending",
        "KubeRayNotInstalled",
        "InProgress",
    ),
    "no profile": (
        tick(replace(applied(job()), profiles=())),
        "Pending",
        "ProfileNotFound",
        "InProgress",
    ),
    "refused": (
        tick(
            applied(
                job(
                    guardrail=[{"metric": "accuracy", "min": 0.9, "slice": {"column": "class", "value": "7"}}]
                )
            )
        ),
        "Failed",
        "Refused",
        "Failed",
    ),
    "not understood": (tick(edited(applied(job()), task="none")), "Failed", "Invalid", "Failed"),
}
