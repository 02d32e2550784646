"""CustomResourceDefinitions that a control plane starts with."""

import json
import urllib.error
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster.programs import PROGRAMS

if TYPE_CHECKING:
    from tests.cluster.control_plane import ControlPlane

Document = dict[str, Any]

CRDS = Path(__file__).resolve().parents[2] / "crds"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
URL = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ANYTHING: Document = {
    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}


def trimtab_definitions() -> dict[str, Document]:
    """Trimtab's own, as generated, by file name."""
    return read_definitions(CRDS)


def kuberay_definitions() -> list[Document]:
    """KubeRay's, without what nothing here reads: all of it would cost the API server 5 s and 250 MB.

    RayCronJobs are off by default. RayServices are watched although there are none, so any schema does.
    """
    found = read_definitions(PROGRAMS["kuberay-operator"].definitions_path)
    kept = {each["spec"]["names"]["kind"]: each for each in found.values()}
    del kept["RayCronJob"]
    for kind, each in kept.items():
        stored = [version for version in each["spec"]["versions"] if version["storage"]]
        if kind == "RayService":
            stored = [version | {"schema": ANYTHING} for version in stored]
        each["spec"]["versions"] = stored
    return list(kept.values())


def read_definitions(folder: Path) -> dict[str, Document]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {path.name: yaml.load(path.read_text(), loader) for path in sorted(folder.glob("*.yaml"))}


def install(plane: "ControlPlane", definitions: Sequence[Document]) -> None:
    """Create definitions and return once they are served, and named where clients look for kinds."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: plane.send(URL, json.dumps(each).encode()), definitions))
    specs = [each["spec"] for each in definitions]
    names = ", ".join(spec["names"]["plural"] for spec in specs)
    plane.processes.wait_until(f"{names} are served", lambda: all(is_served(plane, spec) for spec in specs))


def is_served(plane: "ControlPlane", spec: Mapping[str, Any]) -> bool:
    group, version, plural = spec["group"], spec["versions"][0]["name"], spec["names"]["plural"]
    try:
        resources = json.loads(plane.send(f"/apis/{group}/{version}"))["resources"]
    except urllib.error.HTTPError as error:
        error.close()
        return False
    groups = json.loads(plane.send("/apis", accept=DISCOVERY))["items"]
    named = [
        resource["resource"]
        for each in groups
        if each["metadata"]["name"] == group
        for of_version in each["versions"]
        for resource in of_version["resources"]
    ]
    return plural in named and plural in [each["name"] for each in resources]
