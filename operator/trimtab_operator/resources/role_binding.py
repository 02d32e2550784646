"""RoleBinding <job>-driver: gives the driver's role to the account that its pod runs under."""

from typing import Any

from trimtab_api.profile import ProfileSpec
from trimtab_operator.names import Owner, driver_name, job_labels
from trimtab_operator.resources.metadata import child_metadata
from trimtab_operator.resources.service_account import driver_account


def build_role_binding(owner: Owner, profile: ProfileSpec) -> dict[str, Any]:
    """Return the binding."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": child_metadata(owner, driver_name(owner.name), job_labels(owner)),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": driver_name(owner.name),
        },
        "subjects": [
            {
                "kind": "ServiceAccount",
                "name": driver_account(owner, profile),
                "namespace": owner.namespace,
            }
        ],
    }
