"""The kinds of objects that the operator reads or writes, and where the API server keeps them. Pure."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from trimtab_operator import names
from trimtab_operator.world import Manifest


@dataclass(frozen=True, slots=True)
class Kind:
    """Where the objects of a kind are."""

    name: str
    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def is_core(self) -> bool:
        """Whether every API server knows it."""
        return "/" not in self.api_version

    @property
    def root(self) -> str:
        """The path of its API."""
        return f"/{'api' if self.is_core else 'apis'}/{self.api_version}"

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the path of one object; of all in a namespace, or anywhere, without a name."""
        inside = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{self.root}{inside}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")

    def path_of(self, manifest: Manifest) -> str:
        """Return the path of a manifest's object."""
        metadata = manifest["metadata"]
        return self.path(metadata.get("namespace"), metadata["name"])


JOB = Kind("OptimizationJob", "trimtab.io/v1alpha1", "optimizationjobs")
PROFILE = Kind("OptimizationProfile", "trimtab.io/v1alpha1", "optimizationprofiles", namespaced=False)
RAY_JOB = Kind("RayJob", "ray.io/v1", "rayjobs")
CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")
POD = Kind("Pod", "v1", "pods")
NAMESPACE = Kind("Namespace", "v1", "namespaces", namespaced=False)
EVENT = Kind("Event", "v1", "events")
LEASE = Kind("Lease", "coordination.k8s.io/v1", "leases")
KINDS = {
    kind.name: kind
    for kind in (
        JOB,
        PROFILE,
        RAY_JOB,
        CONFIG_MAP,
        POD,
        NAMESPACE,
        EVENT,
        LEASE,
        Kind("ServiceAccount", "v1", "serviceaccounts"),
        Kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
        Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
        Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    )
}

WATCHED = {JOB: "", PROFILE: "", RAY_JOB: names.JOB, CONFIG_MAP: names.JOB, POD: names.JOB}
"""The kinds that are watched and listed, with the label by which the API server selects their objects."""


def kind_of(manifest: Manifest) -> Kind:
    """Return where a manifest's object is kept; KeyError for a kind that is not the operator's."""
    return KINDS[manifest["kind"]]


def controller_of(manifest: Manifest) -> str | None:
    """Return the uid of the object that owns a manifest as its controller."""
    owners: list[dict[str, Any]] = manifest["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def describe(manifest: Manifest) -> str:
    """Return what people call an object: ConfigMap vision/digits-plan."""
    metadata = manifest["metadata"]
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{manifest['kind']} {where}{metadata['name']}"
