"""NetworkPolicy <job>-ray: who may reach the pods of a job's Ray clusters."""

from typing import Any

from trimtab_operator.names import JOB_UID, Owner, job_labels, policy_name
from trimtab_operator.resources.defaults import Defaults
from trimtab_operator.resources.metadata import child_metadata

_DASHBOARD = 8265
"""Port of the head on which KubeRay asks how the job stands."""


def build_network_policy(owner: Owner, defaults: Defaults) -> dict[str, Any]:
    """Return the policy: a job's pods reach each other, and KubeRay the dashboard; nobody else reaches them.

    Whoever reaches a Ray cluster can run code in it. Where they reach out to is left to the site's policies.
    """
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": child_metadata(owner, policy_name(owner.name), job_labels(owner)),
        "spec": {
            "podSelector": {"matchLabels": {JOB_UID: owner.uid}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [{"podSelector": {"matchLabels": {JOB_UID: owner.uid}}}]},
                {**_kuberay(defaults.kuberay_namespace), "ports": [{"port": _DASHBOARD, "protocol": "TCP"}]},
            ],
        },
    }


def _kuberay(namespace: str | None) -> dict[str, Any]:
    """Return where KubeRay's operator asks from; nothing, hence anywhere, where that is not known."""
    if namespace is None:
        return {}
    labels = {"kubernetes.io/metadata.name": namespace}
    return {"from": [{"namespaceSelector": {"matchLabels": labels}}]}
