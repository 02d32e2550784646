"""Security contexts that meet the `restricted` Pod Security Standard."""

from trimtab_api.profile import ProfileSpec
from trimtab_operator.resources.parts import Json

_USER = 1000


def pod_security(profile: ProfileSpec) -> Json:
    """Return a pod's security context: the profile's users and groups, or a plain user of our own.

    A profile that gives any takes the place of ours: some platforms assign users and refuse to be told.
    """
    user = {
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "fsGroup": _USER,
        "fsGroupChangePolicy": "OnRootMismatch",
    }
    chosen = profile.overlay.security_context
    return {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        **(user if chosen is None else chosen),
    }


def container_security() -> Json:
    """Return a container's security context: no privileges, and nothing to write to but mounts."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
