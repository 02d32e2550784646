"""Role <job>-driver: all that a driver may do on the API server."""

from typing import Any

from trimtab_operator.names import Owner, driver_name, job_labels, plan_name, report_name
from trimtab_operator.resources.metadata import child_metadata


def build_role(owner: Owner) -> dict[str, Any]:
    """Return the role: read the job's plan, write its report, and nothing else."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": child_metadata(owner, driver_name(owner.name), job_labels(owner)),
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": [report_name(owner.name)],
                "verbs": ["get", "patch"],
            },
            {
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": [plan_name(owner.name)],
                "verbs": ["get"],
            },
        ],
    }
