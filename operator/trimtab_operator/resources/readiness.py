"""The readiness probe of head and workers: whether Ray answers there.

KubeRay gives a container without one a probe that asks the same ten seconds after its start and every five: a
job would wait for that twice, for its head and then for its workers.
"""

from trimtab_operator.resources.parts import Json

_AGENT = 52365
"""Port of Ray's agent, on every node."""


def build_readiness_probe() -> Json:
    """Return the probe; it is as patient as KubeRay's with a Ray that does not answer any more."""
    return {
        "httpGet": {"path": "/api/healthz", "port": _AGENT},
        "periodSeconds": 2,
        "timeoutSeconds": 5,
        "failureThreshold": 25,
    }
